"""Where the words of moments stand above a plot, so that each is seen to belong to its own line.

Every moment's line goes on upwards as a pole to the row of its words, like a flag. Words may fly to
either side; none may cover another, and no pole may run through the words of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

ROWS_MAX = 4
GAP = 0.02
LEFT_ROOM = 0.1
"""Above the values of the axis, left of the plot, nothing else stands."""
SHORTER = (1.0, 0.8, 0.6, 0.45)
"""Where whole words find no place, shorter ones do; they are cut to the room they got."""
SEARCHED_MAX = 3
"""More moments than this are placed one after the other: to try every arrangement costs 8 to the
power of their number."""


@dataclass(frozen=True)
class Flag:
    """A pole and its words, in shares of the plot's width; `begins` tells the side they fly to."""

    pole: float
    begins: float
    ends: float
    row: int


def arranged(wanted: Sequence[tuple[float, float]]) -> list[Flag]:
    """A flag for each (pole, width of its words), in the same order, perhaps with less room."""
    if len(wanted) <= SEARCHED_MAX:
        for share in SHORTER:
            found = _search([(pole, width * share) for pole, width in wanted], [])
            if found is not None:
                return found
    return _one_by_one(wanted)


def _search(wanted: Sequence[tuple[float, float]], placed: list[Flag]) -> list[Flag] | None:
    """The first arrangement without any clash, low rows first; None when there is none."""
    if len(placed) == len(wanted):
        return placed
    for flag in _choices(*wanted[len(placed)]):
        if not any(_clash(flag, other) for other in placed):
            found = _search(wanted, [*placed, flag])
            if found is not None:
                return found
    return None


def _one_by_one(wanted: Sequence[tuple[float, float]]) -> list[Flag]:
    """Each at the lowest place that covers no words; the top row takes what is left over."""
    placed: list[Flag] = []
    for pole, width in wanted:
        choices = _choices(pole, width)
        free = (c for c in choices if not any(_covers(c, other) for other in placed))
        placed.append(next(free, choices[-1]))
    return placed


def _choices(pole: float, width: float) -> list[Flag]:
    """Both sides in every row, but none that leaves the plot where the other side has room."""
    right = (pole, pole + width)
    left = (pole - width, pole)
    sides = [side for side in (right, left) if side[0] >= -LEFT_ROOM and side[1] <= 1]
    if not sides:
        sides = [(max(0.0, 1.0 - width), 1.0)]
    return [Flag(pole, *side, row) for row, side in product(range(ROWS_MAX), sides)]


def _clash(one: Flag, other: Flag) -> bool:
    return _covers(one, other) or _crosses(one, other) or _crosses(other, one)


def _covers(one: Flag, other: Flag) -> bool:
    apart = one.ends + GAP < other.begins or other.ends + GAP < one.begins
    return one.row == other.row and not apart


def _crosses(pole: Flag, words: Flag) -> bool:
    """The pole runs up through words that stand lower than its own."""
    inside = words.begins - GAP / 2 < pole.pole < words.ends + GAP / 2
    return inside and words.row <= pole.row
