"""Typed reading of a widget's JSON, with the path of a mistake in every sentence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import Any

from botocore.utils import parse_to_aware_datetime

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
TEXT_MAX = 1_000
_YEAR_2000, _YEAR_2100 = 946_684_800.0, 4_102_444_800.0


class BadWidget(Exception):
    """A widget that cannot be drawn; the sentence names the member and what would be right."""


def iso_moment(given: str, *, path: str) -> float:
    """An ISO time as seconds, between the years 2000 and 2100."""
    try:
        moment: dt.datetime = parse_to_aware_datetime(given)
        seconds = moment.timestamp()
    # All the ways in which botocore's own reading of a time fails.
    except (ValueError, OverflowError, RuntimeError) as mistake:
        raise BadWidget(f"{path}: {given!r} is not an ISO time") from mistake
    return in_calendar(seconds, path=path)


def in_calendar(seconds: float, *, path: str) -> float:
    """The moment itself, if a time axis can show it."""
    if not _YEAR_2000 <= seconds <= _YEAR_2100:
        raise BadWidget(f"{path} must lie between the years 2000 and 2100")
    return seconds


class Node:
    """One JSON value and where it stands."""

    def __init__(self, value: Any, *, path: str) -> None:
        self.value = value
        self.path = path

    def has(self, name: str) -> bool:
        return name in self.object()

    def object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise BadWidget(f"{self.path} must be an object")
        return self.value

    def array(self) -> list[Any]:
        if not isinstance(self.value, list):
            raise BadWidget(f"{self.path} must be an array")
        return self.value

    def only(self, known: Collection[str]) -> None:
        """Refuse members nobody would read."""
        if unknown := sorted(set(self.object()) - set(known)):
            raise BadWidget(f"{self.path} has no member {', '.join(map(repr, unknown))}")

    def child(self, name: str) -> Node:
        return Node(self.object().get(name, {}), path=f"{self.path}.{name}")

    def items(self, name: str) -> list[Node]:
        listed = Node(self.object().get(name, []), path=f"{self.path}.{name}")
        return [
            Node(item, path=f"{listed.path}[{index}]") for index, item in enumerate(listed.array())
        ]

    def text(self, name: str, default: str) -> str:
        value = self.object().get(name, default)
        if not isinstance(value, str) or len(value) > TEXT_MAX:
            raise BadWidget(f"{self.path}.{name} must be text of at most {TEXT_MAX} characters")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of the words; the first is the default."""
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise BadWidget(f"{self.path}.{name} must be one of {', '.join(allowed)}: {value!r}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.object().get(name, default)
        if not isinstance(value, bool):
            raise BadWidget(f"{self.path}.{name} must be true or false")
        return value

    def whole(self, name: str, default: int, *, most: int) -> int:
        value = self.object().get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise BadWidget(f"{self.path}.{name} must be a whole number from 1 to {most}")
        return value

    def number(self, name: str) -> float | None:
        """A finite number, or None where it is left out."""
        value = self.object().get(name)
        if value is None:
            return None
        # Written this way round because NaN, which Python's JSON reads, compares false.
        finite = isinstance(value, int | float) and abs(value) <= 1e300
        if isinstance(value, bool) or not finite:
            raise BadWidget(f"{self.path}.{name} must be a number")
        return float(value)

    def color(self, name: str) -> str | None:
        value = self.text(name, "")
        if value and not _COLOR.fullmatch(value):
            raise BadWidget(f"{self.path}.{name} must be like #1f77b4, not {value!r}")
        return value or None
