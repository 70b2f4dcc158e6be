"""A watch over fakes: a cluster and its consumer groups in memory, and a hand on both clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from changes.lag import LagScan, Member, TopicPartition
from changes.ports import Unreachable
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.kafka import FakeKafka
from tests.fakes.metrics import FakeMetrics
from tests.fakes.msk import FakeMsk
from tests.fakes.offsets import FakeOffsets

TOPIC, GROUP, PARTITIONS = "orders", "payments", 4
PER_SECOND = 10.0


class Listened(FakeOffsets):
    """Falls silent with the cluster's Kafka, or one call of it alone; keeps what it was asked."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__(clock=cluster.clock)
        self.cluster = cluster
        self.asked: list[tuple[str, object]] = []

    async def scan(self) -> LagScan:
        self._heard("scan")
        return await super().scan()

    async def members(self, *, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...] | str]:
        self._heard("members", tuple(groups))
        return await super().members(groups=groups)

    async def offsets_at(
        self, *, moment: datetime, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._heard("offsets_at", round((self.clock() - moment).total_seconds()))
        return await super().offsets_at(moment=moment, partitions=partitions)

    async def committed_ends(
        self, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._heard("committed_ends", tuple(partitions))
        return await super().committed_ends(partitions=partitions)

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.asked if name == call)

    def _heard(self, call: str, about: object = None) -> None:
        self.asked.append((call, about))
        if {"kafka", call} & self.cluster.silent:
            name = self.cluster.ref.name
            raise Unreachable(f"{call} of {name}: no answer (the test wants it so)")


@dataclass(frozen=True)
class FakePorts:
    msk: FakeMsk
    kafka: FakeKafka
    metrics: FakeMetrics
    offsets: Listened


class Tower:
    """The fakes together; `mono` goes with the clock unless the wall clock alone is set."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(
            clock=self.clock, name="orders-lab", environment="lab", canaries=False
        )
        self.offsets = Listened(self.cluster)
        self.mono = 1000.0
        self.opened = 0
        self.closed = 0
        self.offsets.topic(TOPIC, partitions=PARTITIONS, end=1000)
        member = Member("m-1", "app-1", "/10.0.0.1", tuple((TOPIC, n) for n in range(PARTITIONS)))
        self.offsets.group(GROUP, members=[member])
        self.offsets.follow(GROUP, TOPIC)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakePorts]:
        if "opening" in self.cluster.silent:
            raise Unreachable("reading bootstrap brokers of orders-lab: no answer")
        self.opened += 1
        try:
            yield FakePorts(
                self.cluster.msk, self.cluster.kafka, self.cluster.metrics, self.offsets
            )
        finally:
            self.closed += 1

    def pass_time(self, seconds: float, *, reading: bool = True) -> None:
        """Records arrive on every partition; living groups read them, or not."""
        self.mono += seconds
        self.cluster.advance(seconds)
        for topic, partition in self.offsets.logs:
            self.offsets.produce(topic, partition, round(seconds * PER_SECOND))
        for name, group in self.offsets.groups.items():
            if reading and group.state == "Stable":
                for topic, partition in list(group.committed):
                    end = self.offsets.logs[topic, partition].end
                    self.offsets.commit(name, topic, partition, end)

    def join(self, name: str, *, at: int = 1000, state: str = "Stable") -> None:
        """Another group, which committed once on the first partition."""
        self.offsets.group(name, state=state)
        self.offsets.commit(name, TOPIC, 0, at)

    def leave(self) -> None:
        """The members of the group are gone."""
        self.offsets.groups[GROUP].state = "Empty"

    def come_back(self) -> None:
        self.offsets.groups[GROUP].state = "Stable"

    def set_clock(self, seconds: float) -> None:
        """Only the wall clock."""
        self.clock.advance(seconds)
