"""The world changes while a change runs: it holds or ends with a sentence, and goes on when it is clear.

After every case: brokers were asked for once, no throttle and no move is left, nothing lost its leader.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.request import Request
from tests.fakes.cluster import FakeCluster
from tests.workers.conftest import Floor

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)
FOLLOWER_RATE = "follower.replication.throttled.rate"
FOLLOWER_LIST = "follower.replication.throttled.replicas"
Bend = Callable[[FakeCluster], None]


async def moving(floor: Floor) -> Request:
    """Approved, brokers added, and the first moves under way; slowly, so that there is time."""
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    for _ in range(200):
        if floor.cluster.count("reassign") and moves_of(floor.cluster):
            return floor.now(asked)
        await floor.tick(asked)
        floor.cluster.advance(1)
    raise AssertionError("no move was ever begun")


async def adding(floor: Floor) -> Request:
    """Approved, and MSK was asked for the brokers."""
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    while not floor.cluster.count("update_broker_count"):
        await floor.tick(asked)
    return floor.now(asked)


async def ticks(floor: Floor, request: Request, *, number: int = 4, seconds: float = 2) -> Request:
    for _ in range(number):
        await floor.tick(request)
        floor.cluster.advance(seconds)
    return floor.now(request)


def moves_of(cluster: FakeCluster) -> list[tuple[str, int]]:
    return [key for key, one in cluster.partitions.items() if one.move]


def hold_of(request: Request) -> str:
    return request.progress.hold if request.progress else ""


def nothing_left(floor: Floor, *, updates: int = 1) -> None:
    cluster = floor.cluster
    assert cluster.count("update_broker_count") == updates
    assert moves_of(cluster) == []
    assert not any("throttled" in key for c in cluster.topic_configs.values() for key in c)
    assert not any("throttled" in key for c in cluster.broker_configs.values() for key in c)
    assert all(one.leader is not None for one in cluster.partitions.values())


def said(request: Request) -> str:
    return "\n".join(line.text for line in request.log)


def _state(state: str) -> Bend:
    return lambda cluster: cluster.set_state(state)


def _killed(broker_id: int) -> Bend:
    return lambda cluster: cluster.kill(broker_id)


def _back(broker_id: int) -> Bend:
    return lambda cluster: cluster.restart(broker_id)


def _full(cluster: FakeCluster) -> None:
    cluster.disk_used_percent[5] = 96.0


def _room(cluster: FakeCluster) -> None:
    cluster.disk_used_percent.clear()


def _busy(cluster: FakeCluster) -> None:
    cluster.cpu_percent[2] = 99.0


def _calm(cluster: FakeCluster) -> None:
    cluster.cpu_percent.clear()


def _foreign(cluster: FakeCluster) -> None:
    """Somebody else turns a canary partition around, slowly."""
    one = cluster.partitions["__amazon_msk_canary", 0]
    one.size_bytes = 10**11
    new = next(b for b in (4, 5, 6) if b not in one.replicas)
    cluster.start_foreign_reassignment("__amazon_msk_canary", 0, (*one.replicas[:2], new))


def _foreign_ends(cluster: FakeCluster) -> None:
    cluster.cancel_move(("__amazon_msk_canary", 0))


def _silent(cluster: FakeCluster) -> None:
    cluster.silent.add("kafka")


def _speaking(cluster: FakeCluster) -> None:
    cluster.silent.clear()


HOLDS: dict[str, tuple[Bend, str, Bend]] = {
    "MSK is HEALING": (_state("HEALING"), "MSK says the cluster is HEALING", _state("ACTIVE")),
    "MSK is in MAINTENANCE": (_state("MAINTENANCE"), "is MAINTENANCE", _state("ACTIVE")),
    "MSK reboots a broker": (_state("REBOOTING_BROKER"), "REBOOTING_BROKER", _state("ACTIVE")),
    "MSK is FAILED": (_state("FAILED"), "only AWS can mend that", _state("ACTIVE")),
    "an old broker dies": (_killed(2), "broker 2 does not take part", _back(2)),
    "a new broker dies": (_killed(5), "broker 5 does not take part", _back(5)),
    "the disk of a new broker fills": (_full, "disk of broker 5 is 96 % full", _room),
    "a broker is too busy": (_busy, "CPU of broker 2 is 99 %", _calm),
    "somebody moves something else": (_foreign, "reassigned by somebody else", _foreign_ends),
    "Kafka is silent": (_silent, "no answer", _speaking),
}


@pytest.mark.parametrize("name", HOLDS)
async def test_it_holds_with_a_sentence_and_goes_on_by_itself(floor: Floor, name: str) -> None:
    bend, words, clear = HOLDS[name]
    running = await moving(floor)
    bend(floor.cluster)
    held = await ticks(floor, running, number=5)
    assert held.state is State.RUNNING, said(held)
    assert words in hold_of(held)
    lines = [line.text for line in held.log if line.text.startswith("Holding:")]
    assert len(lines) == 1, lines
    clear(floor.cluster)
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    assert "Going on: the reason to hold is gone" in said(done)
    nothing_left(floor)


@pytest.mark.parametrize("name", ["MSK is HEALING", "an old broker dies", "Kafka is silent"])
async def test_people_are_called_once_when_it_lasts(floor: Floor, name: str) -> None:
    bend, _, clear = HOLDS[name]
    running = await moving(floor)
    bend(floor.cluster)
    held = await ticks(floor, running, number=7, seconds=300)
    calls = [line for line in held.log if line.calls == "both"]
    assert len(calls) == 1, said(held)
    assert calls[0].text.startswith("Still holding after 15 min: ")
    assert f"`/kafka abort {held.id}`" in calls[0].text
    clear(floor.cluster)
    assert (await floor.until_ended(running)).state is State.DONE


def _rates_gone(cluster: FakeCluster) -> None:
    cluster.broker_configs.clear()


def _rate_changed(cluster: FakeCluster) -> None:
    cluster.broker_configs[4][FOLLOWER_RATE] = "123"


def _lists_gone(cluster: FakeCluster) -> None:
    for configs in cluster.topic_configs.values():
        configs.pop(FOLLOWER_LIST, None)


@pytest.mark.parametrize("meddle", [_rates_gone, _rate_changed, _lists_gone])
@pytest.mark.parametrize("also", ["", "HEALING"])
async def test_a_throttle_taken_away_is_set_again_and_said_once(
    floor: Floor, meddle: Bend, also: str
) -> None:
    """Also while it holds: what is in flight would run without a limit."""
    running = await moving(floor)
    slow(floor.cluster)
    if also:
        floor.cluster.set_state(also)
        await ticks(floor, running, number=2, seconds=0.01)
    for _ in range(3):
        meddle(floor.cluster)
        await ticks(floor, running, number=1, seconds=0.01)
        assert all(FOLLOWER_RATE in floor.cluster.broker_configs[b] for b in (4, 5, 6))
        assert floor.cluster.broker_configs[4][FOLLOWER_RATE] != "123"
        assert any(FOLLOWER_LIST in c for c in floor.cluster.topic_configs.values())
    assert said(floor.now(running)).count("it is set again") == 1
    floor.cluster.set_state("ACTIVE")
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


def slow(cluster: FakeCluster) -> None:
    """What is in flight needs a little longer than the test's next ticks."""
    for key in moves_of(cluster):
        cluster.partitions[key].size_bytes += 50_000_000


