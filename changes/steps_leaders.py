"""Shared step: give partitions their preferred leaders.

Moving replicas does not move leadership where the old leader stays a replica, so new brokers would
carry data and no traffic (rebalancing handbook, lesson 17). Elections are capped per act, since each
one makes clients of that partition reconnect.
"""

from __future__ import annotations

from typing import ClassVar

from changes.facts import Partition
from changes.ports import World
from changes.steps import Acted, Finished, Look, NotStarted, Step, TryAgain, Underway

ELECTIONS_PER_ACT_MAX = 100
"""Leaderships handed over in one request; Cruise Control's cap is 1,000, clients like less."""


class ElectLeaders(Step):
    permissions: ClassVar[tuple[str, ...]] = (
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeCluster",
        "kafka-cluster:AlterCluster",
    )

    partitions: tuple[tuple[str, int], ...]
    """The partitions the change touched; others' leaders are not our business."""
    leaders_before: tuple[int, ...]
    """Preferred leader of each before the change, in the same order."""

    def title(self) -> str:
        return "Elect preferred leaders"

    async def look(self, world: World) -> Look:
        touched = await self._touched(world)
        wrong = [p for p in touched if p.leader != p.replicas[0]]
        if not wrong:
            return Finished(
                note="every partition is led by its preferred leader",
                memory={"leaders_changed": self._changed(touched)},
            )
        waiting = [p for p in wrong if p.replicas[0] not in p.isr]
        if len(waiting) == len(wrong):
            return Underway(hold=f"preferred leader of {waiting[0].key} is not in sync yet")
        return NotStarted()

    async def act(self, world: World) -> Acted:
        ready = [
            (p.topic, p.partition)
            for p in await self._touched(world)
            if p.leader != p.replicas[0] and p.replicas[0] in p.isr
        ]
        refused = await world.kafka.elect_preferred_leaders(
            partitions=ready[:ELECTIONS_PER_ACT_MAX]
        )
        if not refused:
            return {}
        (topic, number), words = next(iter(refused.items()))
        return TryAgain(words=f"Kafka refused the election for {topic}-{number}: {words}")

    async def _touched(self, world: World) -> list[Partition]:
        ours = set(self.partitions)
        found = await world.kafka.partitions()
        return [p for p in found if (p.topic, p.partition) in ours]

    def _changed(self, touched: list[Partition]) -> int:
        before = dict(zip(self.partitions, self.leaders_before, strict=True))
        return sum(p.leader != before[(p.topic, p.partition)] for p in touched)
