"""CPUs above AWS's advice, and those that will be."""

from __future__ import annotations

from datetime import timedelta
from math import sin, tau
from typing import Any

import pytest

from changes.incident import Severity
from tests.watch.brokers.seeing import Clock, loads_of, look, msk_of, seen_of
from watch.rules.cpu_forecast import CpuForecast

RULE = CpuForecast()
MINUTE = timedelta(minutes=1)


def steady(percent: float, *, others: float = 50.0, minutes: int = 30, **parts: Any) -> Clock:
    clock = Clock(RULE, every=MINUTE)
    for _ in range(minutes):
        figures = loads_of(cpu_percent={1: percent, 2: others, 3: others})
        clock.round(seen_of(clock.at, loads=figures, **parts))
    return clock


@pytest.mark.parametrize(
    ("percent", "severity"),
    [(59.9, None), (60.0, Severity.WARN), (84.9, Severity.WARN), (85.0, Severity.CRIT)],
)
def test_levels_on_either_side(percent: float, severity: Severity | None) -> None:
    assert [told.severity for _, told in steady(percent).fired] == ([severity] if severity else [])


def test_a_short_peak_is_nobodys_business() -> None:
    clock = Clock(RULE, every=MINUTE)
    for i in range(60):
        percent = 95.0 if 20 <= i < 26 else 30.0
        clock.round(seen_of(clock.at, loads=loads_of(cpu_percent={1: percent})))
    assert clock.fired == []


def test_all_brokers_busy_calls_for_more_of_them() -> None:
    clock = steady(70, others=68)
    (_, told) = clock.fired[0]
    assert told.proposal == "scale brokers 6"
    assert told.trend is not None
    assert "AWS advises less than 60 %" in told.words


def test_a_load_that_was_left_is_no_reason_to_grow_again() -> None:
    """The middle of a quarter of an hour lags behind a change that helped."""
    clock = Clock(RULE, every=MINUTE)
    offers = []
    for i in range(40):
        percent = 75.0 if i < 30 else 38.0
        loads = loads_of(cpu_percent=dict.fromkeys((1, 2, 3), percent))
        looked = clock.round(seen_of(clock.at, loads=loads))
        offers.append({one.proposal for one in looked.findings})
    assert offers[29] == {"scale brokers 6"}
    assert offers[34] == {""}


def test_one_busy_broker_does_not() -> None:
    ((_, told),) = steady(70, others=20).fired
    assert not told.proposal
    assert "spreading" in told.why_not


def test_a_daily_peak_that_grows_is_told_two_days_ahead() -> None:
    clock = Clock(RULE, every=timedelta(minutes=3))
    while clock.minutes < 46 * 60:
        hour = clock.minutes / 60
        percent = 35 + 10 * sin(tau * hour / 24) + 8 * hour / 24
        clock.round(seen_of(clock.at, partitions=(), loads=loads_of(cpu_percent={1: percent})))
    ((minute, told),) = clock.fired
    assert minute > 29 * 60
    assert told.severity is Severity.WARN
    assert "+8 % a day: 60 % in about" in told.lines[0]


def test_a_busy_day_that_repeats_is_silent() -> None:
    clock = Clock(RULE, every=timedelta(minutes=3))
    while clock.minutes < 47 * 60:
        percent = 40 + 15 * sin(tau * clock.minutes / 60 / 24)
        clock.round(seen_of(clock.at, partitions=(), loads=loads_of(cpu_percent={1: percent})))
    assert clock.fired == []


def test_express_brokers_have_cpus() -> None:
    clock = steady(70, others=68, msk=msk_of(instance_type="express.m7g.large"))
    assert {told.subject for _, told in clock.fired} == {"broker 1", "broker 2", "broker 3"}


def test_without_figures_it_says_so() -> None:
    gone = look(RULE, seen_of(loads=None))
    assert (gone.findings, gone.unseen[0].subject) == ((), "*")
    first = look(RULE, seen_of(loads=loads_of(cpu_percent={1: 99.0, 2: None})))
    assert first.findings == ()
    assert [one.subject for one in first.unseen] == ["broker 1", "broker 2"]
    assert "too few recent figures" in first.unseen[0].words


@pytest.mark.parametrize(
    ("period_seconds", "over_minutes"), [(60, 3), (180, 15), (240, 15), (300, 15), (400, 40)]
)
def test_figures_that_come_seldom_are_judged_all_the_same(
    period_seconds: int, over_minutes: float
) -> None:
    """Whichever figures there can be within that time suffice, at every look between them."""
    clock = Clock(RULE, every=timedelta(seconds=20), over_minutes=over_minutes)
    while clock.minutes < 90:
        read_at = clock.at - timedelta(minutes=clock.minutes) % timedelta(seconds=period_seconds)
        looked = clock.round(
            seen_of(clock.at, loads=loads_of(cpu_percent={1: 99.0}), loads_at=read_at)
        )
    assert (len(clock.fired), looked.unseen) == (1, ())


def test_a_gap_in_the_figures_is_no_seldom_figure() -> None:
    """After half an hour without CloudWatch one figure is as little as at the start."""
    clock = steady(70)
    clock.at += timedelta(minutes=30)
    looked = clock.round(seen_of(clock.at, loads=loads_of(cpu_percent={1: 99.0})))
    assert (looked.findings, [one.subject for one in looked.unseen]) == ((), ["broker 1"])
