"""Clusters for the placement tests: small ones written by hand, and random ones by shape and seed.

Nothing here imports a planner; the random clusters come from a seeded generator, so a failure is
reproduced by its arguments.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from changes.placement.model import Broker, Partition, Placement

TERABYTE = 10**12


def brokers(*racks: str, capacity_bytes: int = TERABYTE) -> tuple[Broker, ...]:
    """Brokers 1, 2, 3, … in these racks."""
    return tuple(Broker(i, rack, capacity_bytes) for i, rack in enumerate(racks, start=1))


def topic(name: str, *replicas: tuple[int, ...], size_bytes: int = 100) -> tuple[Partition, ...]:
    return tuple(Partition(name, i, r, size_bytes) for i, r in enumerate(replicas))


def after_moving(placement: Placement, plan: Sequence[tuple[int, ...]]) -> Placement:
    moved = (replace(p, replicas=r) for p, r in zip(placement.partitions, plan, strict=True))
    return replace(placement, partitions=tuple(moved))


def unchanged(placement: Placement) -> tuple[tuple[int, ...], ...]:
    return tuple(p.replicas for p in placement.partitions)


def use_bytes(placement: Placement, plan: Sequence[tuple[int, ...]]) -> Counter[int]:
    use: Counter[int] = Counter()
    for partition, replicas in zip(placement.partitions, plan, strict=True):
        for broker in replicas:
            use[broker] += partition.size_bytes
    return use


@dataclass(frozen=True, slots=True)
class Shape:
    """What a random cluster looks like; every field is one draw, so a failing one shrinks."""

    seed: int
    racks: tuple[int, ...] = (1, 1, 1)  # brokers in each rack
    empty_brokers: int = 0  # the last ones listed hold nothing yet
    factor: int = 3
    topics: int = 6
    partitions_max: int = 20
    sigma: float = 1.0  # spread of topic sizes, log-normal
    narrow_topics: bool = False  # some live on part of the brokers only
    ignores_racks: bool = False
    unequal_capacities: bool = False
    empty_topics: float = 0.0  # their share
    named_racks: bool = True


def random_cluster(shape: Shape) -> Placement:
    rng = random.Random(shape.seed)
    members = _brokers(shape, rng)
    holders = members[: max(1, len(members) - shape.empty_brokers)]
    partitions: list[Partition] = []
    for number in range(shape.topics):
        partitions.extend(_topic(f"t{number}", holders, shape, rng))
    return Placement(brokers=members, partitions=tuple(partitions))


def _brokers(shape: Shape, rng: random.Random) -> tuple[Broker, ...]:
    """Listed as clouds start them: one in every rack, then the next in every rack."""
    rounds = range(max(shape.racks))
    racks = [r for turn in rounds for r, size in enumerate(shape.racks) if turn < size]
    return tuple(
        Broker(
            broker_id=i,
            rack=f"az{rack}" if shape.named_racks else "",
            capacity_bytes=1000
            * TERABYTE
            * (rng.choice((1, 2)) if shape.unequal_capacities else 1),
        )
        for i, rack in enumerate(racks, start=1)
    )


def _topic(
    name: str, holders: Sequence[Broker], shape: Shape, rng: random.Random
) -> list[Partition]:
    if shape.narrow_topics and rng.random() < 0.4:
        holders = rng.sample(holders, max(1, round(len(holders) * 0.6)))
    base = 0.0 if rng.random() < shape.empty_topics else rng.lognormvariate(20, shape.sigma)
    factor = min(shape.factor, len(holders))
    return [
        Partition(
            topic=name,
            partition=index,
            replicas=_replicas(holders, factor, shape, rng),
            size_bytes=int(base * rng.uniform(0.65, 1.35)),
        )
        for index in range(rng.randint(1, shape.partitions_max))
    ]


def _replicas(
    holders: Sequence[Broker], factor: int, shape: Shape, rng: random.Random
) -> tuple[int, ...]:
    if shape.ignores_racks:
        return tuple(b.broker_id for b in rng.sample(holders, factor))
    by_rack: dict[str, list[int]] = {}
    for broker in rng.sample(holders, len(holders)):
        by_rack.setdefault(broker.rack, []).append(broker.broker_id)
    racks = list(by_rack.values())
    chosen: list[int] = []
    while len(chosen) < factor:
        chosen.extend(rack.pop() for rack in racks if rack and len(chosen) < factor)
    return tuple(chosen)
