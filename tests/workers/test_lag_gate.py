"""Consumer lag, as the watch wrote it into the ledger, holds the next batch of a running change."""

from __future__ import annotations

from typing import Any

import pytest

from changes.book import Book
from changes.catalog.scale_brokers import ScaleBrokers
from changes.incident import Severity
from changes.lifecycle import State
from changes.request import Request
from tests.bot.incident_samples import alert
from tests.workers.conftest import Floor
from tests.workers.test_nothing_is_stuck_in_silence import disk_fails, moving, texts, ticks
from tests.workers.test_world_changes import nothing_left
from watch.lag_table import LagState
from watch.rules.consumer_lag import TROUBLE, ConsumerLag
from workers import lagging

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


def watched(floor: Floor, *names: str, minutes_ago: float = 0, **more: Any) -> None:
    """The watch looks: these groups are in trouble, since so many minutes."""
    began = floor.clock().timestamp() - 60 * minutes_ago
    given = {"kind": "falling behind", "began_at": began, **more}
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


async def test_a_group_that_falls_behind_while_partitions_move_holds_the_next_batch(
    floor: Floor,
) -> None:
    asked = await at_work(floor)
    watched(floor, "payments")
    begun = floor.cluster.count("reassign")
    for _ in range(20):
        watched(floor, "payments")
        await ticks(floor, asked, number=1, seconds=5)
    assert "consumer groups got into trouble since the last batch began (payments:" in hold(
        floor, asked
    )
    assert floor.cluster.count("reassign") == begun
    watched(floor)
    done = await floor.until_ended(asked)
    assert done.state is State.DONE
    assert "Going on: the reason to hold is gone" in texts(floor, asked)
    nothing_left(floor)


async def test_one_that_was_behind_before_holds_nothing(floor: Floor) -> None:
    asked = await at_work(floor, "payments")
    for _ in range(10):
        watched(floor, "payments")
        await ticks(floor, asked, number=1, seconds=2)
        assert "consumer groups" not in hold(floor, asked)


async def test_one_that_stays_behind_with_nothing_moving_is_given_up(floor: Floor) -> None:
    asked = await at_work(floor)
    for minute in range(40):
        watched(floor, "payments", minutes_ago=minute)
        await ticks(floor, asked, number=1, seconds=60)
        if floor.now(asked).state.ended:
            break
    done = await floor.until_ended(asked)
    assert done.state is State.DONE
    said = [text for text in texts(floor, asked) if "the moves are not what hurts them" in text]
    assert len(said) == 1
    nothing_left(floor)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "stopped"},
        {"rule": "group_churn", "kind": "group_churn"},
        {"severity": Severity.INFO},
        {"state": "pending"},
        {"state": "resolving"},
        {"stale": "not read"},
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


async def test_what_the_change_itself_explains_to_the_watch_counts(floor: Floor) -> None:
    """The watch holds it back from people because this change runs; here it is what is waited for."""
    asked = await at_work(floor)
    for _ in range(5):
        watched(floor, "payments", held_by=asked.id)
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
