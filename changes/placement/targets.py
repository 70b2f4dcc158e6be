"""How many bytes every broker should hold in the end: its share by capacity, as far as racks allow.

The surprising truth: with as many replicas as racks, nothing can flow between racks, however uneven
they are. Every rack must then hold each partition once, and only the split inside it is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from changes.placement.model import Placement


@dataclass(frozen=True, slots=True)
class RackRoom:
    """The least and the most bytes one rack can hold while every partition keeps its rack spread."""

    least: float
    most: float


def broker_targets(
    placement: Placement, *, weights: Sequence[float] | None = None
) -> tuple[float, ...]:
    """The weight each broker should carry, in the order of `placement.brokers`.

    `weights` gives one replica's weight per partition; without it a replica weighs its bytes, or
    one each where all sizes are zero. A replica on an unknown broker stays there and counts nowhere.
    """
    if not placement.brokers:
        return ()
    if weights is None:
        weights = replica_weights(placement)
    capacities = usable_capacities(placement)
    members = rack_members(placement)
    rooms = rack_rooms(placement, weights)
    total = _known_weight(placement, weights)
    rack_totals = fill(
        total,
        shares=[sum(capacities[i] for i in group) for group in members.values()],
        least=[rooms[rack].least for rack in members],
        most=[rooms[rack].most for rack in members],
    )
    once = sum(weights)  # a broker holds each partition at most once
    targets = [0.0] * len(placement.brokers)
    for group, rack_total in zip(members.values(), rack_totals, strict=True):
        parts = fill(
            rack_total,
            shares=[capacities[i] for i in group],
            least=[0.0] * len(group),
            most=[once] * len(group),
        )
        for index, part in zip(group, parts, strict=True):
            targets[index] = part
    return tuple(targets)


def replica_weights(placement: Placement) -> tuple[float, ...]:
    """Bytes per replica, or one each in an empty cluster, where only counts can be spread."""
    if any(p.size_bytes > 0 for p in placement.partitions):
        return tuple(float(max(0, p.size_bytes)) for p in placement.partitions)
    return (1.0,) * len(placement.partitions)


def usable_capacities(placement: Placement) -> tuple[float, ...]:
    """Capacities as shares; where any is missing (zero or less) all brokers count as equal."""
    if any(b.capacity_bytes <= 0 for b in placement.brokers):
        return (1.0,) * len(placement.brokers)
    return tuple(float(b.capacity_bytes) for b in placement.brokers)


def rack_members(placement: Placement) -> dict[str, list[int]]:
    """Broker positions by rack, racks in order of first appearance."""
    members: dict[str, list[int]] = {}
    for index, broker in enumerate(placement.brokers):
        members.setdefault(broker.rack, []).append(index)
    return members


def rack_rooms(placement: Placement, weights: Sequence[float]) -> dict[str, RackRoom]:
    """What rack spread forces on, and allows to, every rack (RF counts known brokers only)."""
    members = rack_members(placement)
    racks = len(members)
    known = {b.broker_id for b in placement.brokers}
    by_factor: dict[int, float] = {}
    for partition, weight in zip(placement.partitions, weights, strict=True):
        factor = sum(broker in known for broker in partition.replicas)
        by_factor[factor] = by_factor.get(factor, 0.0) + weight
    least = sum(weight for factor, weight in by_factor.items() if factor >= racks)
    rooms = {}
    for rack, group in members.items():
        most = sum(
            weight * min(len(group), factor - min(factor, racks) + 1)
            for factor, weight in by_factor.items()
            if factor
        )
        rooms[rack] = RackRoom(least=least, most=most)
    return rooms


def fill(
    total: float, *, shares: Sequence[float], least: Sequence[float], most: Sequence[float]
) -> list[float]:
    """Split `total` in proportion to `shares`, each part kept between its least and its most.

    1. Give every open part its proportional share of what is left.
    2. Of the parts below their least and above their most, fix the side that is further out:
       fixing it can only push the others the same way, so no fixed part is ever opened again.
    3. Repeat until nothing is out of bounds.
    """
    parts = [0.0] * len(shares)
    open_parts = list(range(len(shares)))
    left = total
    while open_parts:
        share_sum = sum(shares[i] for i in open_parts)
        proposal = {i: left * shares[i] / share_sum for i in open_parts}
        low = [i for i in open_parts if proposal[i] < least[i]]
        high = [i for i in open_parts if proposal[i] > most[i]]
        short = sum(least[i] - proposal[i] for i in low)
        over = sum(proposal[i] - most[i] for i in high)
        if not low and not high:
            for i in open_parts:
                parts[i] = proposal[i]
            break
        fixed, bounds = (low, least) if short >= over and low else (high, most)
        for i in fixed:
            parts[i] = bounds[i]
            left -= bounds[i]
        open_parts = [i for i in open_parts if i not in set(fixed)]
    return parts


def _known_weight(placement: Placement, weights: Sequence[float]) -> float:
    known = {b.broker_id for b in placement.brokers}
    return sum(
        weight * sum(broker in known for broker in partition.replicas)
        for partition, weight in zip(placement.partitions, weights, strict=True)
    )
