import pytest

from changes.placement.model import Placement
from changes.placement.targets import broker_targets, fill
from tests.changes.placement.clusters import brokers, topic


def test_equal_brokers_share_equally() -> None:
    placement = Placement(brokers("a", "b", "c"), topic("t", (1, 2), (2, 3)))
    assert broker_targets(placement) == pytest.approx([400 / 3] * 3)


def test_a_twice_as_large_broker_gets_twice_as_much() -> None:
    small, large = brokers("a"), brokers("a", "a", capacity_bytes=2 * 10**12)[1:]
    placement = Placement((*small, *large), topic("t", (1,), (1,), (1,)))
    assert broker_targets(placement) == pytest.approx([100, 200])


def test_with_one_replica_in_every_rack_no_rack_can_get_more_or_less() -> None:
    # racks of 2 and 1: rack b's only broker must hold everything, however unfair that looks
    placement = Placement(brokers("a", "b", "a"), topic("t", (1, 2), (1, 2)))
    assert broker_targets(placement) == pytest.approx([100, 200, 100])


def test_with_more_racks_than_replicas_bytes_flow_to_the_emptiest() -> None:
    placement = Placement(brokers("a", "b", "c"), topic("t", (1, 2), (1, 2), (1, 2)))
    assert broker_targets(placement) == pytest.approx([200, 200, 200])


def test_no_broker_can_hold_a_partition_twice() -> None:
    huge = brokers("", "", "")
    placement = Placement(
        (*huge[:2], brokers("", "", "", capacity_bytes=9 * 10**12)[2]), topic("t", (1, 2), (1, 2))
    )
    assert broker_targets(placement)[2] == pytest.approx(200)  # its share by capacity would be 327


def test_an_empty_cluster_is_shared_by_replicas() -> None:
    placement = Placement(brokers("a", "a"), topic("t", (1,), (1,), size_bytes=0))
    assert broker_targets(placement) == pytest.approx([1, 1])


def test_a_missing_capacity_makes_all_equal() -> None:
    placement = Placement(
        (*brokers("a", capacity_bytes=0), *brokers("a", "a")[1:]), topic("t", (1,), (1,))
    )
    assert broker_targets(placement) == pytest.approx([100, 100])


def test_replicas_on_unknown_brokers_count_nowhere() -> None:
    placement = Placement(brokers("a", "b"), topic("t", (1, 2), (1, 99)))
    assert sum(broker_targets(placement)) == pytest.approx(300)


@pytest.mark.parametrize(
    ("total", "shares", "least", "most", "parts"),
    [
        (12, [1, 2, 3], [0, 0, 0], [99, 99, 99], [2, 4, 6]),
        (12, [1, 2, 3], [5, 0, 0], [99, 99, 99], [5, 2.8, 4.2]),
        (12, [1, 1, 1], [0, 0, 0], [2, 99, 99], [2, 5, 5]),
        (12, [1, 1, 1], [6, 0, 0], [99, 4, 1], [7, 4, 1]),
        (9, [1, 1, 1], [3, 3, 3], [3, 3, 3], [3, 3, 3]),
        (0, [1, 1], [0, 0], [9, 9], [0, 0]),
    ],
)
def test_fill_keeps_every_part_within_its_bounds(
    total: float, shares: list[float], least: list[float], most: list[float], parts: list[float]
) -> None:
    assert fill(total, shares=shares, least=least, most=most) == pytest.approx(parts)
