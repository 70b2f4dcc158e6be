"""One cluster's watch over fakes and a real ledger: rounds, restarts, two processes, jumping clocks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.excuses import ChangeLease, Effect
from changes.incident import AlertState, Family
from changes.request import Person
from ledger import UnreadableEntry, connect
from tests.redis_server import RedisServer
from tests.watch.process.watching import ALERTS, NAME, SCAN, Shouting, Watching, watching
from watch.broker_figures import REPLICAS
from watch.rule import Looked, Rule, RuleSettings

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds

__all__ = ["watching"]


@pytest.fixture(autouse=True)
def _whole_rules() -> Iterator[None]:
    Shouting.breaks = False
    yield
    Shouting.breaks = False


async def test_a_consumer_that_stops_becomes_an_incident_and_its_return_ends_it(
    watching: Watching,
) -> None:
    watch = watching.process()
    await watching.looks(watch, 12)
    assert watching.ledger.incidents() == ()
    watching.tower.leave()
    await watching.looks(watch, 18, reading=False)
    (incident,) = watching.ledger.open_incidents(NAME)
    assert incident.family is Family.CONSUMERS
    assert "payments" in incident.alerts[0].finding.words
    assert watching.view.groups[0].state == "stopped"
    assert watching.view.on_call == "S0LABKAPPR"
    watching.tower.come_back()
    await watching.looks(watch, 40)
    assert watching.ledger.open_incidents(NAME) == ()
    (incident,) = watching.ledger.incidents()
    assert incident.ended_at is not None


async def test_a_healthy_cluster_is_quiet(watching: Watching) -> None:
    watch = watching.process()
    await watching.looks(watch, 100)
    assert watching.ledger.incidents() == ()
    assert watching.view.blind == ()


async def test_a_restart_is_not_blind(watching: Watching) -> None:
    """Stopped for 100 s of the 120 that count when the process dies: the next one needs 20 more."""
    watch = watching.process()
    await watching.looks(watch, 12)
    watching.tower.leave()
    await watching.looks(watch, 10, reading=False)
    assert watching.ledger.incidents() == ()
    await watch.close()
    watching.started.remove(watch)
    after = watching.process()
    await watching.looks(after, 5, reading=False)
    assert [one.family for one in watching.ledger.open_incidents()] == [Family.CONSUMERS]
    assert watching.view.groups[0].age_words.startswith(("2 min", "over 2 min"))


async def test_a_restart_does_not_take_what_it_remembers_for_a_clock_that_went_back(
    watching: Watching,
) -> None:
    """Kept figures reach further back than the frames, and are newer than most of them."""
    watch = watching.process()
    await watching.looks(watch, 1)
    began = watching.tower.clock()
    await watching.looks(watch, 110)
    await watch.close()
    watching.started.remove(watch)
    after = watching.process()
    await watching.looks(after, 1)
    assert after._history is not None
    since = after._history.brokers.same_since(REPLICAS, 1)
    assert since is not None
    assert abs((since - began).total_seconds()) < 1


async def test_two_processes_look_once_and_the_standby_follows_a_dead_one(
    watching: Watching,
) -> None:
    first, second = watching.process(), watching.process()
    for _ in range(5):
        watching.tower.pass_time(SCAN)
        await asyncio.gather(first.step(), second.step())
    assert watching.tower.offsets.count("scan") == 5
    assert watching.tower.opened == 1
    if not first._hold.held:  # both asked in the same moment
        first, second = second, first
    watching.kill(first)
    seconds = first._hold._seconds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second._hold, "_seconds", seconds)
        watching.ledger._redis.delete(f"ottla:lease:watch:{NAME}")  # its time is over
    await watching.looks(second, 1)
    assert watching.tower.offsets.count("scan") == 6
    assert watching.view.at == watching.tower.clock()


async def test_a_process_that_lost_its_lease_stops_looking(watching: Watching) -> None:
    first, second = watching.process(), watching.process()
    await watching.looks(first, 3)
    first._hold._fence = None  # what a failed renewal does
    watching.ledger._redis.delete(f"ottla:lease:watch:{NAME}")
    await watching.looks(second, 1)
    scans = watching.tower.offsets.count("scan")
    await watching.looks(first, 3)
    assert watching.tower.offsets.count("scan") == scans


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
async def test_a_clock_that_jumps_tells_nobody_anything(
    watching: Watching, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    watch = watching.process()
    await watching.looks(watch, 20)
    with caplog.at_level(logging.WARNING):
        watching.tower.set_clock(seconds)
        await watching.looks(watch, 20)
    assert f"the clock was set by {seconds:+.0f} s" in caplog.text
    assert watching.ledger.incidents() == ()
    assert watching.view.groups[0].state == "ok"
    watching.tower.leave()
    await watching.looks(watch, 18, reading=False)
    assert len(watching.ledger.open_incidents()) == 1, "and it still sees what is wrong"


async def test_a_broken_edit_changes_nothing_and_is_shown(watching: Watching) -> None:
    watch = watching.process()
    await watching.looks(watch, 2)
    (watching.folder / "alerts.yaml").write_text("defaults: {scan_second: 5}\n")
    await watching.looks(watch, 2)
    (words,) = watching.view.blind
    assert "alerts.yaml:1:12: `defaults.scan_second` is not known" in words
    assert watching.view.scan_seconds == SCAN
    (watching.folder / "alerts.yaml").write_text(ALERTS.replace("10", "20"))
    await watching.looks(watch, 1)
    assert (watching.view.blind, watching.view.scan_seconds) == ((), 20.0)


async def test_a_look_that_takes_too_long_is_said_until_one_does_not(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    watch = watching.process()
    await watching.looks(watch, 1)
    for seconds in (25, 31):
        began = watching.tower.mono
        watching.tower.pass_time(seconds)
        watch._looked(began)
    await watching.looks(watch, 1)
    (words,) = watching.view.blind
    assert words == "the last look took 31 s, longer than the 10 s between looks: 2 skipped"
    assert len([one for one in caplog.records if "longer than" in one.message]) == 1
    began = watching.tower.mono
    watching.tower.pass_time(1)
    watch._looked(began)
    await watching.looks(watch, 1)
    assert watching.view.blind == ()


class Pondering(Rule[RuleSettings]):
    """As a plan of a large cluster does, it takes its time: until others went on, or it gives up."""

    name = "pondering"
    title = "Takes long"
    family = Family.CLUSTER

    def __init__(self) -> None:
        self.begun, self.others_went_on = threading.Event(), threading.Event()
        self.gave_up = False

    def look(self, *_: Any, **__: Any) -> Looked:
        self.begun.set()
        self.gave_up = not self.others_went_on.wait(5)
        return Looked()


async def test_a_rule_that_takes_long_stops_nothing_else(watching: Watching) -> None:
    """Else the lease would not be renewed, and other clusters would not be looked at."""
    pondering = Pondering()
    watching.rules = (*watching.rules, pondering)
    watch = watching.process()
    watching.tower.pass_time(SCAN)
    looking = asyncio.create_task(watch.step())
    turns = 0
    while not looking.done():
        await asyncio.sleep(0.01)
        turns += pondering.begun.is_set()
        if turns == 5:
            pondering.others_went_on.set()
    assert turns >= 5
    assert not pondering.gave_up, "the loop stood still while the rule looked"


async def test_kafka_gone_is_told_and_ends_nothing(watching: Watching) -> None:
    watch = watching.process()
    await watching.looks(watch, 12)
    watching.tower.leave()
    await watching.looks(watch, 18, reading=False)
    watching.tower.cluster.silent.add("kafka")
    await watching.looks(watch, 40, reading=False)
    families = {one.family: one for one in watching.ledger.open_incidents()}
    assert families[Family.CONSUMERS].ended_at is None, "not seen is not over"
    assert any(one.stale for one in families[Family.CONSUMERS].alerts)
    blind = [one.finding.words for one in families[Family.CLUSTER].alerts]
    assert any(words.startswith("blind") for words in blind), blind
    assert watching.view.groups[0].state == "no data"
    watching.tower.cluster.silent.clear()
    watching.tower.come_back()
    await watching.looks(watch, 60)
    assert watching.ledger.open_incidents() == ()


async def test_msk_and_cloudwatch_gone_leave_the_lag_alone(watching: Watching) -> None:
    watch = watching.process()
    watching.tower.cluster.silent |= {"msk", "metrics"}
    await watching.looks(watch, 12)
    watching.tower.leave()
    await watching.looks(watch, 18, reading=False)
    assert Family.CONSUMERS in {one.family for one in watching.ledger.open_incidents()}
    assert {one.partition(":")[0] for one in watching.view.blind} >= {"MSK", "CloudWatch"}


async def test_a_rule_that_raises_keeps_its_alerts_and_stops_no_other(
    watching: Watching,
) -> None:
    watching.rules = (*watching.rules, Shouting())
    watch = watching.process()
    await watching.looks(watch, 3)
    key = "shouting/shouting/cluster"
    assert watching.alerts()[key] is AlertState.FIRING
    Shouting.breaks = True
    await watching.looks(watch, 12)
    (alert,) = [one for one in watching.ledger.watch_book(NAME).alerts if one.key == key]
    assert alert.state is AlertState.FIRING
    assert "the rule failed (reference " in alert.stale
    watching.tower.leave()
    await watching.looks(watch, 18, reading=False)
    assert watching.alerts()["consumer_lag/stopped/group payments"] is AlertState.FIRING


async def test_what_a_running_change_explains_is_held_back(watching: Watching) -> None:
    request = watching.ledger.open_request(
        change=ScaleBrokers(cluster=NAME, brokers=6),
        requester=Person(user_id="U0LAB0ANN1", name="ann"),
        channel="C0LABKAFKA",
        asked_in="C0LABKAFKA",
        because="",
        now=watching.tower.clock(),
    )
    assert request.id == "R-1"
    watch = watching.process()
    await watching.looks(watch, 3)
    lease = ChangeLease(
        request_id="R-1",
        cluster=NAME,
        title="scale brokers 6",
        effects=tuple(Effect),
        broker_ids=(1, 2, 3),
        started_at=watching.tower.clock(),
    )
    watching.ledger.hold_change_lease(lease, seconds=3600)
    watching.tower.cluster.kill(2)
    await watching.looks(watch, 60)
    held = [one for one in watching.ledger.watch_book(NAME).alerts if one.held_by == "R-1"]
    assert any(one.finding.rule == "under_replicated" for one in held)
    noted = watching.ledger.load("R-1")
    assert noted is not None
    assert any(line.text.startswith("Held back while this runs: ") for line in noted.log)


async def test_a_change_of_another_version_costs_its_notes_only(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    watching.rules = (*watching.rules, Shouting())
    watch = watching.process()

    def unreadable(*_: object, **__: object) -> None:
        raise UnreadableEntry("R-1 was written by another version of Ottla")

    watching.ledger.note_on_request = unreadable  # type: ignore[method-assign]
    lease = ChangeLease(
        request_id="R-1",
        cluster=NAME,
        title="scale brokers 6",
        effects=tuple(Effect),
        broker_ids=(1, 2, 3),
        started_at=watching.tower.clock(),
    )
    watching.ledger.hold_change_lease(lease, seconds=3600)
    watching.tower.cluster.kill(2)
    await watching.looks(watch, 60)
    assert "no note on R-1: R-1 was written by another version" in caplog.text
    assert any(one.held_by == "R-1" for one in watching.ledger.watch_book(NAME).alerts)
    assert watching.view.at == watching.tower.clock()


async def test_a_book_of_another_version_is_left_to_a_process_that_can_read_it(
    watching: Watching,
) -> None:
    watch = watching.process()
    await watching.looks(watch, 3)
    key = f"ottla:watch:book:{NAME}"
    watching.ledger._redis.hset(key, "format", "99")
    await watching.looks(watch, 3)
    other = watching.ledger.claim(f"watch:{NAME}", seconds=60)
    assert other is not None, "it is not held by who can do nothing with it"
    watching.ledger.release(other)
    assert any("another version of Ottla" in words for words in watching.view.blind)
    watching.ledger._redis.hset(key, "format", "1")
    await watching.looks(watch, 2)
    assert watching.view.at == watching.tower.clock(), "and it goes on once it can"
    assert not any("another version of Ottla" in words for words in watching.view.blind)


# Redis


async def test_redis_away_is_survived_and_nobody_is_blind_after_it(
    watching: Watching, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder=folder, options=("--appendfsync", "everysec")) as server:
        watching.ledger = connect(server.url, clock=watching.tower.clock)
        watch = watching.process()
        await watching.looks(watch, 12)
        watching.tower.leave()
        await watching.looks(watch, 6, reading=False)
        server.stop()
        await watching.looks(watch, 8, reading=False)
        assert watching.tower.offsets.count("scan") == 26, "reading goes on"
        server.start()
        await watching.looks(watch, 3, reading=False)
        assert len(watching.ledger.open_incidents()) == 1
        (alert,) = watching.ledger.watch_book(NAME).alerts
        assert alert.began_at <= watching.tower.clock() - timedelta(seconds=2 * SCAN)
        await watch.close()
        watching.started.clear()
        watching.ledger.close()
