from dataclasses import replace

import pytest

from changes.placement.judge import judge
from changes.placement.measure import measure
from changes.placement.model import Partition, Placement
from changes.placement.spread import spread
from tests.changes.placement.clusters import (
    TERABYTE,
    Shape,
    after_moving,
    brokers,
    random_cluster,
    topic,
    unchanged,
    use_bytes,
)

THREE = ((1, 2, 3), (2, 3, 1), (3, 1, 2))


def grown_to_six(partitions: int = 30) -> Placement:
    lists = [THREE[i % 3] for i in range(partitions)]
    return Placement(
        brokers("az0", "az1", "az2", "az0", "az1", "az2"), topic("orders", *lists, size_bytes=1000)
    )


def test_three_brokers_become_six_with_half_the_data_on_the_new_ones() -> None:
    placement = grown_to_six()
    metrics = measure(placement, spread(placement))
    assert metrics.moved_bytes == metrics.lower_bound_bytes == 45_000
    assert metrics.disk_max_over_mean == metrics.replicas_max_over_mean == 1
    assert (metrics.leaders_max_over_mean, metrics.leaders_min_over_mean) == (1, 1)
    assert metrics.partitions_touched == 15  # whole partitions move: the fewest that can
    assert metrics.rack_violations == 0


def test_replicas_stay_in_their_zones() -> None:
    placement = grown_to_six()
    rack_of = {b.broker_id: b.rack for b in placement.brokers}
    for replicas in spread(placement):
        assert sorted(rack_of[b] for b in replicas) == ["az0", "az1", "az2"]


def test_the_factor_is_never_changed_even_where_topics_differ() -> None:
    placement = grown_to_six()
    mixed = replace(
        placement,
        partitions=(*placement.partitions, *topic("one", (1,), (2,)), *topic("two", (1, 2))),
    )
    plan = spread(mixed)
    assert [len(r) for r in plan] == [len(p.replicas) for p in mixed.partitions]
    assert judge(mixed, plan) == ()


def test_a_balanced_cluster_is_left_alone() -> None:
    placement = grown_to_six()
    settled = after_moving(placement, spread(placement))
    assert spread(settled) == unchanged(settled)


def test_the_same_cluster_gets_the_same_plan_however_it_is_listed() -> None:
    placement = random_cluster(Shape(seed=3, racks=(3, 3, 3), empty_brokers=3, topics=8))
    other = Placement(placement.brokers[::-1], placement.partitions[::-1])
    assert spread(other) == spread(placement)[::-1]


def test_leaders_alone_are_mended_without_moving_a_byte() -> None:
    lists = [(1, 2, 3)] * 9
    placement = Placement(brokers("az0", "az1", "az2"), topic("orders", *lists))
    metrics = measure(placement, spread(placement))
    assert metrics.moved_bytes == 0
    assert (metrics.leaders_max_over_mean, metrics.leaders_min_over_mean) == (1, 1)
    assert metrics.partitions_touched == 6


def test_empty_topics_are_spread_by_count() -> None:
    lists = [THREE[i % 3] for i in range(30)]
    placement = Placement(
        brokers("az0", "az1", "az2", "az0", "az1", "az2"), topic("t", *lists, size_bytes=0)
    )
    metrics = measure(placement, spread(placement))
    assert metrics.replicas_max_over_mean == 1
    assert metrics.leaders_max_over_mean == 1


def test_empty_topics_beside_full_ones_are_spread_too() -> None:
    placement = grown_to_six(partitions=12)
    empty = topic("empty", *[THREE[i % 3] for i in range(60)], size_bytes=0)
    both = replace(placement, partitions=(*placement.partitions, *empty))
    metrics = measure(both, spread(both))
    assert metrics.disk_max_over_mean == 1
    assert metrics.replicas_max_over_mean <= 1.05
    assert metrics.leaders_max_over_mean <= 1.05
    assert metrics.moved_bytes == metrics.lower_bound_bytes


@pytest.mark.parametrize("listed", [(), (1,)], ids=["no broker", "one broker"])
def test_nothing_can_be_spread_over_fewer_than_two_brokers(listed: tuple[int, ...]) -> None:
    placement = Placement(brokers(*("a" for _ in listed)), topic("t", (1,), (1,)))
    assert spread(placement) == unchanged(placement)


def test_a_cluster_without_partitions_has_an_empty_plan() -> None:
    assert spread(Placement(brokers("a", "b"), ())) == ()


def test_brokers_without_racks_are_one_pool() -> None:
    placement = Placement(
        brokers("", "", "", ""), topic("t", *[(1, 2)] * 10, *[(2, 1)] * 10, size_bytes=500)
    )
    metrics = measure(placement, spread(placement))
    assert metrics.disk_max_over_mean == 1
    assert metrics.moved_bytes == metrics.lower_bound_bytes


