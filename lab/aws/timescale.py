"""Where the ticks of a time axis stand: on round times of the reader's zone, a handful of them."""

from __future__ import annotations

import datetime as dt

TICKS_MAX = 5
_STEPS_SECONDS = (
    5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800,
    3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
)  # fmt: skip


def ticks(start: float, end: float, zone: dt.timezone) -> list[tuple[float, str]]:
    """(moment, text) of each tick between start and end."""
    step = next(
        (each for each in _STEPS_SECONDS if (end - start) / each <= TICKS_MAX),
        (end - start) / TICKS_MAX,
    )
    ahead = zone.utcoffset(None).total_seconds()
    pattern = _pattern(step, span=end - start)
    first = (start + ahead) // step * step - ahead
    moments = (first + index * step for index in range(TICKS_MAX + 2))
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
