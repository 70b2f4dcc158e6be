"""How fast a fake cluster's reassignments copy, and what Kafka does when one is done.

The surprising truth it imitates: a throttle is two halves. A broker's rate binds only replicas that
the topic's list names; a listed replica without a rate, or a rate without a list, slows nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.fakes.parts import FakeBroker, FakeMove, FakePartition

LEADER_RATE = "leader.replication.throttled.rate"
FOLLOWER_RATE = "follower.replication.throttled.rate"
LEADER_LIST = "leader.replication.throttled.replicas"
FOLLOWER_LIST = "follower.replication.throttled.replicas"

Configs = Mapping[str, str]


class Copy(NamedTuple):
    """One replica on its way from the leader to a broker that is being added."""

    partition: FakePartition
    move: FakeMove
    source: int
    destination: int

    @property
    def remaining_bytes(self) -> float:
        return max(0.0, self.partition.size_bytes - self.move.copied.get(self.destination, 0))


def running_copies(
    partitions: Iterable[FakePartition], brokers: Mapping[int, FakeBroker]
) -> list[Copy]:
    """Copies that make progress: from a leader, to a living broker not yet in sync."""
    return [
        Copy(partition, partition.move, partition.leader, broker_id)
        for partition in partitions
        if partition.move and partition.leader is not None
        for broker_id in partition.move.adding
        if broker_id not in partition.isr and broker_id in brokers and brokers[broker_id].copies
    ]


def rates_of(
    copies: list[Copy],
    *,
    broker_configs: Mapping[int, Configs],
    topic_configs: Mapping[str, Configs],
    unthrottled_bytes_per_second: float,
) -> list[float]:
    """Bytes per second of each copy; those bound by the same limit share it evenly."""

    def limits(copy: Copy) -> tuple[tuple[str, int, float], ...]:
        topic = topic_configs.get(copy.partition.topic, {})
        out = _limit(copy.source, copy, broker_configs, topic, LEADER_RATE, LEADER_LIST)
        into = _limit(copy.destination, copy, broker_configs, topic, FOLLOWER_RATE, FOLLOWER_LIST)
        found = [limit for limit in (out, into) if limit]
        return tuple(found) or (("wire", copy.destination, unthrottled_bytes_per_second),)

    bound = [limits(copy) for copy in copies]
    sharers = Counter((kind, broker) for one in bound for kind, broker, _ in one)
    return [min(rate / sharers[kind, broker] for kind, broker, rate in one) for one in bound]


def _limit(
    broker_id: int,
    copy: Copy,
    brokers: Mapping[int, Configs],
    topic: Configs,
    rate: str,
    listed: str,
) -> tuple[str, int, float] | None:
    entries = topic.get(listed, "").split(",")
    named = f"{copy.partition.partition}:{broker_id}" in entries or "*" in entries
    value = brokers.get(broker_id, {}).get(rate)
    return (rate, broker_id, float(value)) if named and value else None


def arrive(partition: FakePartition, broker_id: int) -> None:
    """A copy is complete: in sync; when it was the last one, the reassignment ends."""
    partition.isr = (*partition.isr, broker_id)
    finish_if_complete(partition)


def finish_if_complete(partition: FakePartition) -> None:
    """Removed replicas go; the leader stays unless it is one of those."""
    move = partition.move
    if move is None or not set(move.adding) <= set(partition.isr):
        return
    partition.replicas = move.target
    partition.isr = tuple(b for b in move.target if b in partition.isr)
    partition.move = None
    if partition.leader not in partition.isr:
        partition.leader = partition.isr[0] if partition.isr else None
