"""Random clusters against the judge, the bounds, and what the replica graph allows leaders.

Shapes are drawn by hypothesis, clusters generated from them; together well over a thousand.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

from changes.placement.judge import judge
from changes.placement.measure import Metrics, measure
from changes.placement.model import Placement
from changes.placement.spread import spread
from changes.placement.targets import broker_targets
from tests.changes.placement.clusters import Shape, random_cluster, use_bytes

seeds = st.integers(0, 2**32 - 1)
sigmas = st.sampled_from((0.0, 0.5, 1.0, 1.5))

any_shape = st.builds(
    Shape,
    seed=seeds,
    racks=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    empty_brokers=st.integers(0, 6),
    factor=st.integers(1, 4),
    topics=st.integers(0, 9),
    partitions_max=st.sampled_from((1, 4, 16)),
    sigma=sigmas,
    narrow_topics=st.booleans(),
    ignores_racks=st.booleans(),
    unequal_capacities=st.booleans(),
    empty_topics=st.sampled_from((0.0, 0.0, 0.4, 1.0)),
    named_racks=st.booleans(),
)


@st.composite
def usual_shapes(draw: st.DrawFn) -> Shape:
    """Equal brokers, equal zones, one replica in each: what MSK gives. Grown or in place."""
    per_rack = draw(st.integers(1, 4))
    grown_by = draw(st.integers(0, per_rack - 1))
    return Shape(
        seed=draw(seeds),
        racks=(per_rack,) * 3,
        empty_brokers=3 * grown_by,
        topics=draw(st.integers(6, 12)),
        partitions_max=24,
        sigma=draw(sigmas),
        narrow_topics=draw(st.booleans()) and per_rack - grown_by == 1,
    )


@settings(max_examples=800, deadline=None, derandomize=True)
@given(any_shape)
def test_every_plan_passes_the_judge_and_moves_no_more_than_the_bound(shape: Shape) -> None:
    placement = random_cluster(shape)
    plan = spread(placement)
    metrics = measure(placement, plan)
    assert judge(placement, plan) == ()
    assert metrics.factor_changes == metrics.duplicates == 0
    assert metrics.rack_violations <= _violations_before(placement)
    assert metrics.moved_bytes <= _bytes_allowed(placement, metrics)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(usual_shapes())
def test_usual_clusters_end_balanced_in_disk_and_leaders(shape: Shape) -> None:
    placement = random_cluster(shape)
    plan = spread(placement)
    metrics = measure(placement, plan)
    assert judge(placement, plan) == ()
    assert metrics.rack_violations == 0
    assert metrics.moved_bytes <= _bytes_allowed(placement, metrics)
    _assert_disks_level(placement, plan)
    _assert_leaders_level(placement, plan)


def _violations_before(placement: Placement) -> int:
    return measure(placement, [p.replicas for p in placement.partitions]).rack_violations


def _bytes_allowed(placement: Placement, metrics: Metrics) -> float:
    largest = max((p.size_bytes for p in placement.partitions), default=0)
    bound = metrics.lower_bound_bytes
    return max(1.02 * bound, bound + largest)


def _assert_disks_level(placement: Placement, plan: tuple[tuple[int, ...], ...]) -> None:
    use = use_bytes(placement, plan)
    largest = max(p.size_bytes for p in placement.partitions)
    targets = broker_targets(placement)
    for broker, target in zip(placement.brokers, targets, strict=True):
        assert abs(use[broker.broker_id] - target) <= max(0.02 * target, largest) + 1


def _assert_leaders_level(placement: Placement, plan: tuple[tuple[int, ...], ...]) -> None:
    """Within ±5 % or one leader; or no reordering of these lists could bring it nearer."""
    ids = [b.broker_id for b in placement.brokers]
    leads = Counter(r[0] for r in plan)
    mean = len(plan) / len(ids)
    high = max(1.05 * mean, ceil(mean) + 1)
    low = min(0.95 * mean, floor(mean) - 1)
    for broker in ids:
        if leads[broker] > high:
            assert all(leads[b] >= leads[broker] - 1 for b in _reached(plan, broker))
        if leads[broker] < low:
            givers = [b for b in ids if broker in _reached(plan, b)]
            assert all(leads[b] <= leads[broker] + 1 for b in givers)


def _reached(plan: tuple[tuple[int, ...], ...], start: int) -> set[int]:
    """Brokers a leadership of `start` can travel to, from leader to follower, any number of times."""
    reached, edge = {start}, [start]
    while edge:
        here = edge.pop()
        for replicas in plan:
            if replicas[0] == here:
                new = set(replicas) - reached
                reached |= new
                edge.extend(new)
    return reached
