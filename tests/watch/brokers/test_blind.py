"""What the watch says when it cannot see, and what it does not say then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.lag import LagScan
from tests.watch.brokers.seeing import Clock, group_of, lag_of, look, only, seen_of
from watch.rules.blind import Blind

RULE = Blind()
SCAN = timedelta(seconds=30)


def partial(clock: Clock) -> LagScan:
    """Broker 2 is silent: 34 groups are missing, the others are there."""
    return lag_of(
        clock.at,
        groups={"payments": group_of({("orders", 0): 5})},
        blind_brokers={2: "no answer within 2 s"},
        missing_groups=frozenset(f"group-{i}" for i in range(34)),
    )


# Scenario 18.


def test_one_notice_after_three_scans_and_cleared_on_recovery() -> None:
    clock = Clock(RULE, every=SCAN)
    while clock.minutes < 20:
        silent = 2 <= clock.minutes < 12
        clock.round(seen_of(clock.at, lag=partial(clock) if silent else lag_of(clock.at)))
    ((minute, told),) = clock.fired
    assert minute == 3, "the third scan that could not see"
    assert told.words == "blind: 34 groups, broker 2 is silent"
    assert told.lines == ("broker 2: no answer within 2 s",)
    ((over, _),) = clock.ended
    assert over == 12


def test_one_scan_that_failed_is_not_told() -> None:
    clock = Clock(RULE, every=SCAN)
    for i in range(20):
        clock.round(seen_of(clock.at, lag=partial(clock) if i % 4 == 0 else lag_of(clock.at)))
    assert clock.fired == []


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"lag": None, "blind": {"lag": "timeout"}}, "blind: consumer groups cannot be read"),
        ({"loads": None, "blind": {"metrics": "throttled"}}, "blind: CloudWatch cannot be read"),
        (
            {"msk": None, "loads": None, "blind": {"msk": "403", "metrics": "403"}},
            "blind: MSK and CloudWatch cannot be read",
        ),
        (
            {"partitions": None, "blind": {"placement": "x"}},
            "blind: Kafka's metadata cannot be read",
        ),
        (
            {"reassignments": None, "blind": {"reassignments": "the controller is away"}},
            "blind: running reassignments cannot be read",
        ),
    ],
)
def test_each_part_is_named(parts: dict[str, Any], words: str) -> None:
    assert only(look(RULE, seen_of(**parts))).words == words


def test_a_group_with_an_error_counts() -> None:
    scan = lag_of(groups={"a": group_of({}, error="not authorised"), "b": group_of({})})
    assert only(look(RULE, seen_of(lag=scan))).words == "blind: 1 group"


def test_what_nobody_looked_at_yet_is_not_blind() -> None:
    assert look(RULE, seen_of(lag=None, loads=None, msk=None, sizes_at=None)).findings == ()


def test_members_and_probes_are_told_elsewhere() -> None:
    assert look(RULE, seen_of(blind={"members": "x", "rungs": "y"})).findings == ()
