"""Which replicas to throttle while they move, and how everything is put back.

Rules (rebalancing handbook, lessons 2, 4 and 7): list only replicas that really move, never `*`;
the source is the partition's leader, since replicas are read from it; remember what was set before
and restore that; list sets are appended and subtracted, so that others' entries stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from changes.facts import BrokerRates, Partition, ReplicaLists, Throttles
from changes.moves import ReplicaMove
from changes.ports import Json

BEFORE = "throttles_before"
"""Where a run remembers what was set before it set anything."""


def wanted_lists(
    moves: Iterable[ReplicaMove], partitions: Mapping[str, Partition]
) -> dict[str, ReplicaLists]:
    """Throttled replicas per topic for moves in flight: leaders as sources, new ones as followers."""
    wanted: dict[str, ReplicaLists] = {}
    for move in moves:
        if not move.adding:
            continue
        partition = partitions.get(move.key)
        # Broker 0 is a broker: only None means that nobody leads.
        leader = None if partition is None else partition.leader
        source = move.before[0] if leader is None else leader
        lists = wanted.get(move.topic, ReplicaLists())
        wanted[move.topic] = ReplicaLists(
            leader=(*lists.leader, f"{move.partition}:{source}"),
            follower=(*lists.follower, *(f"{move.partition}:{b}" for b in move.adding)),
        )
    return wanted


def missing_lists(
    wanted: Mapping[str, ReplicaLists], present: Throttles
) -> dict[str, ReplicaLists]:
    """What has to be appended; topics with nothing missing are left out."""
    return {
        topic: lists
        for topic, wish in wanted.items()
        if (lists := minus(wish, present.topics.get(topic, ReplicaLists()))) != ReplicaLists()
    }


def leftover_lists(
    moves: Iterable[ReplicaMove], present: Throttles, before: Throttles
) -> dict[str, ReplicaLists]:
    """Entries of these moves that are set now and were not set before we came."""
    ours: dict[str, ReplicaLists] = {}
    for move in moves:
        entries = tuple(f"{move.partition}:{b}" for b in sorted({*move.before, *move.after}))
        lists = ours.get(move.topic, ReplicaLists())
        ours[move.topic] = ReplicaLists(
            leader=(*lists.leader, *entries), follower=(*lists.follower, *entries)
        )
    found = {}
    for topic, lists in ours.items():
        now = present.topics.get(topic, ReplicaLists())
        mine = both(lists, minus(now, before.topics.get(topic, ReplicaLists())))
        if mine != ReplicaLists():
            found[topic] = mine
    return found


def rates_to_set(
    brokers: Iterable[int], bytes_per_second: int, present: Throttles
) -> dict[int, BrokerRates]:
    """Rates of the brokers taking part that are not as wanted (unset, or changed by somebody)."""
    wanted = BrokerRates(
        leader_bytes_per_second=bytes_per_second, follower_bytes_per_second=bytes_per_second
    )
    return {b: wanted for b in brokers if present.brokers.get(b) != wanted}


def rates_to_restore(
    brokers: Iterable[int], present: Throttles, before: Throttles
) -> dict[int, BrokerRates]:
    """Back to what each broker had, unset where nothing was set."""
    unset = BrokerRates()
    return {
        b: before.brokers.get(b, unset)
        for b in brokers
        if present.brokers.get(b, unset) != before.brokers.get(b, unset)
    }


def minus(these: ReplicaLists, those: ReplicaLists) -> ReplicaLists:
    return ReplicaLists(
        leader=tuple(e for e in these.leader if e not in those.leader),
        follower=tuple(e for e in these.follower if e not in those.follower),
    )


def both(these: ReplicaLists, those: ReplicaLists) -> ReplicaLists:
    return ReplicaLists(
        leader=tuple(e for e in these.leader if e in those.leader),
        follower=tuple(e for e in these.follower if e in those.follower),
    )


def remembered(memory: Mapping[str, Json]) -> Throttles:
    """The throttles that were set before this run touched any."""
    return Throttles.model_validate(memory.get(BEFORE) or {})
