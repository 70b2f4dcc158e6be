"""CloudWatch's lag beside the scan's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from changes.incident import EVERYTHING, Severity
from tests.watch.brokers.seeing import NOW, Clock, group_of, lag_of, look, only, seen_of
from watch.rules.lag_witness import LagWitness
from watch.witnesses import PAIRS_MAX, measured, pairs_to_ask

RULE = LagWitness()
PAIR = ("payments", "orders")
TP = ("orders", 0)


def run(
    told: Callable[[float], float | None],
    *,
    minutes: float = 20,
    lag: int = 10_000,
    group: str = "payments",
    **settings: Any,
) -> Clock:
    """CloudWatch says `told(minute)` of a group whose lag by the scan is always `lag`."""
    clock = Clock(RULE, every=timedelta(seconds=30), **settings)
    while clock.minutes < minutes:
        scan = lag_of(clock.at, groups={group: group_of({TP: 50_000})}, ends={TP: 50_000 + lag})
        value = told(clock.minutes)
        point = (
            {} if value is None else {(group, "orders"): (clock.at - timedelta(minutes=1), value)}
        )
        clock.round(seen_of(clock.at, lag=scan, group_lag=point))
    return clock


@pytest.mark.parametrize(
    ("value", "alerts"), [(10_000, 0), (12_400, 0), (12_600, 1), (8_100, 0), (7_900, 1), (0, 1)]
)
def test_more_than_a_fifth_apart_for_five_minutes(value: float, alerts: int) -> None:
    clock = run(lambda _: value)
    assert len(clock.fired) == alerts
    assert all(minute >= 5 for minute, _ in clock.fired)


def test_the_words_name_both_monitors() -> None:
    ((_, told),) = run(lambda _: 20_000).fired
    assert told.words == "lag on orders: CloudWatch says 20,000, the direct scan 10,000 to 10,000"
    assert (told.subject, told.severity) == ("group payments", Severity.WARN)


@pytest.mark.parametrize("phase", [0.0, 7.0, 19.0, 31.0, 47.0])
def test_a_saw_between_commits_is_no_disagreement(phase: float) -> None:
    """Committed once a minute: the scan sees its own moments of the saw, CloudWatch others."""
    clock = Clock(RULE, every=timedelta(seconds=30))
    while clock.minutes < 120:
        second = 60 * clock.minutes
        end = 1_000_000 + int(1_000 * second)
        since_commit = (second + phase) % 60.5
        scan = lag_of(
            clock.at,
            groups={"payments": group_of({TP: end - int(1_000 * since_commit)})},
            ends={TP: end},
        )
        told = 1_000 * ((second - 90) % 60.5)
        point = {PAIR: (clock.at - timedelta(minutes=1), told)}
        clock.round(seen_of(clock.at, lag=scan, group_lag=point))
    assert clock.fired == []


def test_a_few_messages_are_never_apart() -> None:
    assert run(lambda _: 900, lag=10).fired == []


# Scenario 19.


def test_a_gap_in_cloudwatch_is_nothing_and_ends_nothing() -> None:
    quiet = run(lambda minute: None if 5 <= minute < 11 else 10_000)
    assert (quiet.fired, quiet.ended) == ([], [])
    loud = run(lambda minute: 20_000 if minute < 8 else None, minutes=30)
    assert len(loud.fired) == 1
    assert loud.ended == [], "not seen is not over"


def test_a_name_with_a_colon_is_one_hint_and_no_alert() -> None:
    clock = run(lambda _: None, group="a:b", minutes=60)
    ((_, told),) = clock.fired
    assert told.severity is Severity.INFO
    assert told.kind == "no series"
    assert told.lines[0] == "a:b"
    assert run(lambda _: None, group="a:b", hint_names=False).fired == []


def test_without_either_witness_it_says_so() -> None:
    gone = look(RULE, seen_of(group_lag=None))
    assert [(one.subject, one.words) for one in gone.unseen] == [
        (EVERYTHING, "CloudWatch was not asked for lag")
    ]
    both = look(RULE, seen_of(lag=None, group_lag=None, blind={"lag": "timeout"}))
    assert both.unseen[0].words == "timeout"


def test_a_group_without_a_point_is_named_as_unseen() -> None:
    scan = lag_of(groups={"payments": group_of({TP: 1})}, ends={TP: 9_000})
    looked = look(RULE, seen_of(lag=scan, group_lag={}))
    assert [one.subject for one in looked.unseen] == ["group payments"]


def test_a_healthy_pair_is_silent() -> None:
    clock = Clock(RULE, every=timedelta(seconds=30))
    for _ in range(2):
        scan = lag_of(clock.at, groups={"payments": group_of({TP: 1})}, ends={TP: 9_001})
        looked = clock.round(seen_of(clock.at, lag=scan, group_lag={PAIR: (NOW, 9_000.0)}))
    assert (looked.findings, looked.unseen) == ((), ())


def test_one_scan_alone_is_no_witness() -> None:
    """Of a saw it shows one moment."""
    scan = lag_of(groups={"payments": group_of({TP: 1})}, ends={TP: 9_001})
    looked = look(RULE, seen_of(lag=scan, group_lag={PAIR: (NOW, 90_000.0)}))
    assert (looked.findings, len(looked.unseen)) == ((), 1)


# Whom to ask about.


@pytest.mark.parametrize(
    ("group", "yes"), [("payments", True), ("a:b", False), ("zahlüngen", False), ("", True)]
)
def test_msk_measures_plain_names_only(group: str, yes: bool) -> None:
    assert measured(group) is yes


def test_the_furthest_behind_are_asked_about_first() -> None:
    groups = {f"g{i:03}": group_of({TP: 1000 - i}) for i in range(100)}
    groups |= {
        "never": group_of({TP: -1}),
        "broken": group_of({TP: 0}, error="not authorised"),
        "a:b": group_of({TP: 0}),
    }
    asked = pairs_to_ask(lag_of(groups=groups, ends={TP: 1000}))
    assert len(asked) == PAIRS_MAX
    assert asked[0] == ("g099", "orders")
    assert only(look(RULE, seen_of(lag=lag_of(groups={"a:b": group_of({})}), group_lag={})))
