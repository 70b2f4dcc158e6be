"""Whose thread is it? Looked up by its place, so that plain talk costs the ledger next to nothing."""

from __future__ import annotations

import pytest
from redis import Redis

from changes.lifecycle import State
from changes.request import Request
from ledger import keys
from tests.bot.conftest import KAFKA
from tests.bot.counter import Answered, Counter, counter
from tests.ledger.test_threads import counted

__all__ = ["counter"]
OTHERS = 30


@pytest.fixture
def request_among_many(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setattr("bot.thread_words.JUST_POSTED_SECONDS", (0.0, 0.0))
    oldest = counter.stored(State.AWAITING_APPROVAL)
    for _ in range(OTHERS):
        counter.stored(State.PREPARING)
    return oldest


async def approved(counter: Counter, request: Request) -> Answered:
    bob = counter.running.workspace.person_named("bob")
    assert bob is not None
    return await counter.act("thread", "approve", bob, request)


async def test_a_vote_reads_its_own_request_only(
    counter: Counter, request_among_many: Request, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as redis, counted(redis) as seen:
        got = await approved(counter, request_among_many)
    assert got.request is not None
    assert got.request.state is State.QUEUED
    # Found, decided on, and once by the test itself.
    assert seen["hgetall"] == 3
    assert seen["mget"] == 0


async def test_a_word_in_somebody_elses_thread_reads_no_request(
    counter: Counter, request_among_many: Request, redis_url: str
) -> None:
    event = {
        "type": "message",
        "user": "U0LAB0BOB1",
        "text": "approve",
        "ts": counter.running.workspace.mint.ts(),
        "thread_ts": counter.running.workspace.mint.ts(),
        "channel": KAFKA,
        "channel_type": "channel",
    }
    with Redis.from_url(redis_url) as redis, counted(redis) as seen:
        await counter.event(event)
        await counter.bot.doors.tasks.drain(seconds=5)
    assert seen["hgetall"] == 0
    assert (seen["get"], seen["mget"]) == (3, 1)
    assert counter.ledger.load(request_among_many.id) == request_among_many
    assert counter.running.workspace.ephemerals == {}


async def test_a_vote_below_a_card_of_an_older_ottla_counts(
    counter: Counter, request_among_many: Request
) -> None:
    place = keys.card_at(KAFKA, counter.cards[request_among_many.id])
    assert counter.ledger._redis.delete(place) == 1
    got = await approved(counter, request_among_many)
    assert got.request is not None
    assert got.request.state is State.QUEUED


@pytest.mark.parametrize(
    ("text", "ts", "words"),
    [
        ("reject", "", "Say why: `reject` and then the reason."),
        ("approve", "1600000000.000100", "You typed that before revision 1 of R-1 was planned."),
    ],
)
async def test_a_word_that_is_no_vote_is_answered_and_written_down(
    counter: Counter, text: str, ts: str, words: str
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    bob = counter.running.workspace.person_named("bob")
    assert bob is not None
    more = {"ts": ts} if ts else {}
    got = await counter.act("thread", "approve", bob, request, text=text, **more)
    assert got.request == request
    assert [words in one for one in got.told] == [True]
    events = [(line.actor, line.event, words in line.words) for line in got.audit]
    assert events == [(bob.id, f"refused: {text} by thread", True)]
