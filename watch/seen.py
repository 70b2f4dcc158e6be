"""What one round saw of one cluster: each part as it was read, or the words why it was not.

The surprising truth: parts have different ages. Offsets are read every scan, metrics once a minute,
sizes every five; what was not due is carried over from the round that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from changes.excuses import ChangeLease
from changes.facts import (
    Broker,
    BrokerLoad,
    ClusterRef,
    MskCluster,
    MskOperation,
    Partition,
    Reassignment,
    TopicSettings,
)
from changes.lag import LagScan, Member, TopicPartition


@dataclass(frozen=True, slots=True)
class Rung:
    """Answers of one timestamp probe: the first offset at or after `at - age_seconds`."""

    age_seconds: float
    at: datetime
    offsets: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """None = could not be read; `blind` says why, by the part's name (`lag`, `metrics`, …)."""

    at: datetime
    cluster: ClusterRef
    scan_seconds: float
    lag: LagScan | None = None
    rungs: tuple[Rung, ...] = ()
    members: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    """Of groups in trouble only."""
    stable_ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    """READ_COMMITTED ends, only of partitions on which a commit stands still and a transaction was open
    when they were read."""
    brokers: tuple[Broker, ...] | None = None
    partitions: tuple[Partition, ...] | None = None
    """Placement, leaders and ISR; `size_bytes` as of the last reading of log directories."""
    sizes_at: datetime | None = None
    reassignments: tuple[Reassignment, ...] | None = None
    topics: Mapping[str, TopicSettings] = field(default_factory=dict)
    msk: MskCluster | None = None
    operations: tuple[MskOperation, ...] | None = None
    """The latest operations, newest first."""
    loads: tuple[BrokerLoad, ...] | None = None
    """CloudWatch's newest figures."""
    loads_at: datetime | None = None
    group_lag: Mapping[tuple[str, str], tuple[datetime, float]] | None = None
    """CloudWatch's newest `SumOffsetLag` of some (group, topic), for comparison; None = not read."""
    leases: tuple[ChangeLease, ...] = ()
    """Changes that run or lately ended."""
    blind: Mapping[str, str] = field(default_factory=dict)
