"""Pause, resume and abort through worker and ledger, between any two ticks of the whole main job."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from changes.lifecycle import State
from changes.request import Request
from changes.standing import owed
from changes.steering import ACTS, Steering
from ledger import Audit
from tests.fakes.cluster import FakeCluster
from tests.workers.conftest import BOB, Floor
from tests.workers.test_world_changes import SIX, moves_of, moving, nothing_left, said, slow, ticks

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds


def steer(floor: Floor, request: Request, what: Steering) -> Request:
    """What the bot does with a button or command."""
    steered = ACTS[what](floor.now(request), person=BOB, now=floor.clock())
    assert isinstance(steered, Request), steered
    audit = Audit(actor=BOB.user_id, event=what, words=what)
    return floor.ledger.save(steered, audit=audit, due_at=floor.clock())


def submitted(cluster: FakeCluster) -> int:
    return cluster.count("reassign")


async def started(floor: Floor) -> Request:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    await floor.tick(asked)
    return floor.now(asked)


async def steered_at_the_start(
    floor: Floor, what: Steering, monkeypatch: pytest.MonkeyPatch
) -> Request:
    """Somebody's word comes in the tick that starts: after *running* is saved, before MSK is asked."""
    save = floor.ledger.save

    def save_and_steer(request: Request, **given: Any) -> Request:
        saved = save(request, **given)
        if saved.state is State.RUNNING:
            monkeypatch.undo()
            steer(floor, saved, what)
        return saved

    monkeypatch.setattr(floor.ledger, "save", save_and_steer)
    return await started(floor)


