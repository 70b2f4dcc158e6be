import ast
from pathlib import Path

import pytest

from changes.placement import judge as judge_module
from changes.placement.judge import judge
from changes.placement.model import Broker, Placement
from tests.changes.placement.clusters import brokers, topic, unchanged

SIX = Placement(
    brokers("az0", "az1", "az2", "az0", "az1", "az2", capacity_bytes=450),
    topic("orders", (1, 2, 3), (2, 3, 1), (3, 1, 2)),
)


def with_first(replicas: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return (replicas, *unchanged(SIX)[1:])


@pytest.mark.parametrize(
    "replicas", [(1, 2, 3), (3, 1, 2), (4, 2, 3), (4, 5, 6), (6, 4, 5)], ids=str
)
def test_it_accepts_moves_that_keep_factor_and_racks(replicas: tuple[int, ...]) -> None:
    assert judge(SIX, with_first(replicas)) == ()


@pytest.mark.parametrize(
    ("replicas", "sentence"),
    [
        ((1, 1, 3), "orders-0 lists broker 1 2 times; a broker can hold one replica of it."),
        ((1, 2, 4), "orders-0 is on 3 racks (az0, az1, az2) and would be on 2 (az0, az1); "
                    "a move must keep the rack spread."),
        ((1, 2), "orders-0 would have 2 replicas instead of 3; "
                 "a move must not change the replication factor."),
        ((1, 2, 3, 4), "orders-0 would have 4 replicas instead of 3; "
                       "a move must not change the replication factor."),
        ((), "orders-0 would have 0 replicas instead of 3; "
             "a move must not change the replication factor."),
        ((1, 2, 9), "orders-0 would go to broker 9, which is not in the cluster; "
                    "bring it back or name one of 1, 2, 3, 4, 5, 6."),
    ],
    ids=["duplicate", "lost rack", "factor lowered", "factor raised", "no replicas", "unknown"],
)  # fmt: skip
def test_it_refuses_each_breach_by_name(replicas: tuple[int, ...], sentence: str) -> None:
    assert sentence in judge(SIX, with_first(replicas))


@pytest.mark.parametrize("plan", [(), unchanged(SIX)[:2], (*unchanged(SIX), (1, 2, 3))])
def test_it_refuses_a_plan_of_the_wrong_length(plan: tuple[tuple[int, ...], ...]) -> None:
    (sentence,) = judge(SIX, plan)
    assert sentence.startswith(f"The plan has {len(plan)} replica lists for 3 partitions")


def test_it_refuses_to_fill_a_broker_beyond_its_capacity() -> None:
    small = Broker(4, "az0", 250)
    placement = Placement((*SIX.brokers[:3], small), SIX.partitions)
    plan = ((4, 2, 3), (2, 3, 4), (3, 4, 2))
    (sentence,) = judge(placement, plan)
    assert sentence == (
        "Broker 4 would hold 300 bytes and has room for 250; leave it less or give it more storage."
    )


def test_a_broker_that_is_too_full_already_may_be_relieved_in_part() -> None:
    full = Broker(1, "az0", 150)
    placement = Placement((full, *SIX.brokers[1:]), SIX.partitions)
    assert judge(placement, with_first((4, 2, 3))) == ()


def test_a_partition_left_on_a_broker_that_is_gone_is_refused() -> None:
    placement = Placement(brokers("az0", "az1"), topic("orders", (1, 9)))
    (sentence,) = judge(placement, ((1, 9),))
    assert sentence.startswith("orders-0 still lists broker 9, which is not in the cluster")


def test_replacing_a_broker_that_is_gone_is_accepted() -> None:
    placement = Placement(brokers("az0", "az1"), topic("orders", (1, 9)))
    assert judge(placement, ((1, 2),)) == ()


def test_rack_spread_that_was_missing_before_is_not_asked_for() -> None:
    placement = Placement(brokers("az0", "az0", "az1", "az0"), topic("orders", (1, 2)))
    assert judge(placement, ((1, 4),)) == ()
    assert judge(placement, ((1, 3),)) == ()


def test_every_breach_is_named_not_only_the_first() -> None:
    assert len(judge(SIX, ((1, 1, 3), (1, 2), (9, 1, 2)))) >= 4


def test_it_shares_no_code_with_the_planner() -> None:
    source = Path(judge_module.__file__).read_text(encoding="utf-8")
    imported = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__"
    }
    assert imported == {"collections.abc", "changes.placement.model"}
