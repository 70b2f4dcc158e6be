"""Two workers, two tickers, a cancel in the middle of a start: one effect, and nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.ports import World
from changes.request import Refusal, Request, cancel
from ledger import Audit, Conflict, Ledger, connect
from policies import Cluster
from tests.ledger.races import at_once
from tests.workers.conftest import ANN, TICKS_MAX, Floor
from workers.jobs import run

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def both_ticked(floor: Floor, other: Ledger, request: Request) -> list[str]:
    """Two workers take the same tick at the same moment, each with its own connection."""
    second = replace(floor.runtime, ledger=other)
    return list(await asyncio.gather(floor.tick(request), run(second, request.id)))


async def test_two_workers_on_every_tick_do_everything_once(floor: Floor, redis_url: str) -> None:
    other = connect(redis_url)
    asked = floor.ask(SIX)
    await both_ticked(floor, other, asked)
    assert floor.now(asked).revision == 1
    floor.approve(asked)
    answers: Counter[str] = Counter()
    for _ in range(TICKS_MAX):
        answers.update(await both_ticked(floor, other, asked))
        if floor.now(asked).state.ended:
            break
        floor.cluster.advance(2)
    done = floor.now(asked)
    assert done.state is State.DONE, done.outcome
    assert floor.cluster.count("update_broker_count") == 1
    assert answers["another worker has it"] > 5, answers
    assert done.outcome is not None
    assert done.plan is not None
    assert done.outcome.replicas_moved == done.plan.impact.replicas_moved
    texts = [line.text for line in done.log]
    assert len(texts) == len(set(texts)), "no line is said twice"
    assert all(not configs for configs in floor.cluster.topic_configs.values())
    other.close()


async def test_two_tickers_at_once_queue_one_tick(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    await floor.tick(asked)
    floor.clock.advance(60)
    now = floor.clock()
    queue = "rq:queue:ottla"
    floor.ledger._redis.delete(queue)  # what waited is done; nobody works here

    def beat() -> None:
        for request_id in floor.ledger.due(now):
            floor.ledger.enqueue_tick(request_id, now=now)

    at_once(beat, times=6)
    assert floor.ledger._redis.llen(queue) == 1
    at_once(lambda: floor.ledger.enqueue_tick(asked.id, now=now), times=6)
    assert floor.ledger._redis.llen(queue) == 1


def taken_back(floor: Floor, request: Request) -> Request | Refusal:
    decided = cancel(floor.now(request), person=ANN, now=floor.clock())
    if isinstance(decided, Refusal):
        return decided
    audit = Audit(actor=ANN.user_id, event="cancel by button", words="Cancelled")
    return floor.ledger.save(decided, audit=audit)


async def test_a_cancel_while_the_start_surveys_wins_and_nothing_is_touched(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    cancelled: list[Request | Refusal] = []

    @asynccontextmanager
    async def open_world(*, cluster: Cluster, now: datetime) -> AsyncIterator[World]:
        cancelled.append(taken_back(floor, asked))
        async with floor.open_world(cluster=cluster, now=now) as world:
            yield world

    await run(replace(floor.runtime, open_world=open_world), asked.id)
    assert isinstance(cancelled[0], Request)
    assert floor.now(asked).state is State.CANCELLED
    assert await floor.tick(asked) == "nothing to do"
    assert floor.cluster.count("update_broker_count") == 0
    assert floor.ledger.line("orders-lab") == ()


async def test_a_cancel_after_the_start_is_refused_in_words(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    await floor.tick(asked)
    refused = taken_back(floor, asked)
    assert isinstance(refused, Refusal)
    assert "is running: it cannot be cancelled" in refused.words
    assert (await floor.until_ended(asked)).state is State.DONE


async def test_of_a_cancel_and_a_start_from_the_same_version_one_is_saved(floor: Floor) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    queued = floor.approve(asked)
    cancelled = cancel(queued, person=ANN, now=floor.clock())
    assert isinstance(cancelled, Request)
    audit = Audit(actor="x", event="x", words="x")

    def saved() -> bool:
        try:
            floor.ledger.save(cancelled, audit=audit)
        except Conflict:
            return False
        return True

    assert sorted(at_once(saved, times=4)) == [False, False, False, True]


async def test_the_same_asked_by_two_people_is_done_once_and_the_second_hears_why(
    floor: Floor,
) -> None:
    first = floor.ask(SIX, because="lag")
    second = floor.ask(SIX, because="the sale")
    assert first.id != second.id
    for request in (first, second):
        await floor.tick(request)
        floor.approve(request)
    assert floor.ledger.line("orders-lab") == (first.id, second.id)
    assert (await floor.until_ended(first)).state is State.DONE
    await floor.tick(second)
    again = floor.now(second)
    assert again.state is State.DENIED
    assert "6" in again.log[-1].text
    assert floor.cluster.count("update_broker_count") == 1


async def test_the_second_of_two_says_what_changed_while_it_waited(floor: Floor) -> None:
    first, second = floor.ask(SIX), floor.ask(SIX.with_(brokers=9))
    for request in (first, second):
        await floor.tick(request)
        floor.approve(request)
    assert (await floor.until_ended(first)).state is State.DONE
    await floor.tick(second)
    said = floor.now(second).log[-1].text
    assert "Planned again (revision 2)" in said
    assert "MSK has 6 brokers, it had 3" in said
    assert "Earlier approvals are void" in said