async def test_a_pause_begins_nothing_new_and_what_is_in_flight_ends(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    steer(floor, running, "pause")
    before = submitted(floor.cluster)
    paused = await ticks(floor, running, number=8, seconds=15)
    assert moves_of(floor.cluster) == []
    assert submitted(floor.cluster) == before
    assert floor.cluster.count("elect_preferred_leaders") == 0
    assert paused.state is State.RUNNING
    steer(floor, running, "resume")
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


async def test_a_pause_before_msk_is_asked_asks_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await steered_at_the_start(floor, "pause", monkeypatch)
    assert running.paused_by == BOB
    await ticks(floor, running, number=4)
    assert floor.cluster.count("update_broker_count") == 0
    steer(floor, running, "resume")
    assert (await floor.until_ended(running, seconds_per_tick=10)).state is State.DONE
    nothing_left(floor)


async def test_a_throttle_is_kept_in_force_while_paused(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    steer(floor, running, "pause")
    floor.cluster.broker_configs.clear()
    await ticks(floor, running, number=1, seconds=0.01)
    assert set(floor.cluster.broker_configs) >= {4, 5, 6}
    steer(floor, running, "resume")
    assert (await floor.until_ended(running, seconds_per_tick=10)).state is State.DONE
    nothing_left(floor)


async def test_an_abort_cancels_what_runs_and_says_what_stays(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    before = {key: floor.cluster.partitions[key].move for key in moves_of(floor.cluster)}
    steer(floor, running, "abort")
    over = await floor.until_ended(running)
    assert over.state is State.ROLLED_BACK, said(over)
    for key, move in before.items():
        assert move is not None
        assert set(floor.cluster.partitions[key].replicas) == set(move.original)
    text = over.log[-1].text
    assert "Throttles and running moves are cleaned up" in text
    assert "the brokers MSK has added; removing them needs a drain" in text
    nothing_left(floor)


async def test_an_abort_before_anything_was_done_leaves_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await steered_at_the_start(floor, "abort", monkeypatch)
    over = await floor.until_ended(running)
    assert over.state is State.ROLLED_BACK
    assert "What stays" not in over.log[-1].text
    nothing_left(floor, updates=0)


async def test_an_abort_takes_away_no_throttle_of_somebody_else(floor: Floor) -> None:
    floor.cluster.broker_configs[1] = {"leader.replication.throttled.rate": "7000000"}
    floor.cluster.topic_configs["orders"] = {"leader.replication.throttled.replicas": "0:1"}
    running = await moving(floor)
    steer(floor, running, "abort")
    assert (await floor.until_ended(running)).state is State.ROLLED_BACK
    assert floor.cluster.broker_configs == {1: {"leader.replication.throttled.rate": "7000000"}}
    assert floor.cluster.topic_configs == {
        "orders": {"leader.replication.throttled.replicas": "0:1"}
    }


async def test_an_abort_leaves_no_partition_without_a_leader(floor: Floor) -> None:
    """Of one move all original replicas fell out: it is not cancelled but waited for."""
    running = await moving(floor)
    slow(floor.cluster)
    key = moves_of(floor.cluster)[0]
    one = floor.cluster.partitions[key]
    assert one.move is not None
    new = one.move.adding[0]
    one.isr, one.leader = (new,), new
    steer(floor, running, "abort")
    held = await ticks(floor, running, number=3, seconds=0.01)
    assert held.state is State.ROLLING_BACK
    assert held.progress is not None
    assert "cannot be cancelled: none of their original replicas is in sync" in held.progress.hold
    assert moves_of(floor.cluster) == [key]
    for original in one.move.original:
        floor.cluster.after(1, partial(rejoin, floor.cluster, key, original))
    floor.cluster.advance(2)
    over = await floor.until_ended(running)
    assert over.state is State.ROLLED_BACK, said(over)
    nothing_left(floor)


def rejoin(cluster: FakeCluster, key: tuple[str, int], broker_id: int) -> None:
    one = cluster.partitions[key]
    one.isr = (*one.isr, broker_id)


async def test_an_abort_waits_for_a_dead_broker_to_take_its_throttle_away(floor: Floor) -> None:
    running = await moving(floor)
    floor.cluster.kill(5)
    steer(floor, running, "abort")
    held = await ticks(floor, running, number=6)
    assert held.state is State.ROLLING_BACK
    assert held.progress is not None
    assert "broker 5 is away; its throttle is taken away as soon" in held.progress.hold
    floor.cluster.restart(5)
    floor.cluster.advance(5)
    assert (await floor.until_ended(running)).state is State.ROLLED_BACK
    nothing_left(floor)


@pytest.mark.parametrize("after", range(0, 40, 3))
async def test_between_any_two_ticks_a_pause_resumes_to_done_and_an_abort_cleans_up(
    floor: Floor, after: int
) -> None:
    floor.cluster.update_seconds, floor.cluster.register_seconds = 6, 3
    first = await started(floor)
    await ticks(floor, first, number=after, seconds=1)
    if not floor.now(first).state.ended:
        steer(floor, first, "pause")
        await ticks(floor, first, number=2, seconds=5)
    if not floor.now(first).state.ended:
        steer(floor, first, "abort" if after % 2 else "resume")
    over = await floor.until_ended(first, seconds_per_tick=10)
    assert over.state in (State.DONE, State.ROLLED_BACK), said(over)
    assert floor.cluster.count("update_broker_count") <= 1
    nothing_left(floor, updates=floor.cluster.count("update_broker_count"))


async def test_after_a_while_approvers_are_read_again_before_work_starts(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.clock.advance(10 * 60)
    waits = await ticks(floor, asked, number=3)
    assert waits.state is State.QUEUED
    assert owed(waits)
    assert "read again in Slack before work starts" in waits.waits
    floor.read_approvers_again(asked)
    assert (await floor.until_ended(asked, seconds_per_tick=10)).state is State.DONE
    nothing_left(floor)


async def test_an_approver_who_left_meanwhile_voids_the_approval(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.clock.advance(10 * 60)
    await ticks(floor, asked, number=1)
    floor.read_approvers_again(asked, BOB.with_(groups=()))
    again = await ticks(floor, asked, number=1)
    assert again.state is State.AWAITING_APPROVAL
    assert again.differences == (
        "bob approved and may not any more: no longer among the approvers",
    )
    assert again.counted_votes == ()
    assert floor.cluster.count("update_broker_count") == 0
