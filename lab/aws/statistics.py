"""Points into buckets, buckets into one number each.

Buckets lie on multiples of the period, not on the start asked for, as on AWS; an empty bucket has
no datapoint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

Statistic = Callable[[Sequence[float]], float]

_SIMPLE: dict[str, Statistic] = {
    "Average": lambda values: math.fsum(values) / len(values),
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
SHORT_PERIODS = (1, 5, 10, 20, 30)


class BadStatistic(Exception):
    """A statistic or period the endpoint cannot compute; its sentence says what it can."""


def statistic(name: str) -> Statistic:
    """The function behind CloudWatch's name for it."""
    if name in _SIMPLE:
        return _SIMPLE[name]
    if matched := _PERCENTILE.fullmatch(name):
        share = float(matched[1]) / 100
        return lambda values: _percentile(sorted(values), share)
    raise BadStatistic(
        f"The lab's CloudWatch has no statistic {name!r}; it has {', '.join(_SIMPLE)} and p0 to p100"
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def check_period(seconds: int) -> int:
    """CloudWatch takes 1, 5, 10, 20, 30 and multiples of 60 seconds."""
    if seconds in SHORT_PERIODS or (seconds > 0 and seconds % 60 == 0):
        return seconds
    raise BadStatistic(
        f"Period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds; {seconds} is none of these"
    )


def bucketed(
    times: Sequence[float], values: Sequence[float], *, period_seconds: int, reduce: Statistic
) -> list[tuple[int, float]]:
    """(bucket start, number) for every bucket that holds a point, oldest first."""
    buckets: dict[int, list[float]] = {}
    for at, value in zip(times, values, strict=True):
        start = int(at // period_seconds) * period_seconds
        buckets.setdefault(start, []).append(value)
    return [(start, reduce(inside)) for start, inside in buckets.items()]
