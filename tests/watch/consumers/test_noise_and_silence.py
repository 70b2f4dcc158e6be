"""What would be told wrongly at two in the morning, and what would not be told at all: retention that deletes
by the segment, readers that commit every few minutes, bursts, transactions that hang, topics left behind."""

from __future__ import annotations

import math
from functools import partial

import pytest

from changes.incident import Severity
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.test_scenarios import busy
from tests.watch.consumers.world import Reader, World, members_on
from watch.rule import Tuned
from watch.rules.consumer_lag import ConsumerLagSettings

pytestmark = pytest.mark.slow


def test_a_reader_of_uncommitted_records_that_stops_is_not_excused_by_a_transaction() -> None:
    world = busy()

    def hang() -> None:
        for log in world.logs.values():
            log.stable_end = log.end - 5000

    world.at(5, hang)
    world.at(10, lambda: world.stop("payments"))
    lookout = Lookout().watch(world.scans(until=30))
    assert [one.key for one in lookout.fired] == ["consumer_lag/stopped/group payments"]


def committing(
    every_seconds: float, *, until: float, scan_seconds: float = 30.0, share_from: float = math.inf
) -> World:
    """Reads everything every so often; from `share_from` minutes on three fifths of what comes."""
    world = World(scan_seconds=scan_seconds)
    world.topic("orders")
    world.group("payments", reads={"orders": 4}, behind=0)
    world.freeze("payments")
    world.ladder = (150, 300, 1800, 86_400)

    def commit(*, slow: bool) -> None:
        for place, reader in world.groups["payments"].readers.items():
            end = world.logs[place].end
            reader.committed = reader.committed + 60 * every_seconds if slow else end

    turn = 0.37 * every_seconds / 60
    while turn < until:
        world.at(turn, partial(commit, slow=turn > share_from))
        turn += every_seconds / 60
    return world


@pytest.mark.parametrize("scan_seconds", [5, 10, 30, 60])
@pytest.mark.parametrize("every_seconds", [60, 180, 240, 290])
def test_a_commit_every_few_minutes_is_nobodys_business_from_the_first_look_on(
    every_seconds: float, scan_seconds: float
) -> None:
    world = committing(every_seconds, until=20, scan_seconds=scan_seconds)
    assert Lookout().watch(world.scans(until=20)).fired == []


def test_a_rhythm_does_not_hide_for_ever_that_more_is_left_each_time() -> None:
    world = committing(300, until=120, share_from=40)
    told = Lookout().watch(world.scans(until=120)).firing()
    assert [one.key for one in told] == ["consumer_lag/falling behind/group payments"]


@pytest.mark.parametrize("scan_seconds", [5, 10, 30, 60])
def test_a_burst_that_is_read_within_the_slo_is_not_falling_behind(scan_seconds: float) -> None:
    world = World(scan_seconds=scan_seconds)
    world.topic("orders", partitions=2, per_second=1)
    world.group("payments", reads={"orders": 2}, behind=0)
    world.ladder = (150, 300, 1800, 86_400)

    def burst() -> None:
        for partition in range(2):
            world.produce("orders", 36_000, partition)
        world.slow("payments", 36_000 / 200)
        world.at(world.seconds / 60 + 230 / 60, lambda: world.follow("payments", 0))

    for minute in range(3, 60, 15):
        world.at(minute, burst)
    assert Lookout().watch(world.scans(until=60)).fired == []


def left_topic(*, start: float) -> World:
    """The group reads `new` only; its offsets on `old` are those of before."""
    world = World()
    world.topic("old", partitions=2, start=start, end=500_000)
    world.topic("new", partitions=2)
    world.group("payments", reads={"old": 2, "new": 2})
    for partition in range(2):
        world.groups["payments"].readers["old", partition] = Reader(1000, None)
    world.groups["payments"].members = members_on(("host-1",), [("new", 0), ("new", 1)])
    return world


@pytest.mark.parametrize("start", [0, 5000])
def test_what_retention_takes_of_an_abandoned_topic_wakes_nobody(start: float) -> None:
    world = left_topic(start=start)

    def delete() -> None:
        for partition in range(2):
            world.logs["old", partition].start = 6000

    world.at(20, delete)
    lookout = Lookout().watch(world.scans(until=60))
    assert [one.key for one in lookout.fired] == ["abandoned/abandoned/group payments"]
    assert lookout.firing()[0].finding.severity is Severity.INFO
    assert "retention has deleted 10,000 it had not read" in lookout.firing()[0].finding.lines


def test_a_topic_that_joined_between_two_scans_is_not_abandoned() -> None:
    """Members were asked before the rebalance that no scan saw."""
    world = busy()
    world.topic("refunds")
    lookout = Lookout().watch(world.scans(until=5))
    world.tells_members = False
    readers = world.groups["payments"].readers
    readers.update(
        {
            place: Reader(log.end - 50, 50)
            for place, log in world.logs.items()
            if place not in readers
        }
    )
    world.at(15, lambda: world.freeze("payments", *[("refunds", one) for one in range(4)]))
    lookout.watch(world.scans(until=30, scan_now=False))
    assert [one.key for one in lookout.fired] == ["consumer_lag/stalled/group payments"]


def test_a_topic_made_anew_is_no_rewind_of_its_readers() -> None:
    world = busy()

    def anew() -> None:
        for place, log in world.logs.items():
            log.end = 0
            world.groups["payments"].readers[place] = Reader(0, 50)

    world.at(15, anew)
    assert Lookout().watch(world.scans(until=45)).fired == []


