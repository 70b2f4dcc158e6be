import pytest

from changes.placement.bounds import lower_bound_bytes, moves_stay_in_racks
from changes.placement.model import Placement
from tests.changes.placement.clusters import brokers, topic


def grown(old: int, new: int) -> Placement:
    """`old` brokers evenly filled in three racks, and empty ones up to `new`."""
    racks = [f"az{i % 3}" for i in range(new)]
    triples = [(i + 1, i + 2, i + 3) for i in range(0, old, 3)] * 10
    return Placement(brokers(*racks), topic("t", *triples, size_bytes=600))


@pytest.mark.parametrize(("old", "new"), [(3, 6), (6, 9), (30, 36), (3, 3)])
def test_growing_a_balanced_cluster_moves_the_new_brokers_share(old: int, new: int) -> None:
    placement = grown(old, new)
    whole = sum(3 * p.size_bytes for p in placement.partitions)
    assert lower_bound_bytes(placement) == pytest.approx(whole * (new - old) / new, abs=1)


def test_a_tolerance_lowers_the_bound() -> None:
    placement = grown(3, 6)  # 3000 bytes a broker in the end
    assert lower_bound_bytes(placement, tolerance=0.05) == 3 * 2850
    assert lower_bound_bytes(placement) == 3 * 3000


def test_the_greater_side_of_the_band_binds() -> None:
    # one broker far too full, the others only a little too empty: bytes must leave it all the same
    lists = [(1,)] * 8 + [(2,)] * 4 + [(3,)] * 4 + [(4,)] * 4
    placement = Placement(brokers("", "", "", ""), topic("t", *lists))
    assert lower_bound_bytes(placement, tolerance=0.2) == 200  # 800 − 1.2 × 500


def test_racks_are_bound_one_by_one_where_replicas_cannot_leave_them() -> None:
    lists = [(1, 2)] * 4 + [(3, 4)] * 2  # rack a: brokers 1, 3; rack b: 2, 4
    placement = Placement(brokers("a", "b", "a", "b"), topic("t", *lists))
    assert moves_stay_in_racks(placement)
    assert lower_bound_bytes(placement) == 200


def test_one_replica_less_than_racks_may_cross() -> None:
    placement = Placement(brokers("a", "b", "c"), topic("t", (1, 2), (1, 2), (1, 2)))
    assert not moves_stay_in_racks(placement)
    assert lower_bound_bytes(placement) == 200


def test_nothing_has_to_move_in_a_balanced_or_an_empty_cluster() -> None:
    assert lower_bound_bytes(grown(6, 6)) == 0
    assert lower_bound_bytes(Placement(brokers("a"), ())) == 0
    assert lower_bound_bytes(Placement((), ())) == 0
    empty = Placement(brokers("a", "a"), topic("t", (1,), (1,), size_bytes=0))
    assert lower_bound_bytes(empty) == 0
