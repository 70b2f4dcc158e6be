"""Bot and worker on machines whose clocks differ: who approved is read again, and read once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.lifecycle import State
from changes.request import Person, Request, vote
from changes.standing import answered, owed
from changes.steering import withdraw
from ledger import Audit
from tests.workers.conftest import BOB, Floor
from tests.workers.test_world_changes import SIX, ticks

CAROL = Person(user_id="U0CAROL001", name="carol", groups=BOB.groups)


def cast(floor: Floor, request: Request, person: Person, *, bot_ahead: timedelta) -> Request:
    """A vote as the bot's clock dates it."""
    at = floor.clock() + bot_ahead
    voted = vote(request, person=person, choice="approve", revision=request.revision, now=at)
    assert isinstance(voted, Request)
    audit = Audit(actor=person.user_id, event="approve", words="x")
    return floor.ledger.save(voted, audit=audit, due_at=floor.clock())


def answer(floor: Floor, request: Request, *people: Person, bot_ahead: timedelta) -> None:
    read = answered(request, people=people, now=floor.clock() + bot_ahead)
    floor.ledger.save(read, audit=None, due_at=floor.clock())


@pytest.mark.parametrize("minutes", [-30, -3, 3, 30])
async def test_an_answer_counts_whatever_the_bots_clock_says(floor: Floor, minutes: int) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    ahead = timedelta(minutes=minutes)
    cast(floor, floor.now(asked), BOB, bot_ahead=ahead)
    floor.clock.advance(400)
    waiting = await ticks(floor, asked, number=1)
    assert owed(waiting), "a vote of seven minutes ago is asked about, whatever its date"
    answer(floor, waiting, BOB, bot_ahead=ahead)
    assert (await ticks(floor, asked, number=2)).state is State.RUNNING


async def test_an_answer_is_no_answer_about_who_votes_after_it(floor: Floor) -> None:
    """Bob's approval was read again, he took it back, and carol approved: she is not accused."""
    asked = floor.ask(SIX)
    await floor.tick(asked)
    cast(floor, floor.now(asked), BOB, bot_ahead=timedelta(0))
    floor.clock.advance(600)
    waiting = await ticks(floor, asked, number=1)
    answer(floor, waiting, BOB, bot_ahead=timedelta(0))
    taken_back = withdraw(floor.now(asked), person=BOB, now=floor.clock())
    assert isinstance(taken_back, Request)
    audit = Audit(actor=BOB.user_id, event="withdraw", words="x")
    kept = floor.ledger.save(taken_back, audit=audit)
    cast(floor, kept, CAROL, bot_ahead=timedelta(0))
    started = await ticks(floor, asked, number=2)
    assert (started.state, started.differences) == (State.RUNNING, ())
