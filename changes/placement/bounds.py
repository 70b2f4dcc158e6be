"""The fewest bytes any plan can move: printed with every plan, so that people can judge its cost.

The surprising truth: a tolerance makes the bound smaller, so a tool that stops at ±9 % can "beat"
the bound of exact balance. Compare a plan only with the bound of its own tolerance.
"""

from __future__ import annotations

from math import ceil

from changes.placement.model import Placement
from changes.placement.targets import broker_targets, rack_members


def lower_bound_bytes(placement: Placement, *, tolerance: float = 0.0) -> int:
    """No plan that ends with every broker within `tolerance` of its target moves fewer bytes.

    Bytes must come to every broker below its band and leave every one above it, so the greater of
    the two sums binds. Where rack spread ties each replica to its rack, the racks' bounds add up.
    """
    use = broker_use_bytes(placement)
    sizes = [float(p.size_bytes) for p in placement.partitions]
    targets = broker_targets(placement, weights=sizes)
    members = rack_members(placement)
    groups = list(members.values())
    if not moves_stay_in_racks(placement):
        groups = [[i for group in groups for i in group]]
    bound = 0.0
    for group in groups:
        missing = sum(max(0.0, (1 - tolerance) * targets[i] - use[i]) for i in group)
        excess = sum(max(0.0, use[i] - (1 + tolerance) * targets[i]) for i in group)
        bound += max(missing, excess)
    return ceil(round(bound, 3))


def moves_stay_in_racks(placement: Placement) -> bool:
    """True where every partition has exactly one replica in every rack: none can then leave it."""
    rack_of = {b.broker_id: b.rack for b in placement.brokers}
    racks = len(set(rack_of.values()))
    return all(
        len(p.replicas) == racks and len({rack_of.get(b) for b in p.replicas} - {None}) == racks
        for p in placement.partitions
    )


def broker_use_bytes(placement: Placement) -> list[int]:
    """Bytes on every broker now, in the order of `placement.brokers`; unknown brokers left out."""
    position = {b.broker_id: i for i, b in enumerate(placement.brokers)}
    use = [0] * len(placement.brokers)
    for partition in placement.partitions:
        for broker in partition.replicas:
            if broker in position:
                use[position[broker]] += partition.size_bytes
    return use
