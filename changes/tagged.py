"""Values whose JSON returns as the class it left as.

A plan is stored as JSON and read back by another process, which must get the same classes of
change and step back. Every subclass of `Tagged` writes its class name as `kind`; reading looks the
name up among the classes that were imported. A name nobody knows means the entry was written by
another version of Ottla (or by a catalog file that is gone), and is refused by that name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)


class Value(BaseModel):
    """A frozen value; a change makes a new one (`with_`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def with_(self, **fields: Any) -> Self:
        """A copy with some fields replaced; unknown names are refused, values are validated."""
        unknown = sorted(set(fields) - set(type(self).model_fields))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}")
        present = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**present, **fields})


class Tagged(Value):
    """A value that remembers its class in its JSON."""

    kinds: ClassVar[dict[str, type[Tagged]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Tagged.kinds[cls.__name__] = cls

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": type(self).__name__, **handler(self)}

    @model_validator(mode="wrap")
    @classmethod
    def _by_kind(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict) or "kind" not in data:
            return handler(data)
        fields = {name: value for name, value in data.items() if name != "kind"}
        kind = Tagged.kinds.get(data["kind"])
        if kind is None or not issubclass(kind, cls):
            raise ValueError(
                f"{data['kind']!r} is not a known kind of {cls.__name__}: "
                "it was written by another version of Ottla, or its catalog file is gone"
            )
        if kind is cls:
            return handler(fields)
        build: Callable[[Any], Self] = kind.model_validate
        return build(fields)
