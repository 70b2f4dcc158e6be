"""Check inputs and rename outputs by botocore's own shapes.

botocore checks minima only, so the upper limits, enums and the difference between `true` and 1 are
checked here; otherwise a client could pass in the lab and fail on AWS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

Fields = dict[str, Any]  # a JSON object whose members the AWS model names and types

# The model's limit for this member (15) is stale; the true one is a quota, checked where it is used.
STALE_LIMITS = frozenset({"__integerMin1Max15"})


@cache
def service_model(name: str) -> Any:
    """The model boto3 itself ships for this service."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def problems(value: Fields, shape: Any) -> str:
    """Everything wrong with an input, as one text; empty when nothing is."""
    if shape is None:
        return ""
    try:
        report = ParamValidator().validate(value, shape)
    # How botocore's own reading of a timestamp beyond the calendar fails.
    except (OverflowError, RuntimeError) as mistake:
        return f"Invalid timestamp: {mistake}"
    if report.has_errors():
        return str(report.generate_report())
    return "\n".join(_over_limits(value, shape, path=""))


def _over_limits(value: Any, shape: Any, *, path: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _over_limits(member, shape.members[name], path=f"{path}.{name}".lstrip("."))
        return
    if shape.type_name == "list":
        for index, item in enumerate(value):
            yield from _over_limits(item, shape.member, path=f"{path}[{index}]")
    yield from _scalar_limits(value, shape, path=path)


def _scalar_limits(value: Any, shape: Any, *, path: str) -> Iterator[str]:
    if shape.type_name in ("integer", "long", "double", "float") and isinstance(value, bool):
        yield f"Invalid type for parameter {path}: a number is wanted, not {str(value).lower()}"
    ceiling = shape.metadata.get("max")
    if ceiling is not None and shape.name not in STALE_LIMITS:
        size = len(value) if shape.type_name in ("string", "list") else value
        if size > ceiling:
            yield f"Invalid value or length for parameter {path}: {size}, the most is {ceiling}"
    if getattr(shape, "enum", None) and value not in shape.enum:
        yield f"Invalid value for parameter {path}: {value!r}, one of {', '.join(shape.enum)}"


Timestamp = Callable[[dt.datetime], Any]


def iso8601(moment: dt.datetime) -> str:
    """The form MSK uses in its bodies."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def epoch_seconds(moment: dt.datetime) -> float:
    """The form CloudWatch uses in its JSON bodies."""
    return moment.timestamp()


def to_wire(value: Any, shape: Any, *, timestamp: Timestamp) -> Any:
    """Our output, named and typed as the model wants it; a member it does not know is our bug."""
    kind = shape.type_name
    if kind == "structure":
        return {
            shape.members[name].serialization.get("name", name): to_wire(
                member, shape.members[name], timestamp=timestamp
            )
            for name, member in value.items()
            if member is not None
        }
    if kind == "list":
        return [to_wire(item, shape.member, timestamp=timestamp) for item in value]
    if kind == "timestamp":
        return timestamp(value)
    return float(value) if kind in ("double", "float") else value


def from_wire(value: Any, shape: Any) -> Any:
    """A body under its wire names, renamed to the model's members; unknown members are dropped,
    as AWS does."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: from_wire(value[wire], member)
            for name, member in shape.members.items()
            if (wire := member.serialization.get("name", name)) in value and value[wire] is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [from_wire(item, shape.member) for item in value]
    return value
