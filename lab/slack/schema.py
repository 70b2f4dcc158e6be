"""A small rule language for JSON in Slack's manner: strict objects, lengths, enums, and Slack's own wording.

A rule takes a value and its JSON pointer and returns what is wrong; an unknown property is always wrong.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lab.slack.entities import Json


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where, in Slack's words, and which constraint it broke."""

    pointer: str
    message: str
    constraint: tuple[tuple[str, Any], ...] = ()

    def worded(self, *, under: str = "/blocks") -> str:
        return f"{self.message} [json-pointer:{under}{self.pointer}]"

    def structured(self) -> Json:
        return {
            "pointer": self.pointer,
            "code": "failed_constraint",
            "message": self.message,
            "constraint": dict(self.constraint),
        }


Rule = Callable[[Any, str], list[Problem]]


def _broken(pointer: str, message: str, kind: str, **facts: Any) -> list[Problem]:
    return [Problem(pointer, message, (("type", kind), *sorted(facts.items())))]


def string(*, most: int = 0, least: int = 1) -> Rule:
    def check(value: Any, pointer: str) -> list[Problem]:
        if not isinstance(value, str):
            return _broken(pointer, "must provide a string", "type", expected="string")
        if len(value) < least:
            message = f"must be more than {least - 1} characters"
            return _broken(pointer, message, "min_length", expected=least, got=len(value))
        if most and len(value) > most:
            message = f"must be less than {most + 1} characters"
            return _broken(pointer, message, "max_length", expected=most, got=len(value))
        return []

    return check


def enum(*allowed: Any) -> Rule:
    def check(value: Any, pointer: str) -> list[Problem]:
        if value in allowed and not isinstance(value, bool):
            return []
        return _broken(
            pointer, "must be a valid enum value", "enum", expected=list(allowed), got=value
        )

    return check


def boolean(value: Any, pointer: str) -> list[Problem]:
    if isinstance(value, bool):
        return []
    return _broken(pointer, "must provide a boolean", "type", expected="boolean")


def integer(*, least: int, most: int = 0) -> Rule:
    def check(value: Any, pointer: str) -> list[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            return _broken(pointer, "must provide an integer", "type", expected="integer")
        if value < least:
            return _broken(pointer, f"must be more than {least - 1}", "minimum", expected=least)
        if most and value > most:
            return _broken(pointer, f"must be less than {most + 1}", "maximum", expected=most)
        return []

    return check


def array(item: Rule, *, most: int = 0, least: int = 1) -> Rule:
    def check(value: Any, pointer: str) -> list[Problem]:
        if not isinstance(value, list):
            return _broken(pointer, "must provide an array", "type", expected="array")
        if len(value) < least:
            message = f"must provide at least {least} items"
            return _broken(pointer, message, "min_items", expected=least, got=len(value))
        if most and len(value) > most:
            message = f"no more than {most} items allowed"
            return _broken(pointer, message, "max_items", expected=most, got=len(value))
        return [p for place, one in enumerate(value) for p in item(one, f"{pointer}/{place}")]

    return check


def strict(properties: dict[str, Rule], *, required: Iterable[str] = ()) -> Rule:
    """An object with these properties and no others."""
    needed = tuple(required)

    def check(value: Any, pointer: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _broken(pointer, "must provide an object", "type", expected="object")
        found: list[Problem] = []
        for name in needed:
            if value.get(name) is None:
                found += _broken(
                    pointer, f"missing required field: {name}", "required", expected=name
                )
        for name, content in value.items():
            if name not in properties:
                message = f"invalid additional property: {name}"
                found += _broken(pointer, message, "additional_property", got=name)
            elif content is not None:
                found += properties[name](content, f"{pointer}/{name}")
        return found

    return check


def by_type(table: dict[str, Rule]) -> Rule:
    """The rule for the value's `type`; another type matches none of the allowed schemas."""

    def check(value: Any, pointer: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _broken(pointer, "must provide an object", "type", expected="object")
        kind = value.get("type")
        if kind is None:
            return _broken(pointer, "missing required field: type", "required", expected="type")
        if not isinstance(kind, str) or kind not in table:
            outer = _broken(pointer, "failed to match all allowed schemas", "all_of")
            inner = f"unsupported type: {kind}"
            return outer + _broken(
                f"{pointer}/type", inner, "enum", expected=sorted(table), got=kind
            )
        return table[kind](value, pointer)

    return check


def text(*kinds: str, most: int, least: int = 1) -> Rule:
    """A text object of one of these kinds: `emoji` belongs to plain_text, `verbatim` to mrkdwn."""
    kind_rule, body = enum(*kinds), string(most=most, least=least)
    plain = strict({"type": kind_rule, "text": body, "emoji": boolean}, required=("type", "text"))
    mrkdwn = strict(
        {"type": kind_rule, "text": body, "verbatim": boolean}, required=("type", "text")
    )

    def check(value: Any, pointer: str) -> list[Problem]:
        is_mrkdwn = isinstance(value, dict) and value.get("type") == "mrkdwn"
        return (mrkdwn if is_mrkdwn else plain)(value, pointer)

    return check


def together(*rules: Rule) -> Rule:
    return lambda value, pointer: [p for rule in rules for p in rule(value, pointer)]


def exactly_one(*names: str) -> Rule:
    def check(value: Any, pointer: str) -> list[Problem]:
        given = [n for n in names if isinstance(value, dict) and value.get(n) is not None]
        if len(given) == 1 or not isinstance(value, dict):
            return []
        outer = "failed to match all allowed schemas"
        if not given:
            first = f"missing required field: {names[0]}"
            return _broken(pointer, outer, "all_of") + _broken(
                pointer, first, "required", expected=names[0]
            )
        extra = f"invalid additional property: {given[1]}"
        return _broken(pointer, outer, "all_of") + _broken(
            pointer, extra, "additional_property", got=given[1]
        )

    return check
