"""Where the ticks of a time axis stand: on round times of the reader's zone, a handful of them."""

from __future__ import annotations

import datetime as dt

TICKS_MAX = 5
LETTER_SHARE = 0.62  # of a font's size, digits and colons on average
TICK_LETTERS = 11  # of "16:12:30" and the space beside it
_STEPS_SECONDS = (
    5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800,
    3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
)  # fmt: skip


def fitting(*, plot_pixels: float, letter_pixels: float) -> int:
    """How many ticks stand beside each other without touching."""
    room = plot_pixels / (letter_pixels * LETTER_SHARE * TICK_LETTERS)
    return max(1, min(TICKS_MAX, int(room)))


def ticks(
    start: float, end: float, zone: dt.timezone, *, most: int = TICKS_MAX
) -> list[tuple[float, str]]:
    """(moment, text) of each tick between start and end."""
    step = next(
        (each for each in _STEPS_SECONDS if (end - start) / each <= most),
        (end - start) / most,
    )
    ahead = zone.utcoffset(None).total_seconds()
    pattern = _pattern(step, span=end - start)
    first = (start + ahead) // step * step - ahead
    moments = (first + index * step for index in range(most + 2))
    return [
        (at, dt.datetime.fromtimestamp(at, zone).strftime(pattern))
        for at in moments
        if start <= at <= end
    ]


def _pattern(step: float, *, span: float) -> str:
    if step < 60:
        return "%H:%M:%S"
    if step >= 86_400:
        return "%d %b"
    return "%H:%M" if span <= 86_400 else "%d %b %H:%M"
