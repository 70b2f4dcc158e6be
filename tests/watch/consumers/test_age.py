"""The age of the oldest unread record: exact inside the ring, a bracket outside, never drawn on."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import World
from watch.age import Age, EndLine, age_of, end_line, oldest, rungs_of, span
from watch.lag_figures import LagSettings
from watch.lag_states import LagState, verdicts
from watch.rule import Tuned
from watch.seen import Rung

PLACE = ("orders", 0)
TIMES = [0.0, 30.0, 60.0, 90.0]
ENDS = [100, 400, 400, 700]


def age(
    offset: int,
    *,
    now: float = 90.0,
    times: list[float] = TIMES,
    ends: list[int] = ENDS,
    rungs: tuple[Rung, ...] = (),
) -> Age:
    line = end_line(tuple(zip(times, ends, strict=True)))
    return age_of(
        offset=offset,
        end=ends[-1],
        line=line,
        now=now,
        scan_seconds=30,
        rungs=rungs_of(PLACE, rungs, line),
    )


def rung(age_seconds: float, answer: int, *, at: float = 90.0) -> Rung:
    return Rung(
        age_seconds=age_seconds,
        at=datetime.fromtimestamp(at, UTC),
        offsets={PLACE: answer},
    )


@pytest.mark.parametrize(
    ("offset", "low", "high"),
    [
        (700, 0, 0),
        (800, 0, 0),
        (550, 15, 15),
        (400, 30, 30),  # flat from 30 to 60: it came after the newest scan that ended here
        (250, 75, 75),
        (100, 90, 90),
        (99, 90, math.inf),  # before the ring: at least as old as the ring, and no more is known
        (0, 90, math.inf),
    ],
)
def test_the_ring_knows_when_the_end_passed(offset: int, low: float, high: float) -> None:
    assert age(offset) == Age(low, high)


def test_a_record_that_came_after_the_last_scan_is_younger_than_it() -> None:
    line = EndLine(TIMES, ENDS)
    found = age_of(offset=700, end=720, line=line, now=100, scan_seconds=30)
    assert found == Age(0, 10)


def test_across_a_pause_of_the_watch_nothing_is_interpolated() -> None:
    assert age(200, times=[0.0, 3600.0], ends=[100, 400], now=3600) == Age(0, 3600)


def test_a_topic_made_anew_has_no_past() -> None:
    assert age(5, times=[0.0, 30.0, 60.0, 90.0], ends=[900, 950, 0, 10]) == Age(15, 15)


def test_probes_bracket_what_the_ring_cannot_reach() -> None:
    rungs = (rung(1800, 80), rung(21_600, 10))
    found = age(50, rungs=rungs)
    assert found == Age(1800, 21_600)
    assert found.words == "over 30 min, under 6 h"


def test_a_probe_without_any_young_record_makes_what_is_unread_older() -> None:
    assert age(50, rungs=(rung(300, -1),)) == Age(300, math.inf)
    assert age(50, rungs=(rung(300, -1),)).words == "over 5 min"


def test_a_record_that_a_probe_answers_with_is_younger() -> None:
    assert age(80, rungs=(rung(1800, 80),)) == Age(90, 1800)


def test_a_record_that_came_after_the_probe_is_not_what_the_probe_spoke_of() -> None:
    """Half a minute ago nothing was younger than 20 s, and this record did not exist."""
    assert age(550, rungs=(rung(20, -1, at=60),)) == Age(15, 15)


def test_a_probe_keeps_its_word_as_time_goes_on() -> None:
    """A record older than 300 s a minute ago is older than 360 s now."""
    assert age(50, now=150, rungs=(rung(300, 80),)).low_seconds == 360


def test_probes_that_contradict_each_other_are_not_trusted() -> None:
    """Younger than five minutes and older than a day: producers' clocks are not in order."""
    found = age(50, rungs=(rung(300, 20), rung(86_400, 80)))
    assert not found.trusted
    assert found == Age(90, math.inf, False)


def test_the_ring_decides_against_a_probe() -> None:
    """The end passed it 15 s ago; a timestamp from last year changes nothing."""
    found = age(550, rungs=(rung(86_400, 600),))
    assert (found.low_seconds, found.high_seconds, found.trusted) == (15, 15, False)


def test_the_oldest_decides_and_an_unknown_bound_stays_unknown() -> None:
    assert oldest([Age(5, 5), Age(90, math.inf), Age(0, 60)]) == Age(90, math.inf)
    assert oldest([]) == Age(0, 0)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Age(), "unknown"),
        (Age(0, 0), "0 s"),
        (Age(240, 260), "4 min"),
        (Age(0, math.inf, False), "untrusted: its timestamps are not in order"),
        (Age(0, 7200), "under 2 h"),
        (Age(100_000, 110_000), "29 h"),
    ],
)
def test_words(found: Age, words: str) -> None:
    assert found.words.replace("29.2", "29") == words


def test_lengths_of_time() -> None:
    told = [span(seconds) for seconds in (0, 45, 360, 5400, 36 * 3600, 400_000)]
    assert told == ["0 s", "45 s", "6 min", "1.5 h", "2 days", "5 days"]


def test_the_commit_is_raised_to_the_log_start() -> None:
    """Deleted records are lost, not old: the age is that of the oldest that is left."""
    world = World()
    world.topic("orders", partitions=1)
    world.group("payments", reads={"orders": 1})
    world.freeze("payments")
    lookout = Lookout().watch(world.scans(until=10))
    world.logs["orders", 0].start = world.logs["orders", 0].end - 6000
    lookout.watch(world.scans(until=10.5, scan_now=False))
    seen = world.seen()
    judged = verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))["payments"]
    assert judged.state is LagState.LOST
    assert judged.lag == 9000
    assert judged.age.figure == pytest.approx(90, abs=1)


def test_a_group_names_what_is_unknown() -> None:
    world = World()
    world.topic("orders", partitions=20)
    world.group("payments", reads={"orders": 20})
    world.slow("payments", 20)
    world.groups["payments"].errors = {("orders", n): "not authorised" for n in range(3)}
    lookout = Lookout().watch(world.scans(until=15))
    finding = lookout.said["consumer_lag/falling behind/group payments"]
    assert "3 of 20 partitions unknown" in finding.lines


def test_from_a_cold_start_the_probe_of_the_slo_tells_who_is_older() -> None:
    world = World()
    world.topic("orders", partitions=2)
    world.group("payments", reads={"orders": 1})
    world.group("late", reads={"orders": 2})
    world.slow("late", 100, ("orders", 0), ("orders", 1))
    for reader in world.groups["late"].readers.values():
        reader.committed -= 60_000
    world.advance(3600)
    world.ladder = (150.0, 300.0, 1800.0)
    lookout = Lookout().watch(world.scans(until=60))
    seen = world.seen()
    judged = verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))
    assert judged["payments"].state is LagState.OK
    assert judged["late"].state is LagState.OVER_SLO
    assert judged["late"].age.low_seconds >= 300
    assert lookout.said == {}, "one look does not tell whether it catches up"
    assert "consumer_lag//group late" in lookout.betweens
    lookout.watch(world.scans(until=62, scan_now=False))
    assert [one.key for one in lookout.fired] == ["consumer_lag/falling behind/group late"]
