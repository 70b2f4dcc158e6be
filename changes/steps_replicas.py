"""Shared steps that move replicas: in throttled batches, and the cleaning up after them.

How `MoveReplicas` works, tick by tick:

1. Sort all moves by the cluster's truth: waiting, moving, done (`moves.sort_moves`).
2. A partition somebody else moves or changed holds or breaks the step; gates hold the next batch.
3. Before the first act the throttles that are set now are remembered, so they can be restored.
4. Each act sets the rates that are not as wanted, takes finished partitions off the throttled lists,
   and submits as many moves as there is room for.

Throttle settings are checked on every act: a reconciler of somebody else may delete them mid-move
(rebalancing handbook, lesson 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from changes.facts import Partition
from changes.gates import load_gate, msk_gate, partition_gate
from changes.moves import MovesSeen, ReplicaMove, next_batch, sort_moves
from changes.ports import Json, World
from changes.steps import (
    Acted,
    Broken,
    Finished,
    Look,
    Memory,
    NotStarted,
    Step,
    TryAgain,
    Underway,
)
from changes.throttling import (
    leftover_lists,
    missing_lists,
    rates_to_restore,
    rates_to_set,
    remembered,
    wanted_lists,
)

REPLICA_PERMISSIONS = (
    "kafka-cluster:Connect",
    "kafka-cluster:DescribeCluster",
    "kafka-cluster:AlterCluster",
    "kafka-cluster:DescribeTopic",
    "kafka-cluster:AlterClusterDynamicConfiguration",
    "kafka-cluster:DescribeClusterDynamicConfiguration",
    "kafka-cluster:AlterTopicDynamicConfiguration",
    "kafka-cluster:DescribeTopicDynamicConfiguration",
)


def bound_ids(memory: Mapping[str, Json]) -> dict[int, int]:
    """Provisional id → the id MSK gave, as remembered by the step that waited for the brokers."""
    ids = memory.get("broker_ids")
    if not isinstance(ids, dict):
        return {}
    return {int(provisional): value for provisional, value in ids.items() if isinstance(value, int)}


class ReplicaStep(Step):
    """What moving and cleaning up share: the moves with their real ids, and where they are."""

    permissions: ClassVar[tuple[str, ...]] = REPLICA_PERMISSIONS

    moves: tuple[ReplicaMove, ...]
    throttle_bytes_per_second: int

    def bound(self, world: World) -> tuple[ReplicaMove, ...]:
        ids = bound_ids(world.memory)
        return tuple(move.bound(ids) for move in self.moves)

    def brokers(self, world: World) -> tuple[int, ...]:
        """Every broker that gives or takes bytes."""
        moving = [m for m in self.bound(world) if m.adding]
        return tuple(sorted({b for m in moving for b in (*m.before, *m.after)}))

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(sorted({move.topic for move in self.moves}))

    async def clear_throttles(self, world: World) -> int:
        """Put every rate and list back as it was before; how many settings were left over."""
        before = remembered(world.memory)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=self.brokers(world))
        lists = leftover_lists(self.bound(world), present, before)
        rates = rates_to_restore(self.brokers(world), present, before)
        if lists:
            await world.kafka.change_throttled_replicas(add={}, remove=lists)
        if rates:
            await world.kafka.set_broker_rates(rates=rates)
        return len(lists) + len(rates)


class MoveReplicas(ReplicaStep):
    """Move replicas to their planned places, a few partitions at a time, under a throttle."""

    marks_chart: ClassVar[bool] = True

    partitions_per_call: int
    partitions_in_flight: int
    cpu_percent_max: float
    disk_used_percent_max: float

    def title(self) -> str:
        return f"Move replicas of {len(self.moves)} partitions"

    async def look(self, world: World) -> Look:
        seen, partitions = await self._seen(world)
        if seen.changed:
            return self._changed_by_others(seen)
        if seen.complete:
            return await self._finished(world, seen)
        hold = await self._hold(world, seen, partitions)
        return Underway(
            note=f"{len(seen.done) + len(seen.gone)} of {len(self.moves)} partitions in place, "
            f"{len(seen.moving)} moving",
            done=await self._bytes_done(world, seen),
            total=sum(m.bytes_moved for m in self.moves),
            unit="bytes",
            hold=hold,
            act=not hold and bool(self._batch(seen)),
        )

    async def intend(self, world: World) -> Memory:
        if "throttles_before" in world.memory:
            return {}
        present = await world.kafka.throttles(topics=self.topics, broker_ids=self.brokers(world))
        return {"throttles_before": present.model_dump(mode="json")}

    async def act(self, world: World) -> Acted:
        seen, partitions = await self._seen(world)
        batch = self._batch(seen)
        await self._throttle(world, seen, batch, partitions)
        refused = await world.kafka.reassign(
            targets={(m.topic, m.partition): m.after for m in batch}
        )
        if not refused:
            return {}
        (topic, number), words = next(iter(refused.items()))
        return TryAgain(words=f"Kafka refused to move {topic}-{number}: {words}")

    async def undo(self, world: World) -> Look:
        """Cancel what runs (never where no original replica lives), then clear the throttles."""
        seen, partitions = await self._seen(world)
        by_key = {p.key: p for p in partitions}
        safe = [m for m in seen.moving if set(by_key[m.key].isr) & set(m.before)]
        if safe:
            await world.kafka.reassign(targets={(m.topic, m.partition): None for m in safe})
            return Underway(note=f"cancelling {len(safe)} moves", act=True)
        if seen.moving:
            return Underway(
                hold=f"{len(seen.moving)} moves cannot be cancelled: none of their original "
                "replicas is in sync; waiting for them to finish"
            )
        if await self.clear_throttles(world):
            return Underway(note="throttles removed", act=True)
        return Finished(note=f"{len(seen.done)} partitions stay where they were moved to")

    async def _seen(self, world: World) -> tuple[MovesSeen, Sequence[Partition]]:
        """Running moves are read before metadata: one that ends in between is seen as moving."""
        running = await world.kafka.reassignments()
        partitions = await world.kafka.partitions()
        return sort_moves(self.bound(world), partitions, running), partitions

    def _batch(self, seen: MovesSeen) -> tuple[ReplicaMove, ...]:
        return next_batch(
            seen, per_call=self.partitions_per_call, in_flight_max=self.partitions_in_flight
        )

    def _changed_by_others(self, seen: MovesSeen) -> Broken:
        first = seen.changed[0]
        return Broken(
            words=f"somebody else changed the replicas of {len(seen.changed)} partitions "
            f"while they waited ({first.key} first); {len(seen.done)} were moved before that"
        )

    async def _hold(self, world: World, seen: MovesSeen, partitions: Sequence[Partition]) -> str:
        if seen.foreign:
            return f"{seen.foreign[0].key} is being reassigned by somebody else"
        moving = {m.key for m in seen.moving}
        return (
            msk_gate(await world.msk.describe())
            or partition_gate(partitions, moving=moving)
            or load_gate(
                await world.metrics.loads(broker_ids=self.brokers(world)),
                cpu_percent_max=self.cpu_percent_max,
                disk_used_percent_max=self.disk_used_percent_max,
            )
        )

    async def _bytes_done(self, world: World, seen: MovesSeen) -> float:
        """Finished moves count whole; moves in flight by what has arrived at their destinations."""
        done = sum(m.bytes_moved for m in seen.done)
        targets = {b for m in seen.moving for b in m.adding}
        if not targets:
            return done
        sizes = await world.kafka.replica_sizes(broker_ids=sorted(targets))
        arrived = sum(
            min(m.size_bytes, sizes.get((b, m.topic, m.partition), 0))
            for m in seen.moving
            for b in m.adding
        )
        return done + arrived

    async def _throttle(
        self,
        world: World,
        seen: MovesSeen,
        batch: tuple[ReplicaMove, ...],
        partitions: Sequence[Partition],
    ) -> None:
        brokers = self.brokers(world)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=brokers)
        rates = rates_to_set(brokers, self.throttle_bytes_per_second, present)
        if rates:
            await world.kafka.set_broker_rates(rates=rates)
        wanted = wanted_lists((*seen.moving, *batch), {p.key: p for p in partitions})
        add = missing_lists(wanted, present)
        remove = leftover_lists(seen.done, present, remembered(world.memory))
        if add or remove:
            await world.kafka.change_throttled_replicas(add=add, remove=remove)

    async def _finished(self, world: World, seen: MovesSeen) -> Finished:
        sizes = await world.kafka.replica_sizes()
        moved = sum(
            sizes.get((b, m.topic, m.partition), m.size_bytes) for m in seen.done for b in m.adding
        )
        replicas = sum(len(m.adding) for m in seen.done)
        gone = f"; {len(seen.gone)} were deleted meanwhile" if seen.gone else ""
        return Finished(
            note=f"{len(seen.done)} partitions are in place{gone}",
            memory={"bytes_moved": moved, "replicas_moved": replicas},
        )


class RemoveThrottles(ReplicaStep):
    """Zero throttles left behind: every rate and list is as it was before the change."""

    def title(self) -> str:
        return "Remove throttles"

    async def look(self, world: World) -> Look:
        before = remembered(world.memory)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=self.brokers(world))
        left = leftover_lists(self.bound(world), present, before)
        rates = rates_to_restore(self.brokers(world), present, before)
        if left or rates:
            return NotStarted()
        return Finished(note="no throttle is left")

    async def act(self, world: World) -> Acted:
        await self.clear_throttles(world)
        return {}
