"""How fast one group reads every partition of a topic, and which of them it reads too slowly.

The surprising truth: a slow reader and a hot key look alike from the lag alone. Only when its siblings
are written alike is the reader to blame.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from changes.lag import Member, TopicPartition
from watch.lag_history import LagHistory
from watch.partition_rates import Rates, boundaries, slopes


def worst_by_topic(lag: LagHistory, group: str) -> Mapping[str, tuple[int, int]]:
    """Topic → the partition furthest behind, and by how much."""
    committed, ends, _ = lag.newest()
    place = lag.partition_slots
    found: dict[str, tuple[int, int]] = {}
    for (topic, partition), entry in lag.slots(group).items():
        if entry >= len(committed) or place[entry] >= len(ends) or committed[entry] < 0:
            continue
        behind = ends[place[entry]] - committed[entry]
        if behind > found.get(topic, (0, 0))[1]:
            found[topic] = (partition, behind)
    return found


def consume_rates(
    lag: LagHistory, group: str, topic: str, *, window_seconds: float, windows: int
) -> Mapping[int, Rates]:
    """Messages a second this group committed, by partition; those with gaps are left out."""
    times = boundaries(lag.times, window_seconds=window_seconds, windows=windows)
    found: dict[int, Rates] = {}
    for name, partition in lag.entries(group):
        if name != topic or times is None:
            continue
        committed = {one.at: one.committed for one in lag.samples(group, topic, partition)}
        values = [committed.get(at, -1) for at in times]
        if min(values) >= 0:
            found[partition] = slopes(times, values)
    return found


def reads_slowly(
    partition: int,
    read: Mapping[int, Rates],
    produced: Mapping[int, Rates],
    *,
    times_others: float,
) -> bool:
    """In every window: it moves, falls behind, its siblings move so many times as fast, and it is
    not the one that is written so many times as fast."""
    if partition not in read or partition not in produced or len(read) < 2:
        return False
    for window, own in enumerate(read[partition]):
        written = produced[partition][window]
        others = median(rate[window] for one, rate in read.items() if one != partition)
        wrote = median(rate[window] for one, rate in produced.items() if one != partition)
        if not 0 < own <= others / times_others or written <= own:
            return False
        if written >= times_others * wrote:
            return False
    return True


def owner_of(partition: TopicPartition, members: tuple[Member, ...]) -> str:
    """`client on host`; empty where nobody is known to own it."""
    for one in members:
        if partition in one.owns:
            return f"{one.client_id} on {one.host}"
    return ""
