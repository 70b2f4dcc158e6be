"""A watch over fakes: a cluster in memory, groups whose offsets the test writes, a hand on both clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from changes.lag import GroupRead, LagScan, Member, TopicPartition
from changes.ports import Unreachable
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.kafka import FakeKafka
from tests.fakes.metrics import FakeMetrics
from tests.fakes.msk import FakeMsk

STABLE, EMPTY = "Stable", "Empty"
SECONDS_AGO_MAX = 86_400.0


@dataclass
class Group:
    """One consumer group: what it committed, and how Kafka calls it."""

    committed: dict[TopicPartition, int] = field(default_factory=dict)
    state: str = STABLE
    members: tuple[Member, ...] = ()


@dataclass
class HandOffsets:
    """The Offsets port over offsets that the test sets; `ages` makes records as old as it says."""

    cluster: FakeCluster
    groups: dict[str, Group] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=dict)
    per_second: float = 10.0
    """Records a second on every partition, for probes by time."""
    calls: list[tuple[str, object]] = field(default_factory=list)

    def _called(self, call: str, about: object = None) -> None:
        self.calls.append((call, about))
        if {"kafka", "offsets", call} & self.cluster.silent:
            raise Unreachable(
                f"{call} of {self.cluster.ref.name}: no answer (the test wants it so)"
            )

    async def scan(self) -> LagScan:
        self._called("scan")
        return LagScan(
            at=self.cluster.clock(),
            groups={
                name: GroupRead(
                    state=one.state, kind="classic", coordinator=1, committed=dict(one.committed)
                )
                for name, one in self.groups.items()
            },
            ends=dict(self.ends),
            starts=dict.fromkeys(self.ends, 0),
            requests=7,
        )

    async def members(self, *, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...] | str]:
        self._called("members", tuple(groups))
        return {name: self.groups[name].members for name in groups}

    async def offsets_at(
        self, *, moment: datetime, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        age = (self.cluster.clock() - moment).total_seconds()
        self._called("offsets_at", (round(age), tuple(partitions)))
        return {one: max(0, self.ends[one] - round(age * self.per_second)) for one in partitions}

    async def committed_ends(
        self, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._called("committed_ends", tuple(partitions))
        return {one: self.ends[one] for one in partitions}

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)

    def flow(self, seconds: float, *, reading: bool = True) -> None:
        """Records arrive everywhere; groups read them, or not."""
        records = round(seconds * self.per_second)
        for place in self.ends:
            self.ends[place] += records
        for group in self.groups.values():
            if reading and group.state == STABLE:
                group.committed = {place: self.ends[place] for place in group.committed}


@dataclass(frozen=True)
class FakePorts:
    msk: FakeMsk
    kafka: FakeKafka
    metrics: FakeMetrics
    offsets: HandOffsets


class Tower:
    """The fakes together; `mono` goes with the clock unless the wall clock alone is set."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(
            clock=self.clock, name="orders-lab", environment="lab", canaries=False
        )
        self.offsets = HandOffsets(self.cluster)
        self.mono = 1000.0
        self.opened = 0
        self.closed = 0
        for partition in range(4):
            self.offsets.ends["orders", partition] = 1000
        self.offsets.groups["payments"] = Group(
            {("orders", partition): 1000 for partition in range(4)},
            members=(Member("m-1", "app-1", "/10.0.0.1", (("orders", 0), ("orders", 1))),),
        )

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
        self.mono += seconds
        self.cluster.advance(seconds)
        self.offsets.flow(seconds, reading=reading)

    def set_clock(self, seconds: float) -> None:
        """Only the wall clock."""
        self.clock.advance(seconds)
