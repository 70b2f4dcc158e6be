"""One partition that stands out: written too much, or read too slowly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from changes.lag import Member
from tests.watch.brokers.seeing import Clock, group_of, lag_of, look, seen_of
from watch.partition_rates import boundaries, stands_out
from watch.rules.hot_partition import HotPartition

RULE = HotPartition()
Course = Callable[[float], Sequence[float]]
"""Messages so far of each partition, by second."""


def steadily(*rates: float) -> Course:
    return lambda second: [10_000 + rate * second for rate in rates]


def run(
    produced: Course,
    read: Course | None = None,
    *,
    minutes: float = 20,
    every_seconds: float = 30,
    late_seconds: float = 0,
    members: tuple[Member, ...] = (),
    **settings: Any,
) -> Clock:
    """One topic `orders`, read by one group at its own pace; every other scan may be late."""
    clock = Clock(RULE, every=timedelta(seconds=every_seconds), **settings)
    while clock.minutes <= minutes:
        late_seconds = -late_seconds
        clock.every = timedelta(seconds=every_seconds + late_seconds)
        second = clock.minutes * 60
        ends = {("orders", i): int(end) for i, end in enumerate(produced(second))}
        at = (read or produced)(second)
        committed = {("orders", i): int(offset) for i, offset in enumerate(at)}
        scan = lag_of(clock.at, groups={"payments": group_of(committed)}, ends=ends)
        seen = seen_of(clock.at, lag=scan, members={"payments": members} if members else {})
        clock.round(replace(seen, scan_seconds=max(every_seconds, 20)))
    return clock


# Scenario 16.


def test_a_skewed_key_is_told_and_brokers_are_not_offered() -> None:
    clock = run(steadily(100, 100, 100, 4000))
    ((minute, told),) = clock.fired
    assert minute <= 6.5
    assert (told.kind, told.subject) == ("hot produce", "topic orders")
    assert told.words == (
        "orders-3 takes 93% of the topic's messages: 4,000/s, the others 100/s in the middle"
    )
    assert not told.proposal
    assert told.why_not.startswith("more brokers will not help")
    assert clock.ended == []


@pytest.mark.parametrize(
    ("rates", "phase"),
    [
        ((1000, 1000, 1000, 1000), None),
        ((1000, 1000, 1000, 2999), None),
        ((1000, 1000, 1000, 3001), "between"),
        ((1000, 1000, 1000, 3999), "between"),
        ((1000, 1000, 1000, 4001), "trigger"),
        ((100, 100, 100, 499), None),
        ((100, 100, 100, 501), "trigger"),
        ((0, 0, 0, 501), "trigger"),
        ((4000,), None),
        ((1000, 4001), "trigger"),
    ],
)
def test_thresholds_on_either_side(rates: tuple[float, ...], phase: str | None) -> None:
    clock = run(steadily(*rates), minutes=7)
    looked = RULE.look(
        clock.history, seen_of(clock.at, lag=lag_of(clock.at)), clock.at, clock.tuned
    )
    assert [one.phase for one in looked.findings] == ([phase] if phase else [])


def test_a_burst_of_one_window_is_not_told() -> None:
    def burst(second: float) -> Sequence[float]:
        extra = 3900 * max(0.0, min(second, 500) - 380)
        return [100 * second, 100 * second, 100 * second, 100 * second + extra]

    assert run(burst).fired == []


def test_scans_that_follow_fast_still_see_it() -> None:
    clock = run(steadily(100, 100, 100, 4000), every_seconds=2, minutes=3)
    assert len(clock.fired) == 1


@pytest.mark.parametrize("every_seconds", [60, 90, 120, 121, 150, 300, 600])
def test_scans_that_follow_slowly_do_too(every_seconds: float) -> None:
    """A window is two scans at least: with one of them it could never be judged."""
    minutes = max(120, every_seconds * 2) * 3 / 60
    clock = run(
        steadily(100, 100, 100, 4000),
        every_seconds=every_seconds,
        late_seconds=1,
        minutes=2 * minutes + 10,
    )
    ((minute, told),) = clock.fired
    assert minute <= minutes + every_seconds / 60
    assert "4,000/s" in told.words
    looked = RULE.look(
        clock.history,
        replace(seen_of(clock.at, lag=lag_of(clock.at)), scan_seconds=every_seconds),
        clock.at,
        clock.tuned,
    )
    assert looked.unseen == ()


def test_too_little_history_is_no_verdict() -> None:
    clock = run(steadily(100, 100, 100, 4000), minutes=3)
    assert clock.fired == []
    looked = RULE.look(clock.history, seen_of(clock.at), clock.at, clock.tuned)
    assert looked.unseen[0].words == "less than 6 min of scans so far"


def test_without_the_scan_it_says_so() -> None:
    looked = look(RULE, seen_of(lag=None, blind={"lag": "no broker answers"}))
    assert (looked.findings, looked.unseen[0].words) == ((), "no broker answers")


def test_many_partitions_need_to_stand_out_by_their_spread_too() -> None:
    scattered = tuple(100.0 * (i + 1) for i in range(20))
    assert run(steadily(*scattered), minutes=7).fired == []
    assert len(run(steadily(*scattered, 60_000), minutes=7).fired) == 1


@pytest.mark.parametrize(
    ("value", "others", "out"),
    [
        (400.0, [100.0] * 3, True),
        (399.0, [100.0] * 3, False),
        (1000.0, [0.0] * 7, True),
        (5.0, [1.0, 1.0, 1.0, 9.0], False),
        (0.0, [0.0, 0.0], False),
        (5.0, [], False),
        (60.0, [0.0, 10.0, 0.0, 30.0, 10.0, 40.0, 0.0, 20.0, 15.0], False),
    ],
)
def test_standing_out(value: float, others: list[float], out: bool) -> None:
    found = stands_out(value, others, times_others=4, share_factor=2, z_min=3.5)
    assert found is out


def test_windows_lie_between_scans_and_need_enough_of_them() -> None:
    times = [float(i) for i in range(0, 400, 30)]
    assert boundaries(times, window_seconds=120, windows=3) == (30, 150, 270, 390)
    assert boundaries(times[:8], window_seconds=120, windows=3) is None
    assert boundaries([], window_seconds=120, windows=3) is None


# Slow consume.


OWNER = Member("m-1", "payments-7", "10.0.0.7", (("orders", 3),))


def test_a_slow_reader_of_one_partition_is_named() -> None:
    clock = run(
        steadily(1000, 1000, 1000, 1000),
        steadily(1000, 1000, 1000, 200),
        members=(OWNER,),
        minutes=10,
    )
    ((_, told),) = clock.fired
    assert (told.kind, told.subject) == ("slow consume", "group payments")
    assert told.lines == ("owner: payments-7 on 10.0.0.7",)
    assert not told.proposal
    assert "will not help" in told.why_not


@pytest.mark.parametrize("slow", [0, 260, 1000])
def test_one_that_stands_still_or_keeps_up_is_not(slow: float) -> None:
    produced = steadily(1000, 1000, 1000, 1000)
    assert run(produced, steadily(1000, 1000, 1000, slow), minutes=10).fired == []


def test_a_reader_of_a_hot_partition_is_not_blamed_for_the_key() -> None:
    clock = run(steadily(100, 100, 100, 4000), steadily(100, 100, 100, 20), minutes=10)
    assert {told.kind for _, told in clock.fired} == {"hot produce"}
