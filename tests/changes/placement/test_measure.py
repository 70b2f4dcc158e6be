import pytest

from changes.placement.measure import measure
from changes.placement.model import Placement
from tests.changes.placement.clusters import brokers, topic, unchanged

BEFORE = Placement(
    brokers("a", "b", "a", "b"),
    (
        *topic("big", (1, 2), (2, 1), size_bytes=300),
        *topic("small", (1, 2), (2, 1), size_bytes=100),
    ),
)
AFTER = ((3, 4), (2, 1), (2, 1), (4, 1))


def test_it_counts_what_moves_and_what_is_touched() -> None:
    metrics = measure(BEFORE, AFTER)
    assert metrics.moved_bytes == 700
    assert metrics.lower_bound_bytes == 800
    assert metrics.bytes_over_bound == pytest.approx(0.875)
    assert metrics.replicas_moved == 3
    assert metrics.partitions_touched == 3
    assert metrics.leader_changes == 3
    assert metrics.in_bytes == {1: 0, 2: 0, 3: 300, 4: 400}
    assert metrics.out_bytes == {1: 300, 2: 400, 3: 0, 4: 0}


def test_it_sets_every_broker_beside_the_mean() -> None:
    metrics = measure(
        BEFORE, AFTER
    )  # bytes 500, 400, 300, 400; leaders 0, 2, 1, 1; replicas 3 2 1 2
    assert metrics.disk_max_over_mean == pytest.approx(1.25)
    assert metrics.disk_min_over_mean == pytest.approx(0.75)
    assert metrics.leaders_max_over_mean == 2
    assert metrics.leaders_min_over_mean == 0
    assert metrics.replicas_max_over_mean == 1.5


def test_it_sets_topics_beside_their_fair_share() -> None:
    metrics = measure(BEFORE, AFTER)
    assert (metrics.top_replicas.worst, metrics.top_replicas.median) == (2, 2)
    assert (metrics.top_leaders.worst, metrics.top_leaders.median) == (2, 2)


def test_disks_compare_by_how_full_they_are() -> None:
    uneven = Placement(
        (*brokers("a"), *brokers("a", "a", capacity_bytes=2 * 10**12)[1:]),
        topic("t", (1,), (2,), (2,)),
    )
    metrics = measure(uneven, unchanged(uneven))
    assert metrics.disk_max_over_mean == pytest.approx(1)
    assert metrics.disk_min_over_mean == pytest.approx(1)


def test_it_counts_breaches() -> None:
    metrics = measure(BEFORE, ((1, 3), (2, 2), (1, 2, 3), (2, 1)))
    assert (metrics.rack_violations, metrics.duplicates, metrics.factor_changes) == (1, 1, 1)


def test_nothing_to_move_has_no_ratio() -> None:
    balanced = Placement(brokers("a", "a"), topic("t", (1, 2), (2, 1)))
    metrics = measure(balanced, unchanged(balanced))
    assert (metrics.moved_bytes, metrics.bytes_over_bound) == (0, None)
    assert metrics.disk_max_over_mean == 1


def test_an_empty_cluster_is_perfectly_balanced() -> None:
    metrics = measure(Placement(brokers("a"), ()), ())
    assert metrics.disk_max_over_mean == metrics.leaders_max_over_mean == 1
    assert metrics.top_replicas.worst == 1
