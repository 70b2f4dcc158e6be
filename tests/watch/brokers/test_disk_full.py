"""Disks that fill: the forecast, the level, and what would help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from changes.incident import Severity
from tests.watch.brokers.seeing import (
    GIB,
    NOW,
    Clock,
    loads_of,
    look,
    msk_of,
    only,
    partition_of,
    seen_of,
    storage_operation,
)
from watch.history import History
from watch.rules.disk_full import DiskFull

RULE = DiskFull()
Course = Callable[[float], float]
QUARTER = timedelta(minutes=15)


def run(course: Course, *, hours: float, **parts: Any) -> Clock:
    """Broker 1's disk by hour; brokers 2 and 3 follow it a little below."""
    clock = Clock(RULE, every=QUARTER)
    while clock.minutes <= hours * 60:
        percent = course(clock.minutes / 60)
        figures = loads_of(disk_used_percent={1: percent, 2: percent - 2, 3: percent - 3})
        clock.round(seen_of(clock.at, loads=figures, partitions=(), **parts))
    return clock


def teeth(start: float, per_hour: float, hour: float) -> float:
    """Growth an hour, and retention takes 4 % away every six hours."""
    return start + per_hour * hour - 4 * (hour // 6)


# Scenario 17.


def test_a_saw_that_needs_87_hours_stays_silent() -> None:
    clock = run(lambda hour: teeth(61 - 8, 1.0, hour), hours=36)
    assert clock.fired == []


def test_doubled_growth_warns_below_48_hours_and_turns_critical_below_12() -> None:
    def course(hour: float) -> float:
        return teeth(53, 1.0, hour) + max(0.0, hour - 24)

    clock = run(course, hours=54)
    broker_1 = [(at / 60, told) for at, told in clock.fired if told.subject == "broker 1"]
    (warned_at, warned), (critical_at, critical) = broker_1
    assert (warned.severity, critical.severity) == (Severity.WARN, Severity.CRIT)
    assert 24 < warned_at < 36
    assert course(warned_at) < 75, "two days ahead, not at 85 %"
    assert warned_at < critical_at
    assert course(critical_at) < 85, "by pace, before any level"
    assert not clock.ended, "one incident, however the teeth lie"
    assert "90 % in about" in warned.words
    assert warned.proposal == "scale brokers 6"
    assert not warned.never_excused
    assert critical.never_excused
    assert warned.trend is not None
    assert all(len(line.points) <= 20 for line in warned.trend.lines)


def test_one_jump_of_8_percent_alerts_nobody() -> None:
    clock = run(lambda hour: 61 + 0.05 * hour + (8 if hour >= 20 else 0), hours=44)
    assert clock.fired == []


def test_inside_the_cool_down_it_proposes_retention_or_brokers() -> None:
    history = History()
    full = seen_of(
        loads=loads_of(disk_used_percent={1: 86.0, 2: 85.5, 3: 84.0}),
        operations=(storage_operation(NOW - timedelta(hours=2)),),
    )
    told = look(RULE, full, history).findings[0]
    assert told.lines[0] == (
        "MSK's disks grew 2 h ago and cannot grow again for another 4 h at least: "
        "shorten retention or add brokers"
    )
    assert told.proposal == "scale brokers 6"


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        (None, "is not known"),
        ((), "MSK's disks can grow"),
        ((storage_operation(NOW - timedelta(hours=7)),), "may still refuse to grow"),
        ((storage_operation(NOW - timedelta(hours=25)),), "MSK's disks can grow"),
    ],
)
def test_what_is_known_of_the_cool_down_is_said(operations: Any, words: str) -> None:
    full = seen_of(loads=loads_of(disk_used_percent={1: 86.0}), operations=operations)
    assert words in only(look(RULE, full)).lines[0]


def test_storage_that_was_seen_to_grow_counts_without_msk_operations() -> None:
    history = History()
    history.add(seen_of(NOW - timedelta(hours=1), msk=msk_of(volume_gib=500)))
    history.add(seen_of(NOW - timedelta(minutes=50)))
    full = seen_of(loads=loads_of(disk_used_percent={1: 91.0}), operations=None)
    assert "grew 1 h ago" in only(look(RULE, full, history)).lines[0]


# Levels.


