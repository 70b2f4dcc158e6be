"""One YAML file → one frozen model, or problems with file, line, column and a suggestion.

The same goes for the settings of a process: one YAML file plus the environment, which wins;
`${NAME}` in the file stands for an environment variable, so that secrets never lie in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policies.problems import Problem, Problems, did_you_mean
from policies.yaml_nodes import Document, Json, keys_of, read_yaml
from policies.yaml_nodes import Path as Keys

Model = TypeVar("Model", bound=BaseModel)

ENV_PREFIX = "OTTLA_"
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

PLAIN_WORDS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
}


def read_document(path: Path) -> Document | Problems:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Problems((Problem(file=str(path), message="there is no such file"),))
    except (OSError, UnicodeDecodeError) as wrong:
        return Problems((Problem(file=str(path), message=f"cannot be read: {wrong}"),))
    return read_yaml(text, file=str(path))


def read_model(model: type[Model], path: Path) -> tuple[Model, Document] | Problems:
    document = read_document(path)
    if isinstance(document, Problems):
        return document
    return fitted(model, document)


def fitted(model: type[Model], document: Document) -> tuple[Model, Document] | Problems:
    """Strict: text is never taken for a number, so `010` and `yes` are refused where they stand."""
    try:
        text = json.dumps(document.data if document.data is not None else {})
        return model.model_validate_json(text, strict=True), document
    except ValidationError as wrong:
        return shape_problems(model, document, wrong)


def shape_problems(model: type[BaseModel], document: Document, wrong: ValidationError) -> Problems:
    found: dict[Keys, Problem] = {}
    complaints: dict[Keys, list[ErrorDetails]] = {}
    for error in wrong.errors(include_url=False):
        complaints.setdefault(real_path(document.data, error), []).append(error)
    for path, errors in complaints.items():
        if not any(path[:length] in found for length in range(1, len(path) + 1)):
            found[path] = shape_problem(model, document, errors, path)
    return Problems(sorted(found.values(), key=lambda one: (one.line, one.column)))


def real_path(data: Json, error: ErrorDetails) -> Keys:
    """Without the names pydantic adds for the members of a union, so that one mistake is one problem."""
    real: list[str | int] = []
    steps = error["loc"]
    for number, step in enumerate(steps):
        names_what_is_not_there = error["type"] == "missing" and number == len(steps) - 1
        inner = children(data)
        if step not in inner and not names_what_is_not_there:
            continue
        data = inner.get(step)
        real.append(step)
    return tuple(real)


def children(data: Json) -> Mapping[str | int, Json]:
    if isinstance(data, dict):
        return dict(data.items())
    return dict(enumerate(data)) if isinstance(data, list) else {}


def shape_problem(
    model: type[BaseModel], document: Document, errors: Sequence[ErrorDetails], path: Keys
) -> Problem:
    """All that is wrong with one place: of a union, every member says why it is not it."""
    error = errors[0]
    name = str(path[-1]) if path else document.file
    if error["type"] == "extra_forbidden":
        known = known_keys(model, path[:-1])
        hint = did_you_mean(name, known) or f"known here: {', '.join(known)}"
        return document.problem(
            path, f"`{dotted(path)}` is not known", suggestion=hint, at_key=True
        )
    return document.problem(path, f"`{dotted(path)}` {complaint(error, *errors[1:])}")


def complaint(error: ErrorDetails, *others: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "missing":
        return PLAIN_WORDS["missing"]
    return f"{' or '.join(wishes((error, *others)))}; found {shown(error['input'])}"


def wishes(errors: Sequence[ErrorDetails]) -> Sequence[str]:
    """What would have been right, in one sentence: `must be a number or text`."""
    said = list(dict.fromkeys(wish(one) for one in errors))
    if len(said) == 1:
        return said
    kinds = [one.removeprefix("must be ").partition(";")[0] for one in said]
    return [f"must be {kinds[0]}", *kinds[1:]]


def wish(error: ErrorDetails) -> str:
    words = PLAIN_WORDS.get(error["type"])
    return words or error["msg"].replace("Input should be", "must be").replace("String", "text")


def shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def dotted(path: Keys) -> str:
    """`policies[0].rules[1].message`"""
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return text.lstrip(".") or "the file"


def known_keys(model: type[BaseModel], path: Keys) -> list[str]:
    """The keys a model takes at a path, as they are written in the file."""
    inner: type[BaseModel] | None = model
    for step in path:
        if inner is not None and isinstance(step, str):
            inner = next(
                (
                    nested
                    for name, info in inner.model_fields.items()
                    if (info.alias or name) == step
                    for nested in models_in(info.annotation)
                ),
                None,
            )
    return [info.alias or name for name, info in inner.model_fields.items()] if inner else []


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def read_settings(
    model: type[Model], *, path: Path | None, environ: Mapping[str, str]
) -> Model | Problems:
    """One settings class from its file (if any) and the environment, which wins.

    The variable of a field is `OTTLA_` and its name in capitals, unless the field names another
    one by `json_schema_extra={"env": "SLACK_BOT_TOKEN"}`. An empty variable counts as absent.
    """
    document = read_document(path) if path else Document("the environment", {}, ("",))
    if isinstance(document, Problems):
        return document
    data, unset = resolved(document, environ)
    if unset:
        return unset
    for name, info in model.model_fields.items():
        if value := environ.get(variable_of(model, name)):
            data[info.alias or name] = value
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_input=False)
        return Problems(setting_problem(model, document, one, environ) for one in errors)


def variable_of(model: type[BaseModel], name: str) -> str:
    info = model.model_fields.get(name)
    extra = info.json_schema_extra if info else None
    named = extra.get("env") if isinstance(extra, dict) else None
    return str(named) if named else ENV_PREFIX + name.upper()


def resolved(
    document: Document, environ: Mapping[str, str]
) -> tuple[dict[str, Json], Problems | None]:
    """The file's data with every `${NAME}` filled in."""
    unset: list[Problem] = []

    def fill(value: Json, path: Keys) -> Json:
        if isinstance(value, dict):
            return {key: fill(one, (*path, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [fill(one, (*path, index)) for index, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        for name in REFERENCE.findall(value):
            if not environ.get(name):
                unset.append(document.problem(path, f"environment variable {name} is not set"))
        return REFERENCE.sub(lambda found: environ.get(found[1], ""), value)

    data = {key: fill(value, (key,)) for key, value in keys_of(document.data).items()}
    return data, Problems(unset) if unset else None


def setting_problem(
    model: type[BaseModel], document: Document, error: ErrorDetails, environ: Mapping[str, str]
) -> Problem:
    """Never shows a value: it may be a token."""
    path: Keys = tuple(error["loc"])
    name = str(path[0]) if path else ""
    variable = variable_of(model, name)
    if error["type"] == "extra_forbidden":
        known = known_keys(model, path[:-1])
        hint = did_you_mean(str(path[-1]), known) or f"known here: {', '.join(known)}"
        return document.problem(
            path, f"`{dotted(path)}` is not known", suggestion=hint, at_key=True
        )
    if error["type"] == "missing":
        hint = f"set {variable} in the environment, or `{name}` in the settings file"
        return Problem(
            file=document.file, message=f"setting `{dotted(path)}` is missing", suggestion=hint
        )
    said = PLAIN_WORDS.get(error["type"]) or plain_message(error)
    if environ.get(variable):
        return Problem(file="the environment", message=f"{variable}: {said}")
    return document.problem(path, f"`{dotted(path)}`: {said}")


def plain_message(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"].replace("Input should be", "must be")
