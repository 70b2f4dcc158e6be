"""Lag as arithmetic, and which groups have any."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from lab.aws.lag import lag_values, measured

A, B = TopicPartition("orders", 0), TopicPartition("orders", 1)


def values(**given: dict[TopicPartition, int]) -> dict[str, float]:
    found = lag_values(
        given["committed"], given["ends"], before=given.get("before", {}), seconds=5.0
    )
    return {name: value for _, name, value in found}


def test_lag_is_summed_over_partitions_and_the_worst_is_named() -> None:
    found = values(committed={A: 10, B: 5}, ends={A: 30, B: 10})
    assert found == {"MaxOffsetLag": 20.0, "SumOffsetLag": 25.0}


def test_time_lag_is_the_worst_partitions_lag_at_its_own_pace() -> None:
    found = values(committed={A: 10, B: 5}, ends={A: 30, B: 10}, before={A: 0, B: 5})
    assert found["EstimatedMaxTimeLag"] == 10.0  # 20 behind, at 2 a second


def test_a_group_without_lag_needs_no_time() -> None:
    assert values(committed={A: 10}, ends={A: 10})["EstimatedMaxTimeLag"] == 0.0


def test_an_end_read_too_early_is_no_negative_lag() -> None:
    assert values(committed={A: 12}, ends={A: 10})["MaxOffsetLag"] == 0.0


def test_partitions_that_are_gone_have_no_lag() -> None:
    assert values(committed={A: 12}, ends={}) == {}


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("billing", True),
        ("team:billing", False),
        ("fakturierung-ü", False),
        ("amazon.msk.canary.group.broker-1", False),
    ],
)
def test_only_names_msk_would_measure_are_measured(group: str, wanted: bool) -> None:
    assert measured(group) is wanted
