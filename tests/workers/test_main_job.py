"""The whole main job through worker and ledger, on a fake cluster: once, resumable, nothing left."""

from __future__ import annotations

import io

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from ledger import Verified, verify
from tests.workers.conftest import Floor

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def test_asked_approved_and_carried_out(floor: Floor) -> None:
    asked = floor.ask(SIX, because="orders lag")
    await floor.tick(asked)
    planned = floor.now(asked)
    assert planned.state is State.AWAITING_APPROVAL
    assert planned.plan is not None
    floor.approve(asked)

    done = await floor.until_ended(asked)

    assert done.state is State.DONE, done.outcome
    assert floor.cluster.count("update_broker_count") == 1
    assert done.outcome is not None
    assert done.outcome.replicas_moved == planned.plan.impact.replicas_moved
    assert done.outcome.bytes_moved == planned.plan.impact.bytes_moved
    pictures = [line for line in done.log if line.picture]
    assert [line.picture_title.rpartition(", ")[2] for line in pictures] == [
        "before",
        "midway",
        "after",
    ]
    kept = floor.ledger.picture(pictures[0].picture)
    assert kept is not None
    assert kept.startswith(b"\x89PNG")
    assert all(not configs for configs in floor.cluster.topic_configs.values())
    assert all(not configs for configs in floor.cluster.broker_configs.values())
    exported = io.StringIO()
    floor.ledger.export(exported)
    checked = verify(exported.getvalue().splitlines())
    assert isinstance(checked, Verified)


async def test_an_uneven_number_is_denied_with_the_next_that_can_be(floor: Floor) -> None:
    asked = floor.ask(SIX.with_(brokers=5))
    await floor.tick(asked)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert denied.verdict is not None
    assert "4 or 5 cannot be spread; 6 can" in denied.verdict.reasons[0].message
    assert denied.verdict.reasons[0].would_pass == "6"


async def test_a_policy_denies_with_its_own_message(floor: Floor) -> None:
    asked = floor.ask(SIX.with_(brokers=30))
    await floor.tick(asked)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert denied.verdict is not None
    assert denied.verdict.reasons[0].message == (
        "30 brokers are more than the 12 that the lab allows"
    )


async def test_nobody_deciding_lets_it_expire(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.clock.advance(60 * 60 + 1)
    assert floor.ledger.due(floor.clock()) == (asked.id,)
    await floor.tick(asked)
    assert floor.now(asked).state is State.EXPIRED


async def test_a_change_of_the_cluster_after_approval_asks_again(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.cluster.bump_version()
    await floor.tick(asked)
    again = floor.now(asked)
    assert again.state is State.AWAITING_APPROVAL
    assert again.revision == 2
    assert again.differences == ("somebody changed the cluster in MSK since this was planned",)
    assert again.counted_votes == ()
    assert floor.cluster.count("update_broker_count") == 0
    floor.approve(asked)
    assert (await floor.until_ended(asked)).state is State.DONE


async def test_the_second_of_two_waits_and_is_planned_again_on_its_turn(floor: Floor) -> None:
    first = floor.ask(SIX)
    second = floor.ask(SIX.with_(brokers=9))
    for request in (first, second):
        await floor.tick(request)
        floor.approve(request)
    assert await floor.tick(second) == "wait for people"
    assert (await floor.until_ended(first)).state is State.DONE
    await floor.tick(second)
    again = floor.now(second)
    assert again.state is State.AWAITING_APPROVAL
    assert again.differences[0] == "MSK has 6 brokers, it had 3"
    floor.approve(second)
    assert (await floor.until_ended(second)).state is State.DONE


async def test_a_lost_answer_of_msk_adds_brokers_once(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.cluster.lose_answers.add("update_broker_count")
    assert (await floor.until_ended(asked)).state is State.DONE
    assert floor.cluster.count("update_broker_count") == 1


async def test_a_failure_of_msk_fails_the_request_with_its_reason(floor: Floor) -> None:
    floor.cluster.operation_error = "InsufficientCapacity in use1-az2"
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    failed = await floor.until_ended(asked)
    assert failed.state is State.FAILED
    assert failed.outcome is not None
    assert "InsufficientCapacity in use1-az2" in failed.outcome.words


async def test_a_silent_kafka_holds_and_goes_on_when_it_answers(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    while not floor.cluster.count("reassign"):
        await floor.tick(asked)
        floor.cluster.advance(2)
    floor.cluster.silent.add("kafka")
    for _ in range(5):
        await floor.tick(asked)
        floor.cluster.advance(2)
    held = floor.now(asked)
    assert held.state is State.RUNNING
    assert held.progress is not None
    assert held.progress.hold
    floor.cluster.silent.clear()
    assert (await floor.until_ended(asked)).state is State.DONE


async def test_a_tick_without_the_lease_does_nothing(floor: Floor) -> None:
    asked = floor.ask(SIX)
    fence = floor.ledger.claim(f"request:{asked.id}", seconds=5)
    assert fence is not None
    assert await floor.tick(asked) == "another worker has it"
    assert floor.now(asked).state is State.PREPARING
