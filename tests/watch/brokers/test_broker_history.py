"""Figures over two days: what is kept, what is dropped, what survives being packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.watch.brokers.seeing import (
    NOW,
    led,
    loads_of,
    move_of,
    msk_of,
    partition_of,
    seen_of,
)
from watch.broker_figures import CPU, DISK, FILLING, LEADERS, REPLICAS, SIZE
from watch.broker_history import CLOSE_MAX, HOURS_MAX, BrokerHistory, Point

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def disks(history: BrokerHistory, *values: float, every: timedelta = MINUTE) -> None:
    """One round after the other with broker 1's disk at these percents, the first one at NOW."""
    for i, value in enumerate(values):
        at = NOW + i * every
        history.add(seen_of(at, loads=loads_of(disk_used_percent={1: value})))


def values(history: BrokerHistory, name: str = DISK, broker: int = 1) -> list[float]:
    return [value for _, value in history.figures(name, broker)]


def rounded(points: Sequence[Point]) -> list[Point]:
    return [(at, round(value, 4)) for at, value in points]


def test_the_last_forty_rounds_are_kept_closely() -> None:
    history = BrokerHistory()
    disks(history, *(float(i % 50) for i in range(100)))
    assert len(values(history)) == CLOSE_MAX
    assert history.figures(DISK, 1)[-1] == (NOW + 99 * MINUTE, 49.0)


def test_rounds_that_follow_fast_share_a_place_and_count_their_changes_once() -> None:
    history = BrokerHistory()
    moving = (move_of("orders", 0, to=[1]),)
    for i in range(200):
        history.add(
            seen_of(
                NOW + i * timedelta(seconds=5),
                reassignments=moving,
                loads=loads_of(disk_used_percent={1: 10 + i / 10}),
            )
        )
    kept = history.figures(DISK, 1)
    assert len(kept) == CLOSE_MAX
    assert kept[-1][1] == 29.9
    assert kept[-1][0] - kept[0][0] >= 12 * MINUTE
    assert round(sum(by for _, by in history.steps(1)), 6) == 19.9


def test_an_hour_is_remembered_by_its_peak_and_its_moment() -> None:
    history = BrokerHistory()
    disks(history, 10, 14, 12, every=20 * MINUTE)
    assert history.hourly_peaks(DISK, 1) == ((NOW + 20 * MINUTE, 14.0),)


def test_two_days_of_peaks_are_kept_and_no_more() -> None:
    history = BrokerHistory()
    disks(history, *(float(i) for i in range(60)), every=HOUR)
    peaks = history.hourly_peaks(DISK, 1)
    assert len(peaks) == HOURS_MAX
    assert peaks[0] == (NOW + 12 * HOUR, 12.0)


def test_a_figure_carried_over_from_an_earlier_round_counts_once() -> None:
    history = BrokerHistory()
    for i in range(5):
        later = NOW + i * timedelta(seconds=30)
        history.add(seen_of(later, loads=loads_of(cpu_percent={1: 20.0}), loads_at=NOW))
    assert history.figures(CPU, 1) == ((NOW, 20.0),)


def test_a_missing_figure_is_not_zero() -> None:
    history = BrokerHistory()
    history.add(seen_of(loads=loads_of(cpu_percent={1: None}), partitions=None))
    assert history.figures(CPU, 1) == ()
    assert history.figures(LEADERS, 1) == ()


def test_leaders_replicas_sizes_and_what_is_filling_come_from_the_placement() -> None:
    history = BrokerHistory()
    moved = partition_of("orders", 9, (1, 2, 3), 7, isr=(1, 2))
    parts = (*led({1: 2}, among=[1, 2, 3], size_bytes=5), moved)
    history.add(seen_of(partitions=parts, reassignments=(move_of("orders", 9, to=[3]),)))
    assert values(history, LEADERS) == [3]
    assert values(history, REPLICAS, 3) == [3]
    assert values(history, SIZE, 2) == [17]
    assert values(history, FILLING, 3) == [1]
    assert values(history, FILLING, 2) == [0]


def test_a_clock_set_back_drops_what_then_lies_in_the_future() -> None:
    history = BrokerHistory()
    disks(history, 10, 11, 12, every=HOUR)
    history.add(seen_of(NOW + 30 * MINUTE, loads=loads_of(disk_used_percent={1: 20.0})))
    assert history.figures(DISK, 1) == ((NOW, 10.0), (NOW + 30 * MINUTE, 20.0))
    assert [value for _, value in history.hourly_peaks(DISK, 1)] == [20.0]


def test_a_clock_that_trembles_does_not_cost_history() -> None:
    history = BrokerHistory()
    disks(history, 10, 11, 12)
    history.add(
        seen_of(NOW + 90 * timedelta(seconds=1), loads=loads_of(disk_used_percent={1: 9.0}))
    )
    assert values(history) == [10, 11, 12]


def test_a_gap_is_a_gap() -> None:
    history = BrokerHistory()
    disks(history, 10)
    history.add(seen_of(NOW + 9 * HOUR, loads=loads_of(disk_used_percent={1: 13.0})))
    assert [at for at, _ in history.hourly_peaks(DISK, 1)] == [NOW, NOW + 9 * HOUR]


