"""Looks hang on the monotonic clock; a wall clock that jumps is noticed, one that trembles is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watch.timing import Rhythm, WallClock

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def test_looks_stay_on_their_grid_however_long_each_takes() -> None:
    rhythm = Rhythm(10)
    assert rhythm.wait_seconds(100) == 0
    assert rhythm.looked(began=100, ended=103) == 0
    assert rhythm.wait_seconds(103) == 7
    assert rhythm.looked(began=110.2, ended=119.9) == 0
    assert rhythm.wait_seconds(119.9) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ended", "skipped", "next_at"),
    [(110, 0, 110), (110.1, 1, 120), (120.1, 2, 130), (175, 7, 180)],
)
def test_a_look_that_takes_too_long_skips_and_says_how_many(
    ended: float, skipped: int, next_at: float
) -> None:
    rhythm = Rhythm(10)
    assert rhythm.looked(began=100, ended=ended) == skipped
    assert rhythm.next_at == next_at


def test_another_interval_counts_at_once() -> None:
    rhythm = Rhythm(600)
    rhythm.looked(began=0, ended=1)
    rhythm.changed(10)
    assert rhythm.wait_seconds(2) == 0
    rhythm.looked(began=2, ended=3)
    rhythm.changed(10)
    assert rhythm.wait_seconds(3) == 9


@pytest.mark.parametrize("seconds", [3600, -3600, 11, -86_400])
def test_a_clock_that_was_set_is_noticed_once(seconds: float) -> None:
    clock = WallClock()
    assert clock.jumped(START, 5) == timedelta(0)
    assert clock.jumped(START + timedelta(seconds=30), 35) == timedelta(0)
    after = START + timedelta(seconds=60 + seconds)
    assert clock.jumped(after, 65) == timedelta(seconds=seconds)
    assert clock.jumped(after + timedelta(seconds=30), 95) == timedelta(0)


def test_small_steps_and_long_rounds_are_no_jumps() -> None:
    clock = WallClock()
    clock.jumped(START, 0)
    assert clock.jumped(START + timedelta(seconds=605), 600) == timedelta(0)
