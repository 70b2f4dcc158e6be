"""What every change that moves replicas has in common: placement, order, impact, preconditions.

Changes call these with their own placement; none of them knows which change asked. Cost and the
waiting for MSK are added by the change itself, since moving replicas alone costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from changes.facts import ClusterFacts
from changes.moves import ReplicaMove
from changes.placement.batches import batches, peak_disk_bytes
from changes.placement.bounds import lower_bound_bytes
from changes.placement.measure import Metrics, measure
from changes.placement.model import Broker, Partition, Placement
from changes.plan import Impact
from changes.preconditions import (
    BrokersAre,
    DataIsAbout,
    MskIsUnchanged,
    Precondition,
    ReplicasAre,
)
from changes.preconditions_placement import no_new_throttles, topics_are
from changes.steps import Step
from changes.steps_leaders import ElectLeaders
from changes.steps_replicas import MoveReplicas
from changes.steps_throttles import RemoveThrottles
from changes.verdict import ExecutionLimits

GIB = 1024**3


def move_steps(moves: tuple[ReplicaMove, ...], limits: ExecutionLimits) -> tuple[Step, ...]:
    """Move, hand leadership over, leave no throttle behind."""
    rate = limits.throttle_bytes_per_second
    return (
        MoveReplicas(
            moves=moves,
            throttle_bytes_per_second=rate,
            partitions_per_call=min(10, limits.partitions_per_call),
            partitions_in_flight=limits.partitions_in_flight,
            cpu_percent_max=limits.cpu_percent_max,
            disk_used_percent_max=limits.disk_used_percent_max,
            lag_gate=limits.lag_gate,
        ),
        ElectLeaders(
            partitions=tuple((m.topic, m.partition) for m in moves),
            leaders_before=tuple(m.before[0] for m in moves),
        ),
        RemoveThrottles(moves=moves, throttle_bytes_per_second=rate),
    )


def placement_of(facts: ClusterFacts, new: Mapping[int, str]) -> Placement:
    capacity = (facts.msk.volume_gib or 0) * GIB
    old = [Broker(b.broker_id, b.rack, capacity) for b in facts.brokers]
    added = [Broker(i, rack, capacity) for i, rack in new.items()]
    partitions = tuple(
        Partition(p.topic, p.partition, p.replicas, p.size_bytes) for p in facts.planned_partitions
    )
    return Placement(brokers=(*old, *added), partitions=partitions)


Order = tuple[tuple[int, ...], ...]
"""Positions of partitions, one tuple for every call. Worked out once: it is the dearest part of a plan."""


def call_order(
    before: Placement, after: tuple[tuple[int, ...], ...], limits: ExecutionLimits
) -> Order:
    return batches(before, after, partitions_per_call=limits.partitions_per_call)


def ordered_moves(
    before: Placement, after: tuple[tuple[int, ...], ...], order: Order
) -> tuple[ReplicaMove, ...]:
    return tuple(
        ReplicaMove(
            topic=before.partitions[i].topic,
            partition=before.partitions[i].partition,
            before=before.partitions[i].replicas,
            after=after[i],
            size_bytes=before.partitions[i].size_bytes,
        )
        for batch in order
        for i in batch
    )


def impact_of(
    facts: ClusterFacts,
    before: Placement,
    after: tuple[tuple[int, ...], ...],
    limits: ExecutionLimits,
    *,
    order: Order,
) -> Impact:
    """What moving from one placement to the other means, as numbers."""
    metrics = measure(before, after)
    low, high = copying_seconds(metrics, len(order), limits)
    return Impact(
        bytes_moved=metrics.moved_bytes,
        bytes_lower_bound=lower_bound_bytes(before),
        replicas_moved=metrics.replicas_moved,
        leaders_changed=metrics.leader_changes,
        partitions_touched=metrics.partitions_touched,
        batches=len(order),
        throttle_bytes_per_second=limits.throttle_bytes_per_second,
        bytes_in_per_broker=metrics.in_bytes,
        bytes_out_per_broker=metrics.out_bytes,
        peak_disk_bytes_per_broker=peak_disk_bytes(
            before, after, order, in_flight=limits.partitions_in_flight
        ),
        duration_seconds_low=low,
        duration_seconds_high=high,
        risk=risk_of(facts, metrics),
    )


def copying_seconds(metrics: Metrics, calls: int, limits: ExecutionLimits) -> tuple[float, float]:
    """From "every broker copies at the throttle" to "at half of it, one batch after another"."""
    loads = (*metrics.in_bytes.values(), *metrics.out_bytes.values())
    copying = max(loads, default=0) / limits.throttle_bytes_per_second
    polling = calls * limits.poll_seconds
    return max(copying, polling / 2), 2 * copying + 2 * polling


def risk_of(facts: ClusterFacts, metrics: Metrics) -> Literal["low", "medium", "high"]:
    """Fragile now = high; much to move = medium."""
    if any(p.leader is None or p.under_replicated for p in facts.partitions):
        return "high"
    total = sum(p.size_bytes * len(p.replicas) for p in facts.partitions)
    return "medium" if metrics.moved_bytes > total / 10 else "low"


def preconditions_of(
    facts: ClusterFacts, moves: tuple[ReplicaMove, ...]
) -> tuple[Precondition, ...]:
    by_topic: dict[str, int] = {}
    for move in moves:
        by_topic[move.topic] = by_topic.get(move.topic, 0) + move.size_bytes
    return (
        MskIsUnchanged(
            current_version=facts.msk.current_version,
            broker_count=facts.msk.broker_count,
            instance_type=facts.msk.instance_type,
            kafka_version=facts.msk.kafka_version,
            volume_gib=facts.msk.volume_gib,
            az_ids=facts.msk.az_ids,
            rebalancing=facts.msk.rebalancing,
        ),
        BrokersAre(racks={b.broker_id: b.rack for b in facts.brokers}),
        ReplicasAre(replicas={m.key: m.before for m in moves}),
        DataIsAbout(bytes_by_topic=by_topic, partitions=tuple(m.key for m in moves)),
        topics_are(facts, touched=by_topic),
        no_new_throttles(facts.throttles),
    )
