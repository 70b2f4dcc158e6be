"""An exact solver beside the planner on small clusters: the fewest bytes that level the disks.

The solver is free to choose any replica for any broker and any end state as level as the planner's;
if it could do with much less, the planner's bytes would not be minimal.
"""

from __future__ import annotations

import highspy
import pytest

from changes.placement.bounds import lower_bound_bytes
from changes.placement.measure import measure
from changes.placement.model import Placement
from changes.placement.spread import spread
from tests.changes.placement.clusters import Shape, brokers, random_cluster, topic, use_bytes

CASES = [
    Shape(seed=1, racks=(1, 1, 1), empty_brokers=0, topics=3, partitions_max=6),
    Shape(seed=2, racks=(2, 2, 2), empty_brokers=3, topics=3, partitions_max=6),
    Shape(seed=3, racks=(2, 2, 2), empty_brokers=3, topics=3, partitions_max=5, sigma=0.4),
    Shape(seed=4, racks=(2, 2), empty_brokers=2, factor=2, topics=3, partitions_max=8),
    Shape(seed=5, racks=(4,), empty_brokers=2, factor=2, topics=3, partitions_max=6, named_racks=False),
    Shape(seed=6, racks=(3,), factor=1, topics=3, partitions_max=8, named_racks=False),
    Shape(seed=7, racks=(2, 1, 1), empty_brokers=1, factor=2, topics=3, partitions_max=6),
    Shape(seed=8, racks=(2, 2, 2), factor=3, topics=3, partitions_max=6),
    Shape(seed=9, racks=(2, 2, 2), factor=2, empty_brokers=2, topics=3, partitions_max=6),
    Shape(seed=10, racks=(1, 1), factor=1, empty_brokers=1, topics=4, partitions_max=6),
]  # fmt: skip


@pytest.mark.parametrize("shape", CASES, ids=lambda shape: f"seed {shape.seed}")
def test_no_plan_as_level_moves_less_by_more_than_one_largest_partition(shape: Shape) -> None:
    placement = random_cluster(shape)
    plan = spread(placement)
    use = use_bytes(placement, plan)
    ceiling = {b.broker_id: use[b.broker_id] for b in placement.brokers}
    fewest = fewest_bytes(placement, ceiling=max(ceiling.values()), floor=min(ceiling.values()))
    largest = max(p.size_bytes for p in placement.partitions)
    moved = measure(placement, plan).moved_bytes
    assert moved <= fewest + largest


def test_the_solver_agrees_with_the_bound_where_sizes_divide_evenly() -> None:
    lists = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2))
    placement = Placement(brokers("a", "b", "c", "a", "b", "c"), topic("t", *lists))
    assert fewest_bytes(placement, ceiling=200, floor=200) == lower_bound_bytes(placement) == 600
    assert measure(placement, spread(placement)).moved_bytes == 600


def fewest_bytes(placement: Placement, *, ceiling: float, floor: float) -> float:
    """Integer program: x[p, b] = partition p has a replica on broker b, rack spread as before."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # ships partial types only
    solver.silent()
    unit = max(p.size_bytes for p in placement.partitions)  # keeps the numbers near one
    ids = [b.broker_id for b in placement.brokers]
    rack_of = {b.broker_id: b.rack for b in placement.brokers}
    held = [
        {b: solver.addBinary(obj=0 if b in p.replicas else p.size_bytes / unit) for b in ids}
        for p in placement.partitions
    ]
    for partition, x in zip(placement.partitions, held, strict=True):
        solver.addConstr(sum(x.values()) == len(partition.replicas))
        racks = {rack_of[b] for b in partition.replicas}
        if len(racks) == len(
            partition.replicas
        ):  # every replica in a rack of its own, before as after
            for rack in set(rack_of.values()):
                solver.addConstr(sum(x[b] for b in ids if rack_of[b] == rack) <= 1)
        elif len(racks) == len(set(rack_of.values())):  # all racks used, before as after
            for rack in racks:
                solver.addConstr(sum(x[b] for b in ids if rack_of[b] == rack) >= 1)
    for b in ids:
        load = sum(
            x[b] * (p.size_bytes / unit) for p, x in zip(placement.partitions, held, strict=True)
        )
        solver.addConstr(load <= ceiling / unit + 1e-6)
        solver.addConstr(load >= floor / unit - 1e-6)
    solver.setOptionValue("mip_rel_gap", 1e-3)
    solver.minimize()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return round(solver.getObjectiveValue() * unit)
