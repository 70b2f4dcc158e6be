"""How fast every partition is written, in windows of equal length that follow one another.

The surprising truth: only partitions that some consumer group committed on are known here, since their
ends are what the scan reads. A topic nobody reads cannot be seen to be uneven.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from changes.lag import TopicPartition
from watch.lag_history import SCANS, LagHistory

Rates = tuple[float, ...]
"""Messages a second in each window, oldest first."""


def produce_rates(
    lag: LagHistory, *, window_seconds: float, windows: int
) -> Mapping[str, Mapping[int, Rates]] | None:
    """Topic → partition → rates; partitions with a gap are left out. None = too little history."""
    times = boundaries(lag.times, window_seconds=window_seconds, windows=windows)
    if times is None or times[0] < lag.unbroken_from:
        return None
    columns = [lag.ends_since(at) for at in times]
    found: dict[str, dict[int, Rates]] = {}
    for (topic, partition), slot in places(lag).items():
        ends = [column[slot] if slot < len(column) else -1 for column in columns]
        if min(ends) >= 0:
            found.setdefault(topic, {})[partition] = slopes(times, ends)
    return found


def places(lag: LagHistory) -> Mapping[TopicPartition, int]:
    """Where each partition stands in a column of ends."""
    of_entry = lag.partition_slots
    found: dict[TopicPartition, int] = {}
    for group in lag.groups():
        for partition, entry in lag.slots(group).items():
            found[partition] = of_entry[entry]
    return found


def boundaries(
    times: Sequence[float], *, window_seconds: float, windows: int
) -> tuple[float, ...] | None:
    """Moments of scans that bound the windows, the newest last; None = not enough of them.

    Scans that follow each other so fast that all that are kept are shorter get shorter windows.
    """
    if len(times) >= SCANS:
        window_seconds = min(window_seconds, (times[-1] - times[0]) / windows)
    if not times or times[-1] - times[0] < windows * window_seconds - window_seconds / 4:
        return None
    wanted = [times[-1] - window_seconds * back for back in range(windows, 0, -1)]
    found = [*(times[bisect_left(times, at)] for at in wanted), times[-1]]
    rising = all(a < b for a, b in pairwise(found))
    return tuple(found) if rising else None


def slopes(times: Sequence[float], values: Sequence[float]) -> Rates:
    """Per second between neighbours."""
    points = zip(times, values, strict=True)
    return tuple((b - a) / (t - s) for (s, a), (t, b) in pairwise(points))


def stands_out(
    value: float, others: Sequence[float], *, times_others: float, share_factor: float, z_min: float
) -> bool:
    """Is one value of n far beyond the rest? By share, by the median of the others, and from eight
    on by the robust z-score, which for fewer can never grow large enough to mean anything."""
    n = len(others) + 1
    total = value + sum(others)
    if not others or total <= 0 or value < times_others * median(others):
        return False
    if value / total < min(share_factor / n, 1.0):
        return False
    if n < 8:
        return True
    middle = median([value, *others])
    spread = median([abs(one - middle) for one in (value, *others)])
    return spread == 0 or 0.6745 * (value - middle) / spread >= z_min
