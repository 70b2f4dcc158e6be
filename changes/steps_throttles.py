"""What steps that move replicas share, and the step that leaves no throttle behind.

Rates and lists are put back as they were before this run. Where nothing was ever set by us, nothing is
taken away either: it is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from changes.moves import ReplicaMove
from changes.ports import Json, World
from changes.steps import Acted, Finished, Look, NotStarted, Step, Underway
from changes.throttling import BEFORE, leftover_lists, rates_to_restore, remembered

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

    async def living(self, world: World) -> tuple[int, ...]:
        """Those of our brokers that Kafka knows now; asking the others would only time out."""
        known = {broker.broker_id for broker in await world.kafka.brokers()}
        return tuple(b for b in self.brokers(world) if b in known)

    async def clear_throttles(self, world: World) -> int:
        """Put every rate and list back as it was before; how many settings were left over."""
        if BEFORE not in world.memory:
            return 0  # nothing was ever set by us, so whatever is set is somebody else's
        before = remembered(world.memory)
        living = await self.living(world)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=living)
        lists = leftover_lists(self.bound(world), present, before)
        rates = rates_to_restore(living, present, before)
        if lists:
            await world.kafka.change_throttled_replicas(add={}, remove=lists)
        if rates:
            await world.kafka.set_broker_rates(rates=rates)
        return len(lists) + len(rates)

    async def untold(self, world: World) -> str:
        """Brokers whose rates cannot be taken away now: they persist, so we wait for them."""
        if BEFORE not in world.memory:
            return ""
        away = sorted(set(self.brokers(world)) - set(await self.living(world)))
        if not away:
            return ""
        names = ", ".join(str(b) for b in away)
        return f"broker {names} is away; its throttle is taken away as soon as it is back"


class RemoveThrottles(ReplicaStep):
    """Zero throttles left behind: every rate and list is as it was before the change."""

    def title(self) -> str:
        return "Remove throttles"

    async def look(self, world: World) -> Look:
        if BEFORE not in world.memory:
            return Finished(note="no throttle was needed")
        before = remembered(world.memory)
        living = await self.living(world)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=living)
        left = leftover_lists(self.bound(world), present, before)
        if left or rates_to_restore(living, present, before):
            return NotStarted()
        if hold := await self.untold(world):
            return Underway(hold=hold)
        return Finished(note="no throttle is left")

    async def act(self, world: World) -> Acted:
        await self.clear_throttles(world)
        return {}
