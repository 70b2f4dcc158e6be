"""One typed word becomes one typed value, or a sentence that says what would be right.

The types come from the change's own fields, so a new change needs nothing here.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from changes.change import Change
from changes.grammar_words import Word, Wrong

SHOWN_NAMES_MAX = 10
MINUS = "-−–—"
BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


NUMBERED = {"request": "R", "incident": "I"}
"""What people name by a letter and a number."""


def value_for(field: FieldInfo, name: str, word: Word) -> Any:
    """The word as the field's type wants it; pydantic judges bounds later."""
    wanted = base_type(field.annotation)
    if wanted is int:
        return whole_number(name, word)
    if wanted is float:
        return number(name, word)
    if typing.get_origin(wanted) is typing.Literal:
        return choice(name, word, [str(one) for one in typing.get_args(wanted)])
    return word.text


def base_type(annotation: Any) -> Any:
    """`int` for `Annotated[int, …]` and for `int | None`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return base_type(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [one for one in typing.get_args(annotation) if one is not type(None)]
        return base_type(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


def whole_number(name: str, word: Word) -> int:
    if re.fullmatch(r"0|[1-9][0-9]*", word.text):
        return int(word.text)
    if word.text[0] in MINUS and word.text[1:].isdecimal():
        raise Wrong(f"`{name}` cannot be negative: it is the number wanted in the end.", at=word.at)
    would = likely_number(word.text)
    hint = f" Write `{would}`." if would else " Write digits only, such as `6`."
    raise Wrong(f"`{name}` must be a whole number; `{word.text}` is none.{hint}", at=word.at)


def likely_number(text: str) -> str:
    """What was probably meant by `6.0`, `006`, `1,000` or `٦`; nothing where it is a guess."""
    digits = "".join(str(unicodedata.decimal(one, one)) for one in text)
    found = re.fullmatch(r"0*([1-9][0-9]*)(?:\.0+)?", re.sub(r"(?<=\d)[,_'](?=\d{3})", "", digits))
    return found[1] if found else ""


def number(name: str, word: Word) -> float:
    if re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]+)?", word.text):
        return float(word.text)
    raise Wrong(
        f"`{name}` must be a number; `{word.text}` is none. Write it like `6` or `6.5`.", at=word.at
    )


def choice(name: str, word: Word, allowed: Sequence[str]) -> str:
    if word.text in allowed:
        return word.text
    raise Wrong(
        f"`{name}` is one of {listed(allowed)}; `{word.text}` is none."
        + did_you_mean(word.text, allowed),
        at=word.at,
    )


def numbered(what: str, word: Word) -> str:
    """`R-17`; `r-17` and `R17` are read as that."""
    letter = NUMBERED[what]
    found = re.fullmatch(f"[{letter}{letter.lower()}]-?([1-9][0-9]{{0,9}})", word.text)
    if found:
        return f"{letter}-{found[1]}"
    raise Wrong(
        f"`{word.text}` is no {what}. {what.capitalize()}s are named like `{letter}-17`.",
        at=word.at,
    )


def cluster_name(word: Word, clusters: Sequence[str]) -> str:
    """Exact names only: a near miss is offered, never taken."""
    if word.text in clusters:
        return word.text
    if not clusters:
        raise Wrong("No clusters are configured, so none can be named.", at=word.at)
    if word.text.startswith("arn:"):
        raise Wrong(f"Clusters go by name, not by ARN: {listed(clusters)}.", at=word.at)
    begun = [one for one in clusters if one.casefold().startswith(word.text.casefold())]
    near = begun or difflib.get_close_matches(word.text, clusters, n=3, cutoff=0.6)
    if near:
        raise Wrong(
            f"There is no cluster `{word.text}`; names are exact. Did you mean {listed(near)}?",
            at=word.at,
        )
    raise Wrong(f"There is no cluster `{word.text}`. Known: {listed(clusters)}.", at=word.at)


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN_NAMES_MAX])
    more = len(names) - SHOWN_NAMES_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def did_you_mean(text: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""


def built(change: type[Change], values: Mapping[str, Any], places: Mapping[str, Word]) -> Change:
    """The change itself; the model's own complaint becomes a sentence at the word it is about."""
    try:
        return change.model_validate(dict(values))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    place = places.get(name)
    raise Wrong(sentence(first, name, place), at=place.at if place else None)


def sentence(error: ErrorDetails, name: str, place: Word | None) -> str:
    typed = f"; `{place.text}` is not" if place else ""
    if error["type"] in BOUNDS:
        words, key = BOUNDS[error["type"]]
        return f"`{name}` must be {words} {error['ctx'][key]}{typed}."
    if error["type"] == "missing":
        return f"`{name}` is missing."
    if error["type"] == "value_error":
        return upper_first(str(error["ctx"]["error"]))
    return f"`{name}`: {upper_first(error['msg'])}."


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
