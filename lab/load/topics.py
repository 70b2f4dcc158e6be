"""The topics of the lab's order pipeline: names, partitions, data on disk, traffic; pure.

The surprising truth: the sizes are skewed on purpose, log-normal over the partitions of a topic. On even
data every planner looks clever.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

REPLICATION_FACTOR = 3
PRELOAD_RECORD_BYTES = 100_000
_SKEW_SIGMA = 0.9
_SEED = 20_261


@dataclass(frozen=True)
class Topic:
    """One topic; `records_per_second` is its share of the continuous traffic."""

    name: str
    partitions: int
    preload_bytes: int
    records_per_second: float
    record_bytes: int
    group: str


TOPICS = (
    Topic("orders", 12, 16_000_000, 25.0, 600, "order-processing"),
    Topic("payments", 6, 7_000_000, 15.0, 400, "order-processing"),
    Topic("clicks", 12, 14_000_000, 20.0, 250, "analytics"),
    Topic("inventory", 6, 6_000_000, 6.0, 300, "warehouse"),
    Topic("shipments", 6, 4_500_000, 5.0, 500, "warehouse"),
    Topic("customers", 4, 3_000_000, 2.0, 800, "analytics"),
    Topic("notifications", 4, 2_000_000, 3.0, 350, "messaging"),
    Topic("returns", 4, 1_500_000, 1.0, 450, "warehouse"),
    Topic("prices", 3, 1_000_000, 2.0, 150, "analytics"),
    Topic("audit", 3, 3_000_000, 1.0, 700, "auditing"),
)
GROUPS = tuple(sorted({topic.group for topic in TOPICS}))


def records_per_partition(topic: Topic) -> tuple[int, ...]:
    """How many pre-loaded records each partition gets: at least one, log-normal, always the same."""
    chance = random.Random(f"{_SEED}-{topic.name}")
    weights = [chance.lognormvariate(0.0, _SKEW_SIGMA) for _ in range(topic.partitions)]
    records = topic.preload_bytes / PRELOAD_RECORD_BYTES
    return tuple(max(1, round(records * weight / sum(weights))) for weight in weights)
