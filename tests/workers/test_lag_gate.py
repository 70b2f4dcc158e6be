"""Consumer lag, as the watch wrote it into the ledger, holds the next batch of a running change."""

from __future__ import annotations

from typing import Any

import pytest

from changes import steering
from changes.book import Book
from changes.catalog.scale_brokers import ScaleBrokers
from changes.incident import Severity
from changes.lifecycle import State
from changes.request import Request
from ledger import Audit
from tests.bot.incident_samples import alert
from tests.workers.conftest import ANN, Floor
from tests.workers.test_nothing_is_stuck_in_silence import disk_fails, moving, texts, ticks
from tests.workers.test_world_changes import nothing_left
from watch.lag_table import LagState
from watch.rules.consumer_lag import TROUBLE, ConsumerLag
from workers import lagging

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


def watched(floor: Floor, *names: str, minutes_ago: float = 0, **more: Any) -> None:
    """The watch looks: these groups are in trouble, since so many minutes."""
    began = more.pop("began_at", floor.clock().timestamp() - 60 * minutes_ago)
    given = {"kind": "falling behind", "began_at": began, "since": began, **more}
    alerts = tuple(alert(f"group {name}", **given) for name in names)
    before = floor.ledger.watch_book("orders-lab")
    book = Book(cluster="orders-lab", at=floor.clock(), alerts=alerts)
    floor.ledger.save_watch("orders-lab", book, (), expected_version=before.version)


def hold(floor: Floor, asked: Request) -> str:
    progress = floor.now(asked).progress
    assert progress is not None
    return progress.hold


async def at_work(floor: Floor, *before: str) -> Request:
    watched(floor, *before)
    return await moving(floor)


async def looks(
    floor: Floor, asked: Request, *names: str, number: int, seconds: float, began: float = 0
) -> None:
    """So many looks of watch and worker, with these groups in trouble since `began` seconds ago."""
    since = floor.clock().timestamp() - began
    for _ in range(number):
        watched(floor, *names, began_at=since)
        await ticks(floor, asked, number=1, seconds=seconds)


def one_by_one(floor: Floor) -> None:
    """A batch is a partition, so that there are many of them."""
    rules = floor.folder / "lab.yaml"
    few = rules.read_text().replace("partitions_per_call: 6", "partitions_per_call: 1")
    rules.write_text(few.replace("partitions_in_flight: 8", "partitions_in_flight: 1"))
    floor.read_policies_again()


def batches(floor: Floor) -> int:
    return floor.cluster.count("reassign")


async def test_a_group_that_falls_behind_while_partitions_move_holds_the_next_batch(
    floor: Floor,
) -> None:
    asked = await at_work(floor)
    begun = batches(floor)
    await looks(floor, asked, "payments", number=20, seconds=5)
    assert "consumer groups got into trouble since the last batch began (payments:" in hold(
        floor, asked
    )
    assert batches(floor) == begun
    watched(floor)
    done = await floor.until_ended(asked)
    assert done.state is State.DONE
    assert "Going on: the reason to hold is gone" in texts(floor, asked)
    nothing_left(floor)


async def test_one_that_was_behind_before_holds_nothing(floor: Floor) -> None:
    asked = await at_work(floor)
    begun = batches(floor)
    await looks(floor, asked, "payments", number=10, seconds=2, began=3600)
    assert "consumer groups" not in " ".join(texts(floor, asked))
    assert batches(floor) > begun


async def test_what_fell_behind_before_one_batch_holds_no_later_one(floor: Floor) -> None:
    """With each batch its moment is remembered; else one group would hold every batch of the change."""
    one_by_one(floor)
    asked = await at_work(floor)
    begun, since = batches(floor), floor.clock().timestamp() + 0.5
    while batches(floor) == begun:
        await looks(floor, asked, number=1, seconds=2)
    await looks(
        floor, asked, "payments", number=30, seconds=2, began=floor.clock().timestamp() - since
    )
    assert batches(floor) > begun + 3
    assert "consumer groups" not in " ".join(texts(floor, asked))


async def test_one_that_stays_behind_is_given_up_a_quarter_of_an_hour_after_the_copies_ended(
    floor: Floor,
) -> None:
    asked = await at_work(floor)
    begun, since = batches(floor), floor.clock().timestamp()
    quiet_at = None
    while batches(floor) == begun:
        watched(floor, "payments", began_at=since)
        await floor.tick(asked)
        if quiet_at is None and not any(one.move for one in floor.cluster.partitions.values()):
            quiet_at = floor.clock.now
        floor.cluster.advance(20)
    assert quiet_at is not None
    waited = (floor.clock.now - quiet_at).total_seconds()
    assert 15 * 60 <= waited <= 16 * 60
    said = [text for text in texts(floor, asked) if "the moves are not what hurts them" in text]
    assert [text.partition(":")[0] for text in said] == ["Going on"]
    watched(floor)
    assert (await floor.until_ended(asked)).state is State.DONE
    nothing_left(floor)