def test_zones_of_three_three_and_two_keep_one_replica_each() -> None:
    lists = [THREE[i % 3] for i in range(48)]
    placement = Placement(
        brokers("az0", "az1", "az2", "az0", "az1", "az2", "az0", "az1"),
        topic("t", *lists, size_bytes=700),
    )
    plan = spread(placement)
    use = use_bytes(placement, plan)
    assert judge(placement, plan) == ()
    assert {use[b] for b in (1, 2, 4, 5, 7, 8)} == {16 * 700}
    assert {use[b] for b in (3, 6)} == {24 * 700}


def test_larger_brokers_carry_more() -> None:
    small = brokers("", "")
    large = brokers("", "", "", "", capacity_bytes=2 * TERABYTE)[2:]
    placement = Placement((*small, *large), topic("t", *[(1, 2)] * 60, size_bytes=100))
    use = use_bytes(placement, spread(placement))
    assert [use[b] for b in (1, 2, 3, 4)] == [2000, 2000, 4000, 4000]


def test_two_replicas_on_three_zones_fill_the_third() -> None:
    placement = Placement(
        brokers("az0", "az1", "az2"), topic("t", *[(1, 2), (2, 1)] * 15, size_bytes=100)
    )
    plan = spread(placement)
    assert judge(placement, plan) == ()
    assert set(use_bytes(placement, plan).values()) == {2000}


def test_a_lost_rack_spread_is_mended_by_moves_that_happen_anyway() -> None:
    lists = [(1, 4, 2)] * 12  # two replicas in az0, none in az2
    placement = Placement(brokers("az0", "az1", "az2", "az0"), topic("t", *lists, size_bytes=100))
    metrics = measure(placement, spread(placement))
    assert metrics.rack_violations == 0
    assert metrics.moved_bytes == metrics.lower_bound_bytes == 1200


def test_a_replica_on_an_unknown_broker_stays_and_the_judge_refuses() -> None:
    placement = grown_to_six()
    dead = replace(placement.partitions[4], replicas=(1, 77, 3))
    listed = (*placement.partitions[:4], dead, *placement.partitions[5:])
    broken = replace(placement, partitions=listed)
    plan = spread(broken)
    assert plan[4] == (1, 77, 3)
    (sentence,) = judge(broken, plan)
    assert "orders-4 still lists broker 77" in sentence


def test_a_list_with_a_broker_twice_comes_back_as_it_was() -> None:
    placement = Placement(brokers("", "", ""), topic("t", (1, 1), (1, 2), (1, 2)))
    plan = spread(placement)
    assert plan[0] == (1, 1)
    assert any("lists broker 1 2 times" in words for words in judge(placement, plan))


def test_one_huge_partition_does_not_wander() -> None:
    placement = Placement(brokers("", ""), topic("t", (1,), size_bytes=10**12))
    assert spread(placement) == ((1,),)


def test_large_topics_are_spread_evenly_by_replica_and_by_leader() -> None:
    shape = Shape(seed=11, racks=(4, 4, 4), empty_brokers=6, topics=30, partitions_max=60)
    placement = random_cluster(shape)
    plan = spread(placement)
    sizes: dict[str, int] = {}
    for partition in placement.partitions:
        sizes[partition.topic] = sizes.get(partition.topic, 0) + partition.size_bytes
    for name in sorted(sizes, key=lambda t: -sizes[t])[:10]:
        lists = [r for p, r in zip(placement.partitions, plan, strict=True) if p.topic == name]
        ideal = -(-len(lists) // 12)
        leaders = [r[0] for r in lists]
        assert max(map(leaders.count, leaders)) <= ideal + 1


def test_leaders_that_all_sit_together_are_spread_whatever_the_topics() -> None:
    lists = [(1, 2, 3)] * 40
    topics = [p for t in range(10) for p in topic(f"t{t}", *lists)]
    placement = Placement(brokers("az0", "az1", "az2"), tuple(topics))
    plan = spread(placement)
    leads = [sum(r[0] == b for r in plan) for b in (1, 2, 3)]
    assert max(leads) <= 1.02 * 400 / 3 + 1
    assert measure(placement, plan).moved_bytes == 0


def test_dwarfs_beside_giants_in_one_topic_are_spread_too() -> None:
    giants = [(THREE[i % 3], 10**9) for i in range(12)]
    dwarfs = [(THREE[i % 3], 10**3) for i in range(120)]
    partitions = [
        Partition("mixed", i, replicas, size) for i, (replicas, size) in enumerate(giants + dwarfs)
    ]
    placement = Placement(brokers("az0", "az1", "az2", "az0", "az1", "az2"), tuple(partitions))
    metrics = measure(placement, spread(placement))
    assert metrics.disk_max_over_mean <= 1.01
    assert metrics.replicas_max_over_mean <= 1.05