def test_a_broker_unheard_of_for_two_days_is_forgotten() -> None:
    history = BrokerHistory()
    history.add(seen_of(number=4, partitions=led({1: 1, 4: 1}, copies=1)))
    assert history.brokers() == (1, 2, 3, 4)
    history.add(seen_of(NOW + 49 * HOUR))
    assert history.brokers() == (1, 2, 3)


@pytest.mark.parametrize(
    ("rise", "gap", "step"),
    [
        (5.0, 5 * MINUTE, True),
        (4.9, 5 * MINUTE, False),
        (8.0, HOUR, True),
        (8.0, 3 * HOUR, False),
        (-8.0, 5 * MINUTE, False),
    ],
)
def test_a_sudden_rise_is_a_step_and_slow_growth_is_none(
    rise: float, gap: timedelta, step: bool
) -> None:
    history = BrokerHistory()
    disks(history, 40, 40 + rise, every=gap)
    assert [round(by, 3) for _, by in history.steps(1)] == ([rise] if step else [])


def test_two_rises_within_three_hours_are_growth() -> None:
    history = BrokerHistory()
    disks(history, 40, 46, 52, 58, every=30 * MINUTE)
    assert len(history.steps(1)) == 1


def test_what_moved_replicas_weigh_is_no_trend_whichever_way() -> None:
    history = BrokerHistory()
    moving = (move_of("orders", 0, to=[1], away=[2]),)
    for i in range(30):
        history.add(
            seen_of(
                NOW + i * MINUTE,
                reassignments=moving if i < 20 else (),
                loads=loads_of(disk_used_percent={1: 10.0 + min(i, 20), 2: 60.0 - min(i, 20)}),
            )
        )
    assert round(sum(by for _, by in history.steps(1)), 6) == 20
    assert round(sum(by for _, by in history.steps(2)), 6) == -20
    assert len(history.steps(1)) <= 3, "one entry in ten minutes"


def test_when_storage_grows_percentages_start_anew() -> None:
    history = BrokerHistory()
    disks(history, *(70.0 + i for i in range(10)), every=HOUR)
    at = NOW + 10 * HOUR
    history.add(
        seen_of(at, msk=msk_of(volume_gib=2000), loads=loads_of(disk_used_percent={1: 80.0}))
    )
    assert history.grown_at == at
    history.add(
        seen_of(
            at + 3 * MINUTE,
            msk=msk_of(volume_gib=2000),
            loads=loads_of(disk_used_percent={1: 40.0}),
        )
    )
    assert [value for _, value in history.hourly_peaks(DISK, 1)] == [40.0]


def test_it_is_the_same_after_packing() -> None:
    history = BrokerHistory()
    disks(history, *(40 + i / 3 for i in range(90)), every=10 * MINUTE)
    again = BrokerHistory.unpack(history.pack())
    assert again.lost == ""
    assert again.brokers() == history.brokers()
    for name in (DISK, LEADERS, REPLICAS, SIZE):
        for broker in (1, 2, 3):
            assert rounded(again.hourly_peaks(name, broker)) == rounded(
                history.hourly_peaks(name, broker)
            )
            assert len(again.figures(name, broker)) == len(history.figures(name, broker))
            assert again.same_since(name, broker) == history.same_since(name, broker)
    assert again.steps(1) == history.steps(1)


def test_replicas_that_moved_just_before_a_restart_are_no_growth_after_it() -> None:
    history = BrokerHistory()
    history.add(seen_of(NOW, loads=loads_of(disk_used_percent={1: 40})))
    moving = (move_of("orders", 0, to=[1]),)
    history.add(seen_of(NOW + MINUTE, reassignments=moving))
    again = BrokerHistory.unpack(history.pack())
    assert again.newest_at == history.newest_at
    for one in (history, again):
        one.add(seen_of(NOW + 3 * MINUTE, loads=loads_of(disk_used_percent={1: 42})))
        assert [change for _, change in one.steps(1)] == [2.0]


def test_sixty_brokers_over_two_days_stay_small() -> None:
    history = BrokerHistory()
    ids = range(1, 61)
    parts = led(dict.fromkeys(ids, 1), copies=1)
    for hour in range(48):
        history.add(
            seen_of(
                NOW + hour * HOUR,
                number=60,
                partitions=parts,
                loads=loads_of(
                    disk_used_percent={i: 40 + hour / 7 + i for i in ids},
                    cpu_percent={i: (hour * i) % 60 + 0.123 for i in ids},
                ),
            )
        )
    assert len(history.pack()) < 200_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read"),
        (b"not zlib", "cannot be read"),
        (zlib.compress(b"[]"), "cannot be read"),
        (zlib.compress(json.dumps({"format": 99}).encode()), "format 99, not 1"),
        (zlib.compress(b'{"format":1,"volume_gib":1,"grown_at":null,"figures":[[1]]}'), "cannot"),
    ],
)
def test_bytes_that_are_none_of_ours_begin_an_empty_history_that_says_so(
    data: bytes, words: str
) -> None:
    history = BrokerHistory.unpack(data)
    assert history.brokers() == ()
    assert words in history.lost