async def test_a_move_cancelled_by_somebody_is_said_and_submitted_again(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    topic, number = moves_of(floor.cluster)[0]
    floor.cluster.cancel_move((topic, number))
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    assert f"somebody cancelled the move of {topic}-{number}" in said(done)
    nothing_left(floor)


async def test_somebody_who_keeps_cancelling_stops_the_change(floor: Floor) -> None:
    running = await moving(floor)
    for _ in range(20):
        slow(floor.cluster)
        for key in moves_of(floor.cluster):
            floor.cluster.cancel_move(key)
        await ticks(floor, running, number=1, seconds=0.01)
    failed = await floor.until_ended(running)
    assert failed.state is State.FAILED
    assert failed.outcome is not None
    assert "was cancelled by somebody else 3 times" in failed.outcome.words
    nothing_left(floor)


async def test_somebody_else_moving_our_partition_holds_until_that_ends(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    key = moves_of(floor.cluster)[0]
    target = floor.cluster.partitions[key].move
    assert target is not None
    other = next(b for b in range(1, 7) if b not in target.target)
    floor.cluster.start_foreign_reassignment(*key, (*target.target[:2], other))
    held = await ticks(floor, running, number=3, seconds=0.01)
    assert "is being reassigned by somebody else" in hold_of(held)
    floor.cluster.cancel_move(key)
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


async def test_replicas_changed_by_hand_end_it_with_what_stands(floor: Floor) -> None:
    running = await moving(floor)
    plan = running.plan
    assert plan is not None
    waiting = [
        key
        for key, one in floor.cluster.partitions.items()
        if not one.move and not key[0].startswith("__") and set(one.replicas) <= {1, 2, 3}
    ]
    for key in waiting:
        one = floor.cluster.partitions[key]
        one.replicas = one.isr = one.replicas[:2]
        one.leader = one.replicas[0]
    failed = await floor.until_ended(running)
    assert failed.state is State.FAILED
    assert "somebody else changed the replicas of" in said(failed)
    assert "What stays: " in said(failed)
    nothing_left(floor)


async def test_a_topic_deleted_while_it_moves_is_left_out(floor: Floor) -> None:
    running = await moving(floor)
    slow(floor.cluster)
    topic, _ = moves_of(floor.cluster)[0]
    floor.cluster.delete_topic(topic)
    done = await floor.until_ended(running, seconds_per_tick=10)
    assert done.state is State.DONE, said(done)
    assert "were deleted meanwhile" in said(done)
    nothing_left(floor)


async def test_an_operation_that_hangs_is_said_and_waited_for(floor: Floor) -> None:
    floor.cluster.update_seconds = 2 * 3600
    running = await adding(floor)
    held = await ticks(floor, running, number=9, seconds=600)
    assert held.state is State.RUNNING
    assert "MSK's operation has been at it for" in hold_of(held)
    assert "Ottla goes on asking" in hold_of(held)
    assert sum(line.calls == "both" for line in held.log) == 1, said(held)
    assert sum(line.text.startswith("Holding:") for line in held.log) == 1, said(held)
    done = await floor.until_ended(running, seconds_per_tick=60)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


async def test_brokers_that_never_register_are_said(floor: Floor) -> None:
    floor.cluster.register_seconds = 3 * 3600
    running = await adding(floor)
    held = await ticks(floor, running, number=9, seconds=600)
    assert "3 new brokers have not registered in Kafka after" in hold_of(held)
    done = await floor.until_ended(running, seconds_per_tick=60)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


async def test_a_cluster_that_fails_while_brokers_are_added_says_who_can_help(floor: Floor) -> None:
    floor.cluster.update_seconds = 3600
    running = await adding(floor)
    floor.cluster.set_state("FAILED")
    held = await ticks(floor, running, number=3)
    assert "only AWS can mend that" in hold_of(held)
    floor.cluster.set_state("UPDATING")
    done = await floor.until_ended(running, seconds_per_tick=60)
    assert done.state is State.DONE, said(done)
    nothing_left(floor)


WAITS: dict[str, tuple[Bend, Bend]] = {
    "MAINTENANCE; work starts": (_state("MAINTENANCE"), _state("ACTIVE")),
    "broker 2 is not in Kafka": (_killed(2), _back(2)),
}


@pytest.mark.parametrize("words", WAITS)
async def test_what_passes_holds_the_start_and_keeps_the_approvals(
    floor: Floor, words: str
) -> None:
    bend, clear = WAITS[words]
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    bend(floor.cluster)
    waits = await ticks(floor, asked)
    assert waits.state is State.QUEUED
    assert words in waits.waits
    assert said(waits).count("Waits to start: ") == 1
    clear(floor.cluster)
    floor.cluster.advance(5)
    await floor.tick(asked)
    floor.read_approvers_again(asked)
    done = await floor.until_ended(asked)
    assert done.state is State.DONE, said(done)
    assert done.revision == 1
    nothing_left(floor)


async def test_a_target_reached_by_somebody_else_ends_it_before_it_starts(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.cluster.broker_count = 6
    for broker_id in (4, 5, 6):
        floor.cluster.register(broker_id)
    floor.cluster.bump_version()
    await floor.tick(asked)
    over = floor.now(asked)
    assert over.state is State.DENIED
    assert "already has 6 brokers: nothing to do" in said(over)
    assert "MSK has 6 brokers, it had 3" in over.differences
    nothing_left(floor, updates=0)


async def test_an_edited_policy_voids_the_approval(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    file = next(f for f in floor.folder.glob("*.yaml") if "12" in f.read_text())
    file.write_text(file.read_text().replace("<= 12", "<= 9"))
    floor.read_policies_again()
    await floor.tick(asked)
    again = floor.now(asked)
    assert again.state is State.AWAITING_APPROVAL
    assert again.differences == ("the policy files were edited since this was planned",)
    assert again.counted_votes == ()