async def test_it_is_said_each_time_that_it_gives_up(floor: Floor) -> None:
    one_by_one(floor)
    asked = await at_work(floor)
    for name in ("payments", "audit"):
        begun, since = batches(floor), floor.clock().timestamp()
        while batches(floor) == begun:
            watched(floor, name, began_at=since)
            await ticks(floor, asked, number=1, seconds=20)
    said = [text for text in texts(floor, asked) if "the moves are not what hurts them" in text]
    assert ["payments" in text for text in said] == [True, False]


async def test_a_paused_run_is_not_held_for_lag_and_says_nothing_all_night(floor: Floor) -> None:
    asked = await at_work(floor)
    paused = steering.pause(floor.now(asked), person=ANN, now=floor.clock())
    assert isinstance(paused, Request)
    audit = Audit(actor=ANN.user_id, event="pause", words="pause")
    floor.ledger.save(paused, audit=audit, due_at=floor.clock())
    before = len(texts(floor, asked))
    await looks(floor, asked, "payments", number=240, seconds=120)
    assert texts(floor, asked)[before:] == []


async def test_a_watch_that_falls_silent_makes_nobody_well(floor: Floor) -> None:
    asked = await at_work(floor)
    await looks(floor, asked, "payments", number=2, seconds=5)
    begun = batches(floor)
    await ticks(floor, asked, number=8, seconds=100)
    assert "payments" in hold(floor, asked)
    assert batches(floor) == begun


async def test_copies_that_never_arrive_are_named_although_a_group_lags(floor: Floor) -> None:
    asked = await at_work(floor)
    disk_fails(floor, fails=True)
    await looks(floor, asked, "payments", number=20, seconds=60)
    assert "does not arrive" in hold(floor, asked)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "stopped"},
        {"rule": "group_churn", "kind": "group_churn"},
        {"severity": Severity.INFO},
        {"state": "pending"},
        {"state": "resolving"},
        {"held_by": "mute M-3"},
        {"held_by": "mute of I-7"},
    ],
    ids=str,
)
async def test_what_does_not_count(floor: Floor, more: dict[str, Any]) -> None:
    asked = await at_work(floor)
    for _ in range(5):
        watched(floor, "payments", **more)
        await ticks(floor, asked, number=1, seconds=2)
        assert hold(floor, asked) == ""


async def test_what_cannot_be_seen_just_now_counts_as_it_was_seen_last(floor: Floor) -> None:
    """A group that rebalances cannot be judged, and leaders that move make groups rebalance."""
    asked = await at_work(floor)
    since = floor.clock().timestamp()
    for number in range(8):
        stale = "it rebalances" if number > 3 else ""
        watched(floor, "payments", stale=stale, began_at=since)
        await ticks(floor, asked, number=1, seconds=2)
    assert "payments" in hold(floor, asked)


async def test_what_the_change_itself_explains_to_the_watch_counts(floor: Floor) -> None:
    """The watch holds it back from people because this change runs; here it is what is waited for."""
    asked = await at_work(floor)
    since = floor.clock().timestamp()
    for _ in range(5):
        watched(floor, "payments", held_by=asked.id, began_at=since)
        await ticks(floor, asked, number=1, seconds=2)
    assert "payments" in hold(floor, asked)


async def test_a_policy_switches_it_off(floor: Floor) -> None:
    rules = floor.folder / "lab.yaml"
    rules.write_text(rules.read_text().replace("limits:\n", "limits:\n      lag_gate: false\n", 1))
    floor.read_policies_again()
    asked = await at_work(floor)
    for _ in range(5):
        watched(floor, "payments")
        await ticks(floor, asked, number=1, seconds=2)
        assert hold(floor, asked) == ""


async def test_a_silent_watch_is_said_once(floor: Floor) -> None:
    asked = await at_work(floor)
    disk_fails(floor, fails=True)  # so that there is something to wait for
    await ticks(floor, asked, number=4, seconds=150)
    disk_fails(floor, fails=False)
    said = [text for text in texts(floor, asked) if "the watch has not looked" in text]
    assert len(said) == 1
    assert (await floor.until_ended(asked)).state is State.DONE


def test_the_kinds_are_those_the_watch_gives() -> None:
    assert ConsumerLag.name == lagging.RULE
    assert {str(one) for one in TROUBLE} - lagging.HURT == {LagState.STOPPED}
