"""When a disk or a CPU reaches its limit: only what the figures carry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import sin, tau

import pytest

from tests.watch.brokers.seeing import NOW, loads_of, msk_of, seen_of
from watch.broker_history import BrokerHistory
from watch.forecast import (
    Forecast,
    cpu_forecast,
    disk_forecast,
    duration_words,
    forecast,
    theil_sen,
)

Course = Callable[[float], float]
"""Percent by hour."""


def after(
    hours: float, disk: Course | None = None, cpu: Course | None = None, every_minutes: int = 15
) -> tuple[BrokerHistory, datetime]:
    """A history of so many hours of broker 1, and the moment of its last figure."""
    history = BrokerHistory()
    at = NOW
    for i in range(int(hours * 60 / every_minutes) + 1):
        hour = i * every_minutes / 60
        at = NOW + timedelta(hours=hour)
        figures = {}
        if disk:
            figures["disk_used_percent"] = {1: disk(hour)}
        if cpu:
            figures["cpu_percent"] = {1: cpu(hour)}
        history.add(seen_of(at, partitions=None, loads=loads_of(**figures)))
    return history, at


def of_disk(hours: float, course: Course) -> Forecast:
    history, at = after(hours, disk=course)
    return disk_forecast(history, 1, now=at)


def of_cpu(hours: float, course: Course) -> Forecast:
    history, at = after(hours, cpu=course)
    return cpu_forecast(history, 1, now=at)


def test_steady_growth_is_drawn_on_to_ninety_percent() -> None:
    ahead = of_disk(24, lambda hour: 40 + hour)
    assert ahead.stage == "rising"
    assert ahead.line.percent_per_hour == pytest.approx(1.0)
    assert ahead.line.hours_left == pytest.approx(26)
    assert ahead.line.words == "+1.00 %/h: 90 % in about 26 h"
    assert not ahead.thin


def test_teeth_of_a_saw_are_joined_at_their_tips() -> None:
    ahead = of_disk(36, lambda hour: 50 + hour - 4 * (hour // 6))
    assert ahead.line.percent_per_hour == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize(
    ("course", "stage"),
    [
        (lambda _: 70.0, "steady"),
        (lambda hour: 70 - hour / 2, "steady"),
        (lambda hour: 70 + 0.19 * hour, "steady"),
        (lambda hour: 40 + 0.21 * hour, "rising"),
        (lambda hour: 40 + max(0.0, hour - 20), "unclear"),
    ],
)
def test_slopes_must_be_worth_it_and_agree(course: Course, stage: str) -> None:
    assert of_disk(24, course).stage == stage


def test_what_slopes_that_disagree_keep_alive_is_told_by_the_longer_one() -> None:
    ahead = of_disk(24, lambda hour: 40 + hour if hour < 20 else 60.0)
    assert ahead.stage == "unclear"
    assert ahead.line.hours_left is None
    assert ahead.long_hours_left == pytest.approx(30, abs=5)


@pytest.mark.parametrize(("hours", "stage"), [(1.5, "unknown"), (2.25, "rising")])
def test_three_hourly_points_are_the_least(hours: float, stage: str) -> None:
    assert of_disk(hours, lambda hour: 40 + 5 * hour).stage == stage


@pytest.mark.parametrize(("hours", "thin"), [(11, True), (13, False)])
def test_less_than_half_a_day_is_thin(hours: float, thin: bool) -> None:
    assert of_disk(hours, lambda hour: 40 + hour).thin is thin


def test_a_step_is_no_trend_and_the_trend_before_it_is_not_forgotten() -> None:
    def course(hour: float) -> float:
        return 40 + 0.5 * hour + (8 if hour >= 20 else 0)

    at_once = of_disk(20.5, course)
    assert (at_once.stage, at_once.line.hours_left) == ("unknown", None)
    assert "at one stroke" in at_once.line.words
    later = of_disk(24, course)
    assert later.line.percent_per_hour == pytest.approx(0.5, abs=0.1), "8 % in 24 h would be 0.83"


def test_after_storage_grew_three_points_are_enough() -> None:
    history, at = after(24, disk=lambda hour: 60 + hour)
    grown = msk_of(volume_gib=2000)
    for minutes in range(15, 166, 15):
        now = at + timedelta(minutes=minutes)
        figures = loads_of(disk_used_percent={1: 42 + minutes / 120})
        history.add(seen_of(now, partitions=None, msk=grown, loads=figures))
        ahead = disk_forecast(history, 1, now=now)
        assert ahead.line.hours_left is None or ahead.line.hours_left > 80
    assert ahead.stage == "rising"
    assert not ahead.thin
    assert ahead.line.percent_per_hour == pytest.approx(0.5, abs=0.02)


def test_an_old_figure_is_no_figure() -> None:
    history, at = after(24, disk=lambda hour: 40 + hour)
    ahead = disk_forecast(history, 1, now=at + timedelta(minutes=31))
    assert (ahead.stage, ahead.line.now_percent) == ("unknown", None)


def day(hour: float, *, growth_a_day: float = 0.0) -> float:
    return 30 + 10 * sin(tau * hour / 24) + growth_a_day * hour / 24


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (5, "pace not known yet: 5 h seen, 6 needed"),
        (8, "too short to tell growth from the time of day"),
        (28, "too short to tell growth from the time of day"),
    ],
)
def test_a_morning_is_not_taken_for_growth(hours: float, words: str) -> None:
    ahead = of_cpu(hours, day)
    assert ahead.line.hours_left is None
    assert words in ahead.line.words


@pytest.mark.parametrize("hours", [31, 36, 42, 48])
def test_a_steady_day_is_steady_at_every_hour(hours: float) -> None:
    ahead = of_cpu(hours, day)
    assert ahead.stage == "steady"
    assert "daily peak 40 %" in ahead.line.words


def test_growth_from_day_to_day_is_drawn_on_to_sixty_percent() -> None:
    ahead = of_cpu(47, lambda hour: day(hour, growth_a_day=6))
    assert ahead.stage == "rising"
    assert ahead.line.percent_per_hour == pytest.approx(0.25, abs=0.02)
    assert ahead.line.hours_left is not None
    peak = day(30, growth_a_day=6)
    assert ahead.line.hours_left == pytest.approx((60 - peak) / 0.25, rel=0.1)
    assert "+6 % a day" in ahead.line.words


def test_the_view_gets_a_line_for_every_figure_there_is() -> None:
    history, at = after(24, disk=lambda hour: 40 + hour, cpu=day)
    lines = forecast(history, now=at)
    assert [(one.broker_id, one.what) for one in lines] == [(1, "disk"), (1, "CPU")]


def test_a_single_outlier_does_not_bend_the_slope() -> None:
    points = [(float(i), 10.0 + i) for i in range(24)]
    points[12] = (12.0, 90.0)
    assert theil_sen(points) == pytest.approx(1.0)
    assert theil_sen([]) == 0.0
    assert theil_sen([(1.0, 5.0)]) == 0.0
    assert theil_sen([(1.0, 5.0), (1.0, 9.0)]) == 0.0


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.5, "within the hour"),
        (40, "in about 40 h"),
        (80, "in about 3 days"),
        (720, "in about 30 days"),
        (721, "not within a month"),
    ],
)
def test_durations_are_said_as_people_would(hours: float, words: str) -> None:
    assert duration_words(hours) == words
