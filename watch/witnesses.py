"""Which consumer groups CloudWatch is asked about too, as a second witness of the scan.

The surprising truth: CloudWatch has no lag at all of a group whose name holds a colon or anything
beyond ASCII, and none while a group rebalances. And it costs: every pair is a metric paid for with every
question, so only the furthest behind are asked about.
"""

from __future__ import annotations

from heapq import nlargest
from itertools import pairwise

from changes.lag import LagScan
from watch.lag_history import LagHistory

PAIRS_MAX = 50
"""One question of 50 metrics every five minutes is some $4 a month."""


def measured(group: str) -> bool:
    """Whether MSK makes lag metrics of a group with this name (MSK: consumer-lag page)."""
    return group.isascii() and ":" not in group


def pairs_to_ask(scan: LagScan) -> tuple[tuple[str, str], ...]:
    """(group, topic), the furthest behind first, at most `PAIRS_MAX`."""
    behind: dict[tuple[str, str], int] = {}
    for name, group in scan.groups.items():
        if group.error or not measured(name):
            continue
        for partition, committed in group.committed.items():
            end = scan.ends.get(partition)
            if end is not None and committed >= 0:
                pair = (name, partition[0])
                behind[pair] = behind.get(pair, 0) + max(0, end - committed)
    return tuple(nlargest(PAIRS_MAX, behind, key=lambda pair: (behind[pair], pair)))


def lag_between(
    lag: LagHistory, group: str, topic: str, *, since: float, until: float
) -> tuple[int, int] | None:
    """The least and the most lag that a group can have had on a topic in that time; None = unknown.

    Lag is a saw between commits, of which scans see single moments. Between two scans it lies between
    what the later commit leaves of the earlier end, and what the later end adds to the earlier commit.
    """
    least: dict[float, int] = {}
    most: dict[float, int] = {}
    counts: dict[float, int] = {}
    entries = [partition for name, partition in lag.entries(group) if name == topic]
    for partition in entries:
        read = [
            one
            for one in lag.samples(group, topic, partition)
            if one.committed >= 0 and one.end >= 0
        ]
        for one, later in pairwise(read):
            if later.at >= since and one.at <= until:
                at = one.at
                least[at] = least.get(at, 0) + max(0, one.end - later.committed)
                most[at] = most.get(at, 0) + max(0, later.end - one.committed)
                counts[at] = counts.get(at, 0) + 1
    whole = [at for at, count in counts.items() if count == len(entries)]
    if not whole:
        return None
    return min(least[at] for at in whole), max(most[at] for at in whole)
