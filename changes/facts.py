"""What is true of a cluster at one moment: MSK, Kafka and metrics together.

The surprising truth: MSK's view and Kafka's view differ. A broker MSK counts may not have
registered yet, and MSK's canary topics sit on brokers nobody placed data on; both views are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from changes.tagged import Value

CANARY_TOPICS = frozenset({"__amazon_msk_canary", "__amazon_msk_canary_state"})
"""Topics MSK keeps for itself on every broker; they are never planned (AWS: remove-broker page)."""


class ClusterRef(Value):
    """Which cluster is meant: from `policies/clusters.yaml`."""

    name: str
    arn: str
    region: str
    environment: str


class MskCluster(Value):
    """DescribeClusterV2, reduced to what plans need."""

    arn: str
    name: str
    cluster_type: str
    state: str
    state_message: str = ""
    current_version: str
    instance_type: str
    broker_count: int
    az_ids: tuple[str, ...]
    """One per client subnet, such as `use1-az1`; brokers are a multiple of their number."""
    volume_gib: int | None
    kafka_version: str
    active_operation_arn: str | None = None
    rebalancing: Literal["ACTIVE", "PAUSED"] | None = None

    @property
    def express(self) -> bool:
        """Express brokers: AWS manages storage and, with rebalancing ACTIVE, moves the data."""
        return self.instance_type.startswith("express.")

    @property
    def kraft(self) -> bool:
        return "kraft" in self.kafka_version or int(self.kafka_version.split(".")[0]) >= 4


class MskNode(Value):
    """One broker as ListNodes names it."""

    broker_id: int
    endpoints: tuple[str, ...]
    subnet: str
    instance_type: str


class MskOperation(Value):
    """DescribeClusterOperation; state strings are free text in AWS's model, so unknown = running."""

    arn: str
    kind: str
    state: str
    created_at: datetime
    error: str = ""
    target_broker_count: int | None = None
    created_broker_ids: tuple[int, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.state == "UPDATE_COMPLETE"

    @property
    def failed(self) -> bool:
        return self.state == "UPDATE_FAILED"


class Broker(Value):
    """One broker as Kafka's metadata names it; `rack` is the AZ id on MSK, empty when unset."""

    broker_id: int
    rack: str
    host: str = ""
    port: int = 0


class Partition(Value):
    """One partition; `replicas` with the preferred leader first, `size_bytes` of one replica."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader: int | None
    size_bytes: int = 0

    @property
    def key(self) -> str:
        return f"{self.topic}-{self.partition}"

    @property
    def under_replicated(self) -> bool:
        return len(set(self.isr) & set(self.replicas)) < len(self.replicas)


class Reassignment(Value):
    """A running reassignment: target = replicas − removing, original = replicas − adding (KIP-455)."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"{self.topic}-{self.partition}"


class BrokerRates(Value):
    """`leader.` and `follower.replication.throttled.rate` of a broker; None = not set."""

    leader_bytes_per_second: int | None = None
    follower_bytes_per_second: int | None = None


class ReplicaLists(Value):
    """`leader.` and `follower.replication.throttled.replicas` of a topic: `partition:broker`."""

    leader: tuple[str, ...] = ()
    follower: tuple[str, ...] = ()


class Throttles(Value):
    """Every replication throttle that is set dynamically; empty means none anywhere."""

    brokers: Mapping[int, BrokerRates] = {}
    topics: Mapping[str, ReplicaLists] = {}

    @property
    def none_set(self) -> bool:
        return not self.brokers and not self.topics


class TopicSettings(Value):
    """What rules must know of a topic; None = not read."""

    min_isr: int | None = None
    compacted: bool | None = None
    retention_ms: int | None = None
    """-1 = for ever."""
    log_append_time: bool | None = None
    """`message.timestamp.type` is LogAppendTime, so that timestamps can be trusted."""


class BrokerLoad(Value):
    """The newest CloudWatch figures of one broker; None = no datapoint (restart, new broker)."""

    broker_id: int
    cpu_percent: float | None = None
    disk_used_percent: float | None = None
    bytes_in_per_second: float | None = None
    bytes_out_per_second: float | None = None


class ClusterFacts(Value):
    """One survey of one cluster."""

    taken_at: datetime
    cluster: ClusterRef
    msk: MskCluster
    nodes: tuple[MskNode, ...]
    brokers: tuple[Broker, ...]
    partitions: tuple[Partition, ...]
    reassignments: tuple[Reassignment, ...] = ()
    throttles: Throttles = Throttles()
    loads: tuple[BrokerLoad, ...] = ()
    not_seen: tuple[str, ...] = ()
    """What could not be read, in words: missing is never zero."""

    @property
    def planned_partitions(self) -> tuple[Partition, ...]:
        """All but MSK's canaries."""
        return tuple(p for p in self.partitions if p.topic not in CANARY_TOPICS)
