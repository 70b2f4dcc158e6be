"""Three hours of measured points, in memory and bounded.

A point that was never measured does not exist: a dead broker leaves a gap, not zeros. One metric
may hold several points of the same moment (each broker's share of a cluster-wide one).
"""

from __future__ import annotations

import logging
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

RETENTION_SECONDS = 3 * 3_600
SERIES_MAX = 5_000
# Old points are cut in slices, because cutting one by one copies the array each time.
_SLACK_SECONDS = 600


@dataclass(frozen=True)
class Metric:
    """The full name of a series; dimensions are sorted, so equal names compare equal."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
    return Metric(namespace, name, tuple(sorted(dimensions.items())))


@dataclass
class _Points:
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))


class SeriesStore:
    """All series, each a pair of arrays in time order."""

    def __init__(self, *, retention_seconds: float = RETENTION_SECONDS) -> None:
        self._retention = retention_seconds
        self._series: dict[Metric, _Points] = {}

    def add(self, name: Metric, *, at: float, value: float) -> None:
        """One measured point; times never go back."""
        points = self._series.get(name)
        if points is None:
            points = self._new(name)
        if points is None or (points.times and at < points.times[-1]):
            return
        points.times.append(at)
        points.values.append(value)
        if points.times[0] < at - self._retention - _SLACK_SECONDS:
            _cut(points, before=at - self._retention)

    def _new(self, name: Metric) -> _Points | None:
        if len(self._series) >= SERIES_MAX:
            log.warning("%d series are kept already; %s is not recorded", SERIES_MAX, name)
            return None
        return self._series.setdefault(name, _Points())

    def forget_silent(self, *, now: float) -> None:
        """Drop series whose last point is older than the retention."""
        for name, points in list(self._series.items()):
            if points.times[-1] < now - self._retention:
                del self._series[name]

    def names(self) -> Iterable[Metric]:
        return self._series.keys()

    def last_at(self, name: Metric) -> float:
        return self._series[name].times[-1]

    def between(
        self, name: Metric, *, start: float, end: float
    ) -> tuple[Sequence[float], Sequence[float]]:
        """Times and values with start ≤ time < end; empty when nothing was measured."""
        points = self._series.get(name)
        if points is None:
            return (), ()
        first, last = bisect_left(points.times, start), bisect_left(points.times, end)
        return points.times[first:last], points.values[first:last]


def _cut(points: _Points, *, before: float) -> None:
    index = bisect_left(points.times, before)
    del points.times[:index]
    del points.values[:index]
