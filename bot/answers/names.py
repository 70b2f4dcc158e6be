"""A name as a person typed it: exactly one that exists, else the nearest ones."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import NamedTuple

from bot.cards.text import clean

NEAREST_MAX = 3
COMPARED_MAX = 5_000
"""Comparing with more names than a view holds would keep the person waiting."""


class Match(NamedTuple):
    name: str


def found(typed: str, names: Collection[str], *, what: str, where: str) -> Match | str:
    """The name, or a sentence that says there is none and which are near. Names are exact."""
    if typed in names:
        return Match(typed)
    near = nearest(typed, names)
    listed = ", ".join(f"`{_quoted(one)}`" for one in near)
    ask = f" Did you mean {listed}?" if near else ""
    return f"There is no {what} `{_quoted(typed)}` on {where}.{ask}"


def nearest(typed: str, names: Collection[str]) -> list[str]:
    """Those that hold what was typed, the shortest first; else those that look like it."""
    few = list(names)[:COMPARED_MAX]
    word = typed.casefold()
    holding = sorted(
        (one for one in few if word in one.casefold()), key=lambda one: (len(one), one)
    )
    return holding[:NEAREST_MAX] or difflib.get_close_matches(typed, few, n=NEAREST_MAX, cutoff=0.6)


def _quoted(name: str) -> str:
    """To stand between backticks."""
    return clean(name).replace("`", "ˋ")
