"""What retention takes before it was read: when it is told as coming, when as lost, and when not at all.
Times are minutes."""

from __future__ import annotations

import pytest

from changes.facts import TopicSettings
from changes.incident import Severity
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import World


def retention(*, compacted: bool = False) -> World:
    """The log start comes nearer by 2,000 a minute; 60,000 records are left."""
    world = World()
    world.topic("orders", partitions=1, per_second=0, end=1_000_000, compacted=compacted)
    world.group("payments", reads={"orders": 1}, behind=100_000)
    log = world.logs["orders", 0]
    log.start, log.start_per_second = 840_000, 2000 / 60
    world.freeze("payments")
    return world


def test_the_retention_cliff_is_told_at_once_and_the_loss_when_it_comes() -> None:
    lookout = Lookout().watch(retention().scans(until=40))
    safety = [one for one in lookout.fired if one.key.startswith("data_loss")]
    assert [(one.key, one.minute) for one in safety] == [
        ("data_loss/at risk/group payments", 1.5),
        ("data_loss/lost/group payments", 30.5),
    ]
    assert "in about 28 min" in safety[0].finding.words or safety[0].minute == 1.5
    lost = safety[1].finding
    assert lost.severity is Severity.CRIT
    assert lost.never_excused
    assert lost.words == "payments lost 20,000 records unread on orders-0"
    assert lost.for_seconds == 0


def test_nothing_is_lost_on_a_compacted_topic() -> None:
    lookout = Lookout().watch(retention(compacted=True).scans(until=40))
    assert not [one for one in lookout.fired if "lost" in one.key]


def test_a_long_dead_group_that_lost_its_records_long_ago_wakes_nobody() -> None:
    world = World()
    world.topic("orders", partitions=1, per_second=10, start=900_000)
    world.group("old", reads={"orders": 1}, behind=990_000, state="Empty", hosts=())
    world.freeze("old")
    lookout = Lookout().watch(world.scans(until=10))
    safety = [one for one in lookout.fired if one.key.startswith("data_loss")]
    assert [one.finding.severity for one in safety] == [Severity.INFO]
    assert "before the watch began" in safety[0].finding.words


def test_a_reader_at_the_head_of_a_short_log_is_not_at_risk() -> None:
    """Retention of ten minutes: the log start is always ten minutes away, and never nearer."""
    world = World()
    world.topic("ticks", partitions=2, end=60_000)
    world.group("ticker", reads={"ticks": 2})
    for log in world.logs.values():
        log.start_per_second = 100
    lookout = Lookout().watch(world.scans(until=30))
    assert lookout.fired == []


def test_the_last_record_can_be_lost_too() -> None:
    world = World()
    world.topic("orders", partitions=1, per_second=0, end=1000)
    world.group("payments", reads={"orders": 1}, behind=1)
    world.at(5, lambda: setattr(world.logs["orders", 0], "start", 1000))
    lookout = Lookout().watch(world.scans(until=6))
    told = lookout.said["data_loss/lost/group payments"]
    assert told.words == "payments lost 1 records unread on orders-0"


def test_a_reader_two_minutes_behind_can_be_at_risk() -> None:
    """Young by any SLO, and yet retention is three minutes from it and coming nearer."""
    world = World()
    world.topic("ticks", partitions=1, end=100_000, start=70_000)
    world.group("ticker", reads={"ticks": 1}, behind=10_000)
    world.logs["ticks", 0].start_per_second = 150
    lookout = Lookout().watch(world.scans(until=5))
    assert "data_loss/at risk/group ticker" in lookout.said


def test_a_segment_that_goes_puts_no_reader_at_the_head_at_risk() -> None:
    world = World()
    world.topic("ticks", partitions=1, end=200_000)
    world.group("ticker", reads={"ticks": 1})
    world.at(10, lambda: setattr(world.logs["ticks", 0], "start", 150_000))
    lookout = Lookout().watch(world.scans(until=20))
    assert lookout.fired == []


def hourly_segments(*, age: float, scan_seconds: float) -> World:
    """Retention of two hours, deleted an hour at a time."""
    world = World(scan_seconds=scan_seconds)
    hour = 100 * 3600.0
    world.topic("orders", partitions=1, end=3 * hour, start=hour)
    world.group("payments", reads={"orders": 1}, behind=100 * age)
    log = world.logs["orders", 0]
    for minute in (20, 80):
        world.at(minute, lambda: setattr(log, "start", log.start + hour))
    return world


@pytest.mark.parametrize("scan_seconds", [5, 10, 30, 60])
def test_one_deleted_segment_is_no_pace(scan_seconds: float) -> None:
    for age in (90, 200):
        world = hourly_segments(age=age, scan_seconds=scan_seconds)
        assert Lookout().watch(world.scans(until=90)).fired == []


def test_retention_is_known_from_its_setting_too() -> None:
    """No deletion is seen until the one that takes what the reader had not read."""
    world = World()
    world.topic("orders", partitions=1, end=1_000_000)
    world.topics["orders"] = TopicSettings(compacted=False, retention_ms=3 * 3_600_000)
    world.group("payments", reads={"orders": 1})
    world.at(10, lambda: world.stop("payments"))
    lookout = Lookout().watch(world.scans(until=120))
    told = [(one.key, one.minute) for one in lookout.fired if one.key.startswith("data_loss")]
    assert told == [("data_loss/at risk/group payments", 100.5)], "half of three hours is over"
    assert "loses unread records in about 70 min" in lookout.fired[-1].finding.words
