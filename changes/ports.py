"""What may be asked of the world: MSK, Kafka and metrics, each with a reading and an acting half.

`cluster/` implements these with boto3 and aiokafka, `tests/fakes` once in memory. A refusal that a
person can act on comes back as `Refused`; anything else raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from changes.facts import (
    Broker,
    BrokerLoad,
    BrokerRates,
    ClusterRef,
    MskCluster,
    MskNode,
    MskOperation,
    Partition,
    Reassignment,
    ReplicaLists,
    Throttles,
    TopicSettings,
)
from changes.lag_gate import LagSeen
from changes.tagged import Value

Json = JsonValue
"""What a step may remember: plain JSON."""


class Accepted(Value):
    """MSK took the change; the operation is to be polled."""

    operation_arn: str


class Refused(Value):
    """The other side said no. `words` is for people; `stale` = our currentVersion was old;
    `passing` = worth asking again unchanged (throttled, busy)."""

    words: str
    stale: bool = False
    passing: bool = False


class Unreachable(Exception):
    """A cluster, broker or endpoint did not answer; the sentence says which, doing what."""


class MskReading(Protocol):
    async def describe(self) -> MskCluster: ...
    async def nodes(self) -> tuple[MskNode, ...]: ...
    async def operation(self, *, arn: str) -> MskOperation: ...
    async def operations(self) -> tuple[MskOperation, ...]:
        """The latest operations, newest first."""
        ...


class Msk(MskReading, Protocol):
    async def update_broker_count(
        self, *, current_version: str, brokers: int
    ) -> Accepted | Refused: ...


class KafkaReading(Protocol):
    async def brokers(self) -> tuple[Broker, ...]: ...
    async def partitions(self) -> tuple[Partition, ...]:
        """Every partition of every topic, `size_bytes` left 0 (see `replica_sizes`)."""
        ...

    async def replica_sizes(
        self, *, broker_ids: Sequence[int] | None = None
    ) -> Mapping[tuple[int, str, int], int]:
        """Bytes per (broker, topic, partition), future logs left out."""
        ...

    async def reassignments(self) -> tuple[Reassignment, ...]: ...
    async def throttles(self, *, topics: Sequence[str], broker_ids: Sequence[int]) -> Throttles: ...
    async def topic_settings(self, *, topics: Sequence[str]) -> Mapping[str, TopicSettings]:
        """What rules must know of each topic; one that could not be read is missing."""
        ...


class Kafka(KafkaReading, Protocol):
    async def reassign(
        self, *, targets: Mapping[tuple[str, int], tuple[int, ...] | None]
    ) -> Mapping[tuple[str, int], str]:
        """Submit (None cancels); the answer names each partition that was refused, in words."""
        ...

    async def elect_preferred_leaders(
        self, *, partitions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], str]:
        """Refusals per partition; "not needed" is no refusal."""
        ...

    async def set_broker_rates(self, *, rates: Mapping[int, BrokerRates]) -> None:
        """Set or (None) delete the two throttle rates of each broker named."""
        ...

    async def change_throttled_replicas(
        self, *, add: Mapping[str, ReplicaLists], remove: Mapping[str, ReplicaLists]
    ) -> None:
        """Append to and subtract from topics' throttled lists; others' entries stay."""
        ...


class Series(Value):
    """One metric of one broker (or of the cluster, when `broker_id` is None), oldest first."""

    metric: str
    broker_id: int | None
    times: tuple[datetime, ...]
    values: tuple[float, ...]


class Metrics(Protocol):
    """CloudWatch; there is no acting half."""

    async def loads(self, *, broker_ids: Sequence[int]) -> tuple[BrokerLoad, ...]: ...
    async def series(
        self, *, metric: str, broker_ids: Sequence[int], start: datetime, end: datetime
    ) -> tuple[Series, ...]: ...
    async def group_lag(
        self, *, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[datetime, float]]:
        """The newest `SumOffsetLag` of each (consumer group, topic) and its moment; a pair without
        a datapoint is missing, as MSK has none for a group that rebalances."""
        ...

    async def picture(
        self,
        *,
        title: str,
        metrics: Sequence[str],
        broker_ids: Sequence[int],
        start: datetime,
        end: datetime,
        marks: Sequence[tuple[datetime, str]] = (),
    ) -> bytes:
        """A PNG drawn by CloudWatch: one line per metric and broker, marks as vertical lines."""
        ...


@dataclass(frozen=True)
class World:
    """What a step is handed: one cluster's ports, the moment, and what the run remembers."""

    cluster: ClusterRef
    msk: Msk
    kafka: Kafka
    metrics: Metrics
    now: datetime
    memory: Mapping[str, Json] = field(default_factory=dict)
    since: datetime | None = None
    """When the present step started."""
    paused: bool = False
    """Somebody paused the run, or what runs is stuck: begin nothing new, keep safe what runs."""
    quiet_since: datetime | None = None
    """Since when nothing of the present step runs; None = something does, or nobody knows."""
    lag: LagSeen | None = None
    """Consumer groups in trouble, for steps that ask (`Step.minds_lag`); None = nobody watches."""
