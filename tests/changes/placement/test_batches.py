import pytest

from changes.placement.batches import batches, peak_disk_bytes
from changes.placement.model import Placement
from changes.placement.spread import spread
from tests.changes.placement.clusters import Shape, brokers, random_cluster, topic, unchanged

GROWN = Placement(brokers("", "", ""), topic("t", *[(1,)] * 6, *[(2,)] * 6))
PLAN = ((3,), (3,), *[(1,)] * 4, (3,), (3,), *[(2,)] * 4)


def test_every_touched_partition_is_moved_once_and_no_other() -> None:
    order = batches(GROWN, PLAN, partitions_per_call=3)
    assert sorted(i for call in order for i in call) == [0, 1, 6, 7]
    assert [len(call) for call in order] == [3, 1]


def test_nothing_to_do_is_no_call() -> None:
    assert batches(GROWN, unchanged(GROWN), partitions_per_call=10) == ()


def test_senders_take_turns() -> None:
    flat = [i for call in batches(GROWN, PLAN, partitions_per_call=1) for i in call]
    assert [i < 6 for i in flat] in (
        [True, False] * 2,
        [False, True] * 2,
        [True, False, False, True],
    )


def test_reordered_lists_wait_for_the_data() -> None:
    placement = Placement(brokers("", "", ""), topic("t", (1, 2), (1, 2)))
    assert batches(placement, ((2, 1), (1, 3)), partitions_per_call=1) == ((1,), (0,))


def test_internal_topics_come_last_one_partition_a_call() -> None:
    placement = Placement(
        brokers("", ""), (*topic("__consumer_offsets", (1,), (1,)), *topic("a", (1,), (1,)))
    )
    plan = ((2,),) * 4
    order = batches(placement, plan, partitions_per_call=10)
    assert [set(call) for call in order] == [{2, 3}, {0}, {1}]


def test_no_broker_is_far_ahead_of_the_others() -> None:
    placement = random_cluster(
        Shape(seed=5, racks=(4, 4, 4), empty_brokers=6, topics=20, partitions_max=60)
    )
    plan = spread(placement)
    flat = [i for call in batches(placement, plan, partitions_per_call=10) for i in call]
    gets = {b.broker_id: 0 for b in placement.brokers}
    for i in flat[: len(flat) // 2]:
        for broker in set(plan[i]) - set(placement.partitions[i].replicas):
            gets[broker] += placement.partitions[i].size_bytes
    halves = [gets[b.broker_id] for b in placement.brokers[-6:]]
    assert max(halves) <= 1.25 * min(halves)


def test_the_peak_counts_what_arrives_before_what_leaves() -> None:
    placement = Placement(brokers("", ""), topic("t", (1,), (2,), size_bytes=70))
    plan = ((2,), (1,))
    assert peak_disk_bytes(placement, plan, ((0, 1),), 2) == {1: 140, 2: 140}
    assert peak_disk_bytes(placement, plan, ((0, 1),), 1) == {1: 70, 2: 140}


def test_the_peak_of_a_broker_that_only_receives_is_its_end() -> None:
    order = batches(GROWN, PLAN, partitions_per_call=2)
    assert peak_disk_bytes(GROWN, PLAN, order, in_flight=4) == {1: 600, 2: 600, 3: 400}


def test_it_is_always_the_same_order() -> None:
    placement = random_cluster(Shape(seed=8, racks=(2, 2, 2), empty_brokers=3, topics=12))
    plan = spread(placement)
    first = batches(placement, plan, partitions_per_call=7)
    assert first == batches(placement, plan, partitions_per_call=7)


@pytest.mark.parametrize("wrong", [0, -1])
def test_impossible_limits_are_refused_by_name(wrong: int) -> None:
    with pytest.raises(ValueError, match="partitions_per_call is"):
        batches(GROWN, PLAN, partitions_per_call=wrong)
    with pytest.raises(ValueError, match="in_flight is"):
        peak_disk_bytes(GROWN, PLAN, ((0,),), wrong)