@pytest.mark.parametrize(
    ("percent", "severity", "phase"),
    [
        (82.9, None, None),
        (83.0, Severity.WARN, "between"),
        (84.9, Severity.WARN, "between"),
        (85.0, Severity.WARN, "trigger"),
        (89.9, Severity.WARN, "trigger"),
        (90.0, Severity.CRIT, "trigger"),
    ],
)
def test_levels_on_either_side(
    percent: float, severity: Severity | None, phase: str | None
) -> None:
    found = look(RULE, seen_of(loads=loads_of(disk_used_percent={1: percent}))).findings
    assert [(one.severity, one.phase) for one in found] == ([(severity, phase)] if severity else [])
    assert all(one.never_excused is (percent >= 90) for one in found)


def test_a_level_that_trembles_stays_one_alert() -> None:
    clock = Clock(RULE, every=timedelta(minutes=1))
    for i in range(60):
        percent = 90.1 if i % 5 == 0 else 89.9
        clock.round(seen_of(clock.at, loads=loads_of(disk_used_percent={1: percent})))
    assert [told.severity for _, told in clock.fired] == [Severity.CRIT]


def test_thin_evidence_warns_only_when_the_limit_is_near() -> None:
    quick = run(lambda hour: 50 + 4 * hour, hours=4)
    assert {told.severity for _, told in quick.fired} == {Severity.WARN}
    slow = run(lambda hour: 50 + hour, hours=4)
    assert slow.fired == []


# What would help.


def test_brokers_do_not_help_against_one_giant_partition() -> None:
    parts = (partition_of("logs", 3, (1,), 600 * GIB), partition_of("logs", 4, (1,), 100 * GIB))
    full = seen_of(loads=loads_of(disk_used_percent={1: 86.0}), partitions=parts)
    told = only(look(RULE, full))
    assert not told.proposal
    assert told.why_not.startswith("86% of broker 1's data is logs-3 alone")


def test_brokers_do_not_help_while_the_others_have_room() -> None:
    full = seen_of(loads=loads_of(disk_used_percent={1: 86.0, 2: 40.0, 3: 42.0}))
    told = only(look(RULE, full))
    assert not told.proposal
    assert "other brokers' disk is at 41 % on average" in told.why_not


def test_a_level_that_was_left_is_no_reason_to_grow_again() -> None:
    clock = Clock(RULE, every=timedelta(minutes=1))
    looked = [
        clock.round(
            seen_of(clock.at, loads=loads_of(disk_used_percent=dict.fromkeys((1, 2, 3), used)))
        )
        for used in (86.0, 86.0, 43.0)
    ]
    before, after = looked[1].findings[0], looked[2].findings[0]
    assert before.proposal == "scale brokers 6"
    assert (after.proposal, after.phase) == ("", "trigger"), "one alert until it stays below"
    assert after.why_not.startswith("it was at 86 % within 10 min and is at 43 % now")


@pytest.mark.parametrize(
    ("msk", "proposal", "why_not"),
    [
        (msk_of(broker_count=6), "scale brokers 9", ""),
        (msk_of(broker_count=60), "", "AWS's quota is 60"),
        (msk_of(cluster_type="SERVERLESS"), "", "SERVERLESS"),
        (None, "", ""),
    ],
)
def test_the_proposal_is_the_next_count_msk_takes(msk: Any, proposal: str, why_not: str) -> None:
    full = seen_of(loads=loads_of(disk_used_percent={1: 86.0, 2: 86.0, 3: 86.0}), msk=msk)
    told = look(RULE, full).findings[0]
    assert told.proposal == proposal
    assert why_not in told.why_not


# What cannot be judged.


def test_express_brokers_have_no_disks_of_their_own() -> None:
    looked = look(RULE, seen_of(msk=msk_of(instance_type="express.m7g.large")))
    assert looked.findings == ()
    assert "does not apply" in looked.unseen[0].words


def test_a_broker_without_a_figure_is_named() -> None:
    looked = look(RULE, seen_of(loads=loads_of(disk_used_percent={1: 40.0, 2: None})))
    assert [(one.subject, one.words) for one in looked.unseen] == [
        ("broker 2", "CloudWatch has no figure of this disk")
    ]


def test_without_cloudwatch_nothing_ends_and_nothing_begins() -> None:
    clock = Clock(RULE, every=timedelta(minutes=1))
    for i in range(30):
        gone: dict[str, Any] = {"loads": None, "blind": {"metrics": "throttled"}}
        full: dict[str, Any] = {"loads": loads_of(disk_used_percent={1: 91.0})}
        clock.round(seen_of(clock.at, **(full if i < 5 else gone)))
    assert len(clock.fired) == 1
    assert clock.ended == []
    assert "disk_full/disk_full/broker 1" in clock.firing


def test_what_is_fine_is_measured_too() -> None:
    assert dict(look(RULE, seen_of()).measures)["disk_full/disk_full/broker 2"] == 40.0
