"""What would once have gone on for ever without a word: silent clusters, refusals, errors of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from changes import steering
from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.moves import ReplicaMove
from changes.ports import Unreachable
from changes.request import Request
from changes.steps_replicas import MoveReplicas, bound_ids
from ledger import Audit
from tests.workers.conftest import ANN, Floor
from tests.workers.test_world_changes import nothing_left
from workers import jobs
from workers.runtime import CannotStart

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def approved(floor: Floor) -> Request:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    return asked


async def moving(floor: Floor) -> Request:
    asked = await approved(floor)
    for _ in range(300):
        await floor.tick(asked)
        if any(one.move for one in floor.cluster.partitions.values()):
            return asked
        floor.cluster.advance(2)
    raise AssertionError("nothing moves")


async def ticks(floor: Floor, asked: Request, *, number: int, seconds: float) -> Request:
    for _ in range(number):
        await floor.tick(asked)
        floor.cluster.advance(seconds)
    return floor.now(asked)


def abort(floor: Floor, asked: Request) -> None:
    aborted = steering.abort(floor.now(asked), person=ANN, now=floor.clock())
    assert isinstance(aborted, Request)
    audit = Audit(actor=ANN.user_id, event="abort", words="abort")
    floor.ledger.save(aborted, audit=audit, due_at=floor.clock())


def texts(floor: Floor, asked: Request) -> list[str]:
    return [line.text for line in floor.now(asked).log]


def grown_by_somebody(floor: Floor) -> None:
    for broker in range(4, 10):
        floor.cluster.register(broker)
    floor.cluster.broker_count = 9
    floor.cluster.bump_version()


def another_type(floor: Floor) -> None:
    floor.cluster.instance_type = "kafka.m5.4xlarge"
    floor.cluster.bump_version()


@pytest.mark.parametrize("meddle", [grown_by_somebody, another_type])
async def test_msk_is_never_asked_on_a_cluster_that_nobody_approved(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Floor], None]
) -> None:
    """Work had started, MSK fell silent before it was asked, and meanwhile somebody used the console."""
    asked = await approved(floor)
    describe, seen = floor.cluster.msk.describe, []

    async def once() -> Any:
        seen.append(1)
        if len(seen) > 1:
            raise Unreachable("MSK does not answer")
        return await describe()

    with monkeypatch.context() as patch:
        patch.setattr(floor.cluster.msk, "describe", once)
        await floor.tick(asked)
    assert floor.now(asked).state is State.RUNNING
    meddle(floor)
    ended = await ticks(floor, asked, number=20, seconds=5)
    assert ended.state is State.FAILED
    assert "somebody changed the cluster in MSK since this was approved" in " ".join(
        texts(floor, asked)
    )
    assert floor.cluster.operations == []


async def test_a_replication_factor_somebody_raised_ends_the_change_with_words(
    floor: Floor,
) -> None:
    asked = await moving(floor)
    move = still_waiting(floor, asked)
    raised = (*move.before, move.adding[0])
    floor.cluster.start_foreign_reassignment(move.topic, move.partition, raised)
    ended = await ticks(floor, asked, number=120, seconds=5)
    assert ended.state.ended, ended.progress
    nothing_left(floor)


async def test_the_next_batch_waits_while_what_moves_lacks_a_copy_it_had(floor: Floor) -> None:
    asked = await moving(floor)
    thin = next(one for one in floor.cluster.partitions.values() if one.move)
    whole, begun = thin.isr, floor.cluster.count("reassign")
    thin.isr = (thin.leader,) if thin.leader else thin.isr[:1]
    await floor.tick(asked)
    progress = floor.now(asked).progress
    assert progress is not None
    assert "that are being moved lack a copy in sync" in progress.hold
    assert floor.cluster.count("reassign") == begun
    thin.isr = whole
    await floor.tick(asked)
    after = floor.now(asked).progress
    assert after is not None
    assert after.hold == ""


def still_waiting(floor: Floor, asked: Request) -> ReplicaMove:
    running = floor.now(asked)
    assert running.plan is not None
    assert running.progress is not None
    step = next(one for one in running.plan.steps if isinstance(one, MoveReplicas))
    ids = bound_ids(running.progress.memory)
    found = (one.bound(ids) for one in step.moves)
    return next(m for m in found if not floor.cluster.partitions[m.topic, m.partition].move)


async def test_a_cancel_that_kafka_refuses_is_said(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await moving(floor)
    reassign = floor.cluster.kafka.reassign

    async def refusing(*, targets: dict[Any, Any]) -> Any:
        if None in targets.values():
            return dict.fromkeys(targets, "our Kafka user may not do this")
        return await reassign(targets=targets)

    monkeypatch.setattr(floor.cluster.kafka, "reassign", refusing)
    abort(floor, asked)
    await ticks(floor, asked, number=3, seconds=1)
    assert any("Kafka refuses to cancel" in text for text in texts(floor, asked))


async def test_an_approved_request_says_that_its_cluster_is_silent(floor: Floor) -> None:
    asked = await approved(floor)
    floor.cluster.silent.add("msk")
    first = await ticks(floor, asked, number=1, seconds=15)
    assert first.waits.startswith("the cluster does not answer: ")
    known = len(first.log)
    waiting = await ticks(floor, asked, number=20, seconds=15)
    assert waiting.state is State.QUEUED
    assert [line.text.partition(": ")[0] for line in waiting.log[known:]] == ["Waits to start"]
    floor.cluster.silent.clear()
    answered = await ticks(floor, asked, number=1, seconds=5)
    assert "is being read again" in answered.waits, "it goes on where it was"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CannotStart("KAFKA_PASSWORD is not set"), "KAFKA_PASSWORD is not set"),
        (ZeroDivisionError("x"), "an error of Ottla's own (ZeroDivisionError)"),
    ],
)
async def test_an_error_nobody_planned_is_told_in_words(
    floor: Floor, error: Exception, words: str
) -> None:
    @asynccontextmanager
    async def broken(**_: Any) -> AsyncIterator[Any]:
        raise error
        yield

    asked = floor.ask(SIX)
    own = replace(floor.runtime, open_world=broken)
    for _ in range(3):
        await jobs.run(own, asked.id)
        floor.cluster.advance(120)
    ended = floor.now(asked)
    assert ended.state is State.DENIED
    assert words in ended.log[-1].text


async def test_a_call_that_never_answers_is_told_before_the_queue_ends_the_job(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> Any:
        await asyncio.sleep(3_600)

    asked = await approved(floor)
    monkeypatch.setattr(jobs, "TICK_SECONDS_MAX", 0.2)
    monkeypatch.setattr(floor.cluster.msk, "describe", never)
    waiting = await ticks(floor, asked, number=1, seconds=1)
    assert waiting.waits == "the cluster does not answer: orders-lab did not answer within 0 s"


# Copies that never arrive


def disk_fails(floor: Floor, *, fails: bool) -> None:
    """Of every broker that is new: nothing gets further, and no gate has a reason to hold."""
    for broker in floor.cluster.brokers.values():
        broker.disk_fails = fails and broker.broker_id > 3


async def stuck(floor: Floor, asked: Request) -> Request:
    """Ticks a minute apart, until the change holds; batches may still begin until there is no room."""
    disk_fails(floor, fails=True)
    for _ in range(60):
        await floor.tick(asked)
        found = floor.now(asked)
        if found.progress and found.progress.hold:
            return found
        floor.cluster.advance(60)
    raise AssertionError("nobody is told")


async def test_copies_that_never_arrive_are_said_and_call_people(floor: Floor) -> None:
    asked = await moving(floor)
    found = await stuck(floor, asked)
    assert found.progress is not None
    assert "is being copied and does not arrive" in found.progress.hold
    assert found.progress.hold.startswith("nothing has got further (for 15 min): ")
    begun = floor.cluster.count("reassign")
    later = await ticks(floor, asked, number=20, seconds=60)
    said = [line for line in later.log if "does not arrive" in line.text]
    assert [line.calls for line in said] == ["", "both"], (
        "once, and people are called when it lasts"
    )
    assert floor.cluster.count("reassign") == begun, "no batch begins meanwhile"


async def test_copies_that_arrive_after_all_go_on_by_themselves(floor: Floor) -> None:
    asked = await moving(floor)
    await stuck(floor, asked)
    disk_fails(floor, fails=False)
    ended = await floor.until_ended(asked, seconds_per_tick=5)
    assert ended.state is State.DONE
    going = [text for text in texts(floor, asked) if text.startswith("Going on")]
    assert len(going) == 1
    nothing_left(floor)


async def test_stuck_copies_can_be_aborted(floor: Floor) -> None:
    asked = await moving(floor)
    await stuck(floor, asked)
    abort(floor, asked)
    ended = await floor.until_ended(asked, seconds_per_tick=5)
    assert ended.state is State.ROLLED_BACK
    nothing_left(floor)


async def test_a_throttle_set_again_while_stuck_does_not_end_the_hold(floor: Floor) -> None:
    asked = await moving(floor)
    await stuck(floor, asked)
    for configs in floor.cluster.broker_configs.values():
        configs.clear()
    await ticks(floor, asked, number=5, seconds=10)
    assert any("throttle of the running moves was changed" in text for text in texts(floor, asked))
    assert not any(text.startswith("Going on") for text in texts(floor, asked))


async def test_waiting_for_something_else_does_not_count_as_stuck(floor: Floor) -> None:
    """A broker away for an hour holds with its own words; the clock starts when it is back."""
    asked = await moving(floor)
    floor.cluster.kill(4)
    disk_fails(floor, fails=True)
    await ticks(floor, asked, number=60, seconds=60)
    floor.cluster.restart(4)
    back = await ticks(floor, asked, number=10, seconds=60)
    assert not any("does not arrive" in line.text for line in back.log)
    await ticks(floor, asked, number=10, seconds=60)
    assert any("does not arrive" in text for text in texts(floor, asked))
