"""Who holds what: the values every planner, bound and judge here is given.

The surprising truth: order inside `replicas` matters as much as membership. The first broker is the
preferred leader, so a list that is merely reordered moves no bytes and yet moves traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ReplicaLists = Sequence[tuple[int, ...]]
"""One replica list per partition, in the order of `Placement.partitions`."""


@dataclass(frozen=True, slots=True)
class Broker:
    """`rack` is the availability zone's name, "" where the broker names none."""

    broker_id: int
    rack: str
    capacity_bytes: int


@dataclass(frozen=True, slots=True)
class Partition:
    """`size_bytes` is the size of one replica; the preferred leader stands first in `replicas`."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Brokers without replicas are the new ones; a broker missing here is unknown (dead or gone)."""

    brokers: tuple[Broker, ...]
    partitions: tuple[Partition, ...]
