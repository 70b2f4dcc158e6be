"""One MSK cluster in memory: the truth behind `FakeMsk`, `FakeKafka` and `FakeMetrics`.

Time passes when the clock does: every call first catches up with it, event by event, so a step of
an hour gives the same end as an hour of seconds. Tests bend the truth by the verbs below (`kill`,
`restart`, `start_foreign_reassignment`, …) or by writing to its fields.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from changes.facts import ClusterRef
from changes.ports import Json, Unreachable, World
from tests.fakes.clock import FakeClock
from tests.fakes.copying import arrive, finish_if_complete, rates_of, running_copies
from tests.fakes.kafka import FakeKafka
from tests.fakes.metrics import FakeMetrics
from tests.fakes.msk import FakeMsk
from tests.fakes.parts import FakeBroker, FakeMove, FakeOperation, FakePartition

GB = 1_000_000_000
THREE_AZS = ("use1-az1", "use1-az2", "use1-az4")
TOPICS: Mapping[str, Sequence[int]] = {
    "orders": [4 * GB, 1 * GB, 1 * GB, 2 * GB, 1 * GB, 3 * GB],
    "payments": [GB // 2] * 12,
    "__consumer_offsets": [10_000_000] * 6,
}
"""Bytes of each partition by topic; skewed, as in life."""
SHORTEST_STEP = timedelta(milliseconds=1)


class FakeCluster:
    def __init__(
        self,
        *,
        brokers: int = 3,
        azs: tuple[str, ...] = THREE_AZS,
        topics: Mapping[str, Sequence[int]] | None = None,
        replication_factor: int = 3,
        canaries: bool = True,
        clock: Callable[[], datetime] | None = None,
        name: str = "orders-prod",
        environment: str = "production",
        instance_type: str = "kafka.m5.large",
        volume_gib: int = 1000,
        kafka_version: str = "4.1.x.kraft",
        pending_seconds: float = 5,
        register_seconds: float = 30,
        update_seconds: float = 60,
        unthrottled_bytes_per_second: float = 500_000_000,
    ) -> None:
        self.clock: Callable[[], datetime] = clock or FakeClock()
        self.ref = ClusterRef(
            name=name,
            arn=f"arn:aws:kafka:us-east-1:123456789012:cluster/{name}/0a1b2c3d-1",
            region="us-east-1",
            environment=environment,
        )
        self.azs = azs
        self.instance_type = instance_type
        self.volume_gib = volume_gib
        self.kafka_version = kafka_version
        self.pending_seconds = pending_seconds
        self.register_seconds = register_seconds
        self.update_seconds = update_seconds
        self.unthrottled_bytes_per_second = unthrottled_bytes_per_second

        self.calls: list[tuple[str, ...]] = []
        """Every call of a port: its name, then what was asked, as text."""
        self.silent: set[str] = set()
        """Ports ("msk", "kafka", "metrics") or calls that raise `Unreachable` just now."""
        self.lose_answers: set[str] = set()
        """Calls that have their effect once and then raise `Unreachable` instead of answering."""
        self.stale_partitions = 0
        """How many of the next readings of partitions repeat the one before: a broker's metadata
        trails the controller, so a finished reassignment may still show its removed replicas."""
        self.refusals: list[str] = []
        """Words with which the next updates of MSK are refused, one each."""
        self.operation_error = ""
        """When set, the next operation ends UPDATE_FAILED with this."""

        self.state = "ACTIVE"
        self.version = "K1VERSION0001"
        self._versions = itertools.count(2)
        self.broker_count = brokers
        self.operations: list[FakeOperation] = []
        self.brokers: dict[int, FakeBroker] = {}
        for broker_id in range(1, brokers + 1):
            self.register(broker_id)
        self.broker_configs: dict[int, dict[str, str]] = {}
        self.topic_configs: dict[str, dict[str, str]] = {}
        self.msk_says: dict[str, object] = {}
        """Fields of MSK's description that are not as this truth would have them."""
        self.disk_used_percent: dict[int, float] = {}
        """Overrides per broker; else from what it holds."""
        self.cpu_percent: dict[int, float | None] = {}
        """Overrides per broker; None = CloudWatch has no datapoint. Default 25 %."""
        self.bytes_in_per_second_per_leader = 200_000.0
        self.partitions: dict[tuple[str, int], FakePartition] = {}
        for topic, sizes in (TOPICS if topics is None else topics).items():
            self.add_topic(topic, sizes=sizes, replication_factor=replication_factor)
        if canaries:
            sizes = [100_000] * brokers
            self.add_topic("__amazon_msk_canary", sizes=sizes, replication_factor=3)

        self.msk = FakeMsk(self)
        self.kafka = FakeKafka(self)
        self.metrics = FakeMetrics(self)
        self._now = self.clock()
        self._started_at = self._now
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []

    # What tests hold it by

    def world(
        self, *, now: datetime | None = None, memory: Mapping[str, Json] | None = None
    ) -> World:
        return World(
            cluster=self.ref,
            msk=self.msk,
            kafka=self.kafka,
            metrics=self.metrics,
            now=now or self.clock(),
            memory=dict(memory or {}),
        )

    def advance(self, seconds: float) -> datetime:
        """Let time pass; only with a `FakeClock`."""
        if not isinstance(self.clock, FakeClock):
            raise TypeError("this cluster follows a real clock: wait instead")
        self.clock.advance(seconds)
        self.catch_up()
        return self.clock.now

    def count(self, call: str) -> int:
        """How often a port's call was made."""
        return sum(1 for one in self.calls if one[0] == call)

    # What happens to it

    def register(self, broker_id: int) -> None:
        """A broker joins, its AZ in turn."""
        self.brokers[broker_id] = FakeBroker(broker_id, self.azs[(broker_id - 1) % len(self.azs)])

    def kill(self, broker_id: int) -> None:
        self.catch_up()
        self.brokers[broker_id].alive = False
        for partition in self.partitions.values():
            if broker_id in partition.isr and len(partition.isr) > 1:
                partition.isr = tuple(b for b in partition.isr if b != broker_id)
            if partition.leader == broker_id:
                partition.leader = next((b for b in partition.isr if self.is_alive(b)), None)

    def restart(self, broker_id: int, *, in_sync_after_seconds: float = 3) -> None:
        self.catch_up()
        self.brokers[broker_id].alive = True
        self.after(in_sync_after_seconds, lambda: self._rejoin(broker_id))

    def start_foreign_reassignment(
        self, topic: str, partition: int, target: tuple[int, ...]
    ) -> None:
        """Somebody else moves a partition."""
        self.catch_up()
        self.begin_move((topic, partition), target)

    def set_state(self, state: str) -> None:
        """HEALING, MAINTENANCE, ACTIVE …"""
        self.state = state

    def bump_version(self) -> str:
        """As after any accepted update, ours or somebody's in the console."""
        self.version = f"K1VERSION{next(self._versions):04d}"
        return self.version

    def add_topic(self, topic: str, *, sizes: Sequence[int], replication_factor: int = 3) -> None:
        """Replicas on neighbours in the order of AZs, so racks are spread."""
        ids = sorted(self.brokers)
        offset = len(self.partitions)
        for index, size in enumerate(sizes):
            count = min(replication_factor, len(ids))
            replicas = tuple(ids[(offset + index + i) % len(ids)] for i in range(count))
            self.partitions[topic, index] = FakePartition(
                topic, index, replicas, replicas, replicas[0], size
            )

    def delete_topic(self, topic: str) -> None:
        """With its partitions its configs go, and whatever moves were under way."""
        self.catch_up()
        for key in [key for key in self.partitions if key[0] == topic]:
            del self.partitions[key]
        self.topic_configs.pop(topic, None)

    # What the ports use

    def called(self, port: str, call: str, *asked: object) -> None:
        """Note the call, catch up with the clock, and fail if told to."""
        self.calls.append((call, *map(str, asked)))
        self.catch_up()
        if {port, call} & self.silent:
            raise Unreachable(f"{call} of {self.ref.name}: no answer (the test wants it so)")

    def answered(self, call: str) -> None:
        if call in self.lose_answers:
            self.lose_answers.discard(call)
            raise Unreachable(f"{call} of {self.ref.name}: the answer was lost")

    def is_alive(self, broker_id: int) -> bool:
        return broker_id in self.brokers and self.brokers[broker_id].alive

    def begin_move(self, key: tuple[str, int], target: tuple[int, ...]) -> None:
        """A new target replaces a running one; what was copied for both is kept."""
        partition = self.partitions[key]
        old = partition.move
        original = old.original if old else partition.replicas
        move = FakeMove(original, target, dict(old.copied) if old else {})
        partition.move = move
        partition.replicas = (*target, *move.removing)
        partition.isr = tuple(b for b in partition.replicas if b in partition.isr)
        finish_if_complete(partition)

    def cancel_move(self, key: tuple[str, int]) -> None:
        """Back to the brokers of before, not to their order: Kafka forgets who was preferred."""
        partition = self.partitions[key]
        if partition.move is None:
            raise ValueError(f"{key} has no reassignment to cancel")
        added = partition.move.adding
        partition.replicas = tuple(b for b in partition.replicas if b not in added)
        partition.isr = tuple(b for b in partition.replicas if b in partition.isr)
        partition.move = None
        if partition.leader not in partition.isr:
            partition.leader = next((b for b in partition.isr if self.is_alive(b)), None)

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        when = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._due, (when, next(self._order), then))

    def catch_up(self) -> None:
        until = self.clock()
        while self._now < until:
            self._step(until)

    # Time

    def _step(self, until: datetime) -> None:
        """To the next thing that happens: a copy complete, something due, or `until`."""
        copies = running_copies(self.partitions.values(), self.brokers)
        rates = rates_of(
            copies,
            broker_configs=self.broker_configs,
            topic_configs=self.topic_configs,
            unthrottled_bytes_per_second=self.unthrottled_bytes_per_second,
        )
        moments = [until, *(when for when, _, _ in self._due[:1])]
        pairs = zip(copies, rates, strict=True)
        seconds = min((copy.remaining_bytes / rate for copy, rate in pairs), default=None)
        if seconds is not None and seconds < (until - self._now).total_seconds():
            moments.append(self._now + timedelta(seconds=seconds))
        moment = min(max(min(moments), self._now + SHORTEST_STEP), until)
        elapsed = (moment - self._now).total_seconds()
        self._now = moment
        for copy, rate in zip(copies, rates, strict=True):
            copied = copy.move.copied.get(copy.destination, 0) + rate * elapsed
            copy.move.copied[copy.destination] = min(copied, copy.partition.size_bytes)
            if copy.remaining_bytes < 1 and copy.partition.move is copy.move:
                arrive(copy.partition, copy.destination)
        while self._due and self._due[0][0] <= self._now:
            heapq.heappop(self._due)[2]()

    def _rejoin(self, broker_id: int) -> None:
        for partition in self.partitions.values():
            if broker_id not in partition.replicas or broker_id in partition.isr:
                continue
            if partition.move and broker_id in partition.move.adding:
                continue  # a copy that goes on by itself
            present = {*partition.isr, broker_id}
            partition.isr = tuple(b for b in partition.replicas if b in present)
        for partition in self.partitions.values():
            if partition.leader is None and broker_id in partition.isr:
                partition.leader = broker_id
