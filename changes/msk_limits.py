"""MSK's own rules and list prices, as data. Sources: AWS's MSK developer guide (limits, best
practices, update-broker-count) and list prices of us-east-1, August 2026.

The surprising truth: MSK's API model says at most 15 brokers, which is stale; the quota is 30 on
ZooKeeper and 60 on KRaft, and both can be raised, so the number is a default and not a law.
"""

from __future__ import annotations

from typing import NamedTuple

PRICES_DATED = "us-east-1, August 2026"
HOURS_PER_MONTH = 730
STORAGE_USD_PER_GIB_MONTH = 0.10


class PartitionLimit(NamedTuple):
    """Partitions per broker, leaders and followers together."""

    recommended: int
    maximum: int


_STANDARD = {
    "small": PartitionLimit(300, 300),
    "large": PartitionLimit(1000, 1500),
    "xlarge": PartitionLimit(1000, 1500),
    "2xlarge": PartitionLimit(2000, 3000),
    "4xlarge": PartitionLimit(4000, 6000),
    "8xlarge": PartitionLimit(4000, 6000),
    "12xlarge": PartitionLimit(4000, 6000),
    "16xlarge": PartitionLimit(4000, 6000),
    "24xlarge": PartitionLimit(4000, 4000),
}

_EXPRESS = {
    "large": PartitionLimit(1000, 1500),
    "xlarge": PartitionLimit(1000, 2000),
    "2xlarge": PartitionLimit(2500, 4000),
    "4xlarge": PartitionLimit(6000, 8000),
    "8xlarge": PartitionLimit(12000, 16000),
    "12xlarge": PartitionLimit(16000, 24000),
    "16xlarge": PartitionLimit(20000, 32000),
}

_LARGE_USD_PER_HOUR = {"kafka.m5": 0.21, "kafka.m7g": 0.204, "express.m7g": 0.408}
_SIZE_FACTOR = {
    "large": 1,
    "xlarge": 2,
    "2xlarge": 4,
    "4xlarge": 8,
    "8xlarge": 16,
    "12xlarge": 24,
    "16xlarge": 32,
    "24xlarge": 48,
}


def partitions_per_broker(instance_type: str) -> PartitionLimit | None:
    """Limit of a type such as `kafka.m5.large`; None for a type this table does not know."""
    family, _, size = instance_type.rpartition(".")
    if family.startswith("express."):
        return _EXPRESS.get(size)
    return _STANDARD.get(size) if family.startswith("kafka.") else None


def broker_quota(*, kraft: bool) -> int:
    """AWS's default of brokers per cluster."""
    return 60 if kraft else 30


def allowed_counts(*, azs: int, current: int, quota: int) -> tuple[int, ...]:
    """Every broker count a growing cluster may have: multiples of its AZs up to the quota."""
    return tuple(range(current + azs - current % azs, quota + 1, azs)) if azs > 0 else ()


def same_class(one: str, other: str) -> bool:
    """`kafka.` and `express.` must never be mixed: MSK once took such a wish and bent it."""
    return one.partition(".")[0] == other.partition(".")[0]


def hourly_usd(instance_type: str) -> float | None:
    """List price per broker-hour, or None when the table does not know the type."""
    family, _, size = instance_type.rpartition(".")
    if family not in _LARGE_USD_PER_HOUR or size not in _SIZE_FACTOR:
        return None
    if size == "24xlarge" and family != "kafka.m5":
        return None
    return _LARGE_USD_PER_HOUR[family] * _SIZE_FACTOR[size]


def month_cost_usd(*, brokers: int, instance_type: str, volume_gib: int | None) -> float | None:
    """List price of so many brokers for a month of 730 hours; traffic and discounts left out."""
    hourly = hourly_usd(instance_type)
    if hourly is None:
        return None
    storage = brokers * (volume_gib or 0) * STORAGE_USD_PER_GIB_MONTH
    return round(brokers * hourly * HOURS_PER_MONTH + storage, 2)
