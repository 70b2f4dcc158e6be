"""What of a scan is worth asking more about: who lags, where commits stand still, which ages to probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from changes.lag import LagScan, TopicPartition

DAY_SECONDS = 86_400.0
RUNGS_MAX = 12
"""One is probed a scan: with more, the oldest answers would be too old to be of use."""


def of_groups(scan: LagScan, watched: Callable[[str], bool]) -> LagScan:
    """The scan without the groups that settings leave out."""
    return replace(
        scan,
        groups={name: group for name, group in scan.groups.items() if watched(name)},
        missing_groups=frozenset(filter(watched, scan.missing_groups)),
    )


def lagging(scan: LagScan) -> tuple[TopicPartition, ...]:
    """The distinct partitions on which any group has something to read."""
    ends = scan.ends
    found = {
        place
        for group in scan.groups.values()
        for place, offset in group.committed.items()
        if offset >= 0 and ends.get(place, offset) > offset
    }
    return tuple(sorted(found))


def standing(before: LagScan | None, scan: LagScan) -> tuple[TopicPartition, ...]:
    """Partitions with something to read on which some group committed nothing since the last scan."""
    if before is None:
        return ()
    found = set()
    for name, group in scan.groups.items():
        known = before.groups.get(name)
        if known is not None:
            found |= {
                place
                for place, offset in group.committed.items()
                if offset >= 0
                and scan.ends.get(place, offset) > offset
                and known.committed.get(place) == offset
            }
    return tuple(sorted(found))


def ladder(slo_seconds: Iterable[float]) -> tuple[float, ...]:
    """Ages worth probing: each SLO first, then half of it, six of it, and a day."""
    slos = sorted({float(one) for one in slo_seconds})
    rungs = [*slos, *(one / 2 for one in slos), *(6 * one for one in slos), DAY_SECONDS]
    return tuple(dict.fromkeys(one for one in rungs if one <= DAY_SECONDS))[:RUNGS_MAX]