def test_who_dies_on_a_quiet_topic_did_not_stop_before_the_watch_began() -> None:
    world = World()
    world.topic("orders", partitions=2, per_second=0)
    world.group("payments", reads={"orders": 2}, behind=0)
    world.at(20, lambda: world.stop("payments"))

    def wake() -> None:
        for log in world.logs.values():
            log.per_second = 100

    world.at(40, wake)
    lookout = Lookout().watch(world.scans(until=50))
    assert lookout.posts() == [("consumer_lag/stopped/group payments", 43.0)]
    assert lookout.firing()[0].finding.words.startswith("payments stopped: ")


@pytest.mark.parametrize(("per_second", "behind"), [(0.1, 0.0), (1.0, 0.0), (100.0, 50.0)])
def test_an_outage_does_not_excuse_the_next_one(per_second: float, behind: float) -> None:
    """Two hours of silence are no pace of its own, however little is read at other times."""
    world = World()
    world.topic("orders", partitions=2, per_second=per_second, end=1_000)
    world.group("payments", reads={"orders": 2}, behind=behind)

    def come_back() -> None:
        world.state("payments", "Stable")
        world.follow("payments", behind=behind)
        world.groups["payments"].members = members_on(("host-1",), [("orders", 0), ("orders", 1)])

    world.at(30, lambda: world.stop("payments"))
    world.at(150, come_back)
    world.at(210, lambda: world.stop("payments"))
    lookout = Lookout().watch(world.scans(until=240))
    stopped = [one for one in lookout.fired if one.finding.kind == "stopped"]
    assert [one.key for one in stopped] == ["consumer_lag/stopped/group payments"] * 2
    assert 210 < stopped[1].minute <= 214
    assert stopped[1].finding.never_excused


def test_a_batch_that_takes_longer_than_its_rhythm_is_not_stalled_while_it_commits() -> None:
    world = World()
    world.topic("orders", partitions=1, per_second=100)
    world.group("nightly", reads={"orders": 1}, behind=0, state="Empty", hosts=())
    world.freeze("nightly")

    def begin(per_second: float) -> None:
        world.state("nightly", "Stable")
        world.slow("nightly", per_second)

    def end() -> None:
        world.freeze("nightly")
        world.state("nightly", "Empty")

    for hour in range(1, 6):
        world.at(60 * hour, partial(begin, 1_500))
        world.at(60 * hour + 8, end)
    world.at(360, partial(begin, 110))
    lookout = Lookout().watch(world.scans(until=520))
    assert [one.key for one in lookout.fired if one.finding.kind == "stalled"] == []


def lost_records(world: World) -> None:
    log = world.logs["orders", 0]
    log.start = log.end - 100


@pytest.mark.parametrize("seconds", [3_600.0, 60.0, -600.0])
def test_a_clock_that_is_set_makes_nothing_harmless(seconds: float) -> None:
    """Who stopped, lost records or went back has done so by any clock, and as long ago as before."""
    world = World()
    world.topic("orders", partitions=1)
    world.topic("other", partitions=1)
    world.group("payments", reads={"orders": 1})
    world.group("billing", reads={"other": 1})
    world.at(10, lambda: world.stop("payments"))
    world.at(15, partial(lost_records, world))
    world.at(15, lambda: world.shift("billing", -250_000))
    world.at(15, lambda: world.slow("billing", 101))
    lookout = Lookout().watch(world.scans(until=20))
    before = {one.key: one.finding.severity for one in lookout.firing()}
    assert {"consumer_lag/stopped/group payments", "data_loss/lost/group payments"} <= set(before)
    assert "rewind/rewind/group billing" in before
    lookout.history.lag.begin_afresh(seconds=seconds)
    world.clock_off = seconds
    lookout.watch(world.scans(until=22, scan_now=False))
    after = {one.key: one.finding.severity for one in lookout.firing()}
    assert {key: after.get(key) for key in before} == before
    stopped = next(one for one in lookout.firing() if "stopped" in one.key)
    assert "before the watch began" not in stopped.finding.words


@pytest.mark.parametrize("minutes", [(12, 16, 11, 20), (17, 24, 15, 28), (25, 55, 40, 30)])
def test_batches_without_a_rhythm_are_known_by_the_second(minutes: tuple[int, ...]) -> None:
    """The first standstill might be an outage; when it hardly works in between, that is its way."""
    world = World()
    world.topic("orders", partitions=1, per_second=10)
    world.group("reports", reads={"orders": 1}, behind=0)
    world.freeze("reports")
    at = 0.0
    for length in 4 * minutes:
        at += length
        world.at(at, partial(world.commit_all, "reports"))
    two_hours = Tuned(ConsumerLagSettings(slo_seconds=7_200))
    lookout = Lookout(tuned={"consumer_lag": two_hours})
    said: list[float] = []
    for seen in world.scans(until=at):
        lookout.look(seen)
        said += [lookout.minute] * bool(lookout.said)
    assert said
    assert max(said) < minutes[0] + minutes[1] + 1


def test_a_group_that_was_never_read_and_a_scan_left_out_break_no_rule() -> None:
    """It could not be read at first; then a clock set back has the scan that could left out."""
    world = busy()
    world.groups["payments"].error = "its coordinator is still loading its offsets"
    lookout = Lookout().watch(world.scans(until=1))
    world.groups["payments"].error = ""
    world.clock_off = -61.0
    lookout.watch(world.scans(until=1.5, scan_now=False))
    assert lookout.history.lag.remark.startswith("a scan was left out")
    assert lookout.history.lag.states("payments") == ()
    assert lookout.fired == []
