"""Throttle settings as arithmetic: what is asked of Kafka for what is there."""

from __future__ import annotations

import pytest

from changes.facts import BrokerRates, ReplicaLists
from cluster.kafka_configs import (
    APPEND,
    DELETE,
    FOLLOWER_LIST,
    LEADER_LIST,
    LEADER_RATE,
    SET,
    SUBTRACT,
    add_operations,
    dynamic,
    entries,
    holds,
    lacks,
    rate_operations,
    remove_operations,
    sweep_operations,
)

OURS = ReplicaLists(leader=("0:1", "1:2"))


@pytest.mark.parametrize(
    ("present", "kraft", "expected"),
    [
        ({}, True, (APPEND, "0:1,1:2")),
        ({}, False, (SET, "0:1,1:2")),
        ({LEADER_LIST: ""}, False, (SET, "0:1,1:2")),
        ({LEADER_LIST: "7:7"}, False, (APPEND, "0:1,1:2")),
        ({LEADER_LIST: "7:7,0:1"}, True, (APPEND, "1:2")),
        ({LEADER_LIST: "1:2,0:1"}, True, None),
        ({LEADER_LIST: "*"}, True, None),
    ],
)
def test_only_what_is_missing_is_added(
    present: dict[str, str], kraft: bool, expected: tuple[int, str] | None
) -> None:
    operations = add_operations(OURS, present, kraft=kraft)
    asked = [(one["name"], one["config_operation"], one["value"]) for one in operations]
    assert asked == ([(LEADER_LIST, *expected)] if expected else [])


def test_only_what_is_there_is_taken_away() -> None:
    both = ReplicaLists(leader=("0:1", "1:2"), follower=("0:4",))
    (one,) = remove_operations(both, {LEADER_LIST: "7:7,0:1"})
    assert (one["config_operation"], one["value"]) == (SUBTRACT, "0:1")
    assert remove_operations(both, {}) == ()


def test_emptied_lists_are_deleted_and_others_left() -> None:
    (one,) = sweep_operations({LEADER_LIST: "", FOLLOWER_LIST: "7:7"})
    assert (one["name"], one["config_operation"]) == (LEADER_LIST, DELETE)
    assert sweep_operations({}) == ()


def test_a_rate_is_set_or_deleted() -> None:
    first, second = rate_operations(BrokerRates(leader_bytes_per_second=5))
    assert (first["name"], first["config_operation"], first["value"]) == (LEADER_RATE, SET, "5")
    assert (second["config_operation"], second["value"]) == (DELETE, None)


def test_only_settings_made_on_the_resource_itself_count() -> None:
    configs = [
        {"name": "own", "value": "1", "config_source": 1},
        {"name": "default", "value": "2", "config_source": 5},
        {"name": "secret", "value": None, "config_source": 1},
    ]
    assert dynamic({"configs": configs}, 1) == {"own": "1"}


def test_what_is_there_is_told_from_what_is_not() -> None:
    assert entries(" 0:1, ,1:2,") == ("0:1", "1:2")
    assert holds({LEADER_LIST: "0:1,1:2,7:7"}, OURS)
    assert holds({LEADER_LIST: "*"}, OURS)
    assert not holds({LEADER_LIST: "0:1"}, OURS)
    assert lacks({LEADER_LIST: "7:7", FOLLOWER_LIST: "0:1"}, OURS)
    assert not lacks({LEADER_LIST: "1:2"}, OURS)
