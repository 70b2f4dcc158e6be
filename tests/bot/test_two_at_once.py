"""Two things in the same moment: one effect, and everybody hears what became of theirs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from changes.lifecycle import Event, State
from changes.request import Request, expire
from ledger import Audit, Conflict, Ledger
from tests.bot.conftest import APPROVERS, Desk, Hire, until
from tests.bot.counter import Counter, counter
from tests.bot.test_forged_votes import who

pytestmark = pytest.mark.slow

__all__ = ["counter"]


async def pressed_together(
    counter: Counter, request: Request, acts: list[tuple[str, str]]
) -> Request:
    """Each (person, button) in the same moment."""
    ts, value = counter.cards[request.id], f"{request.id}:{request.revision}"
    clicks = [counter.click(word, who(counter, name), ts=ts, value=value) for name, word in acts]
    await asyncio.gather(*clicks)
    await counter.bot.doors.tasks.drain(seconds=8)
    found = counter.ledger.load(request.id)
    assert found is not None
    return found


def told(counter: Counter, name: str) -> list[str]:
    entries = counter.running.workspace.ephemerals.values()
    return [e["message"]["text"] for e in entries if e["user"] == who(counter, name).id]


def effects(counter: Counter, request: Request) -> list[str]:
    lines = counter.ledger.audit_lines(request_id=request.id)
    return [line.event for line in lines if "by button" in line.event]


async def test_a_double_click_is_one_vote_and_the_second_press_is_answered(
    counter: Counter,
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    after = await pressed_together(counter, request, [("bob", "approve")] * 5)
    assert after.state is State.QUEUED
    assert len(after.votes) == 1
    assert len([line for line in after.log if "Approved by" in line.text]) == 1
    assert len(told(counter, "bob")) == 4
    assert (
        sorted(effects(counter, request))
        == ["approve by button"] + ["refused: approve by button"] * 4
    )


async def test_two_approvers_in_the_same_second_where_one_is_enough(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    acts = [("bob", "approve"), ("carol", "approve")]
    after = await pressed_together(counter, request, acts)
    assert after.state is State.QUEUED
    (vote,) = after.votes
    late = "carol" if vote.person.name == "bob" else "bob"
    assert told(counter, vote.person.name) == []
    assert ["is queued: there is nothing to approve" in x for x in told(counter, late)] == [True]


async def test_eight_approvers_in_the_same_second_all_count(counter: Counter) -> None:
    names = [f"sre{n}" for n in range(8)]
    people = [counter.member(id=f"U0SRE0000{n}", name=name) for n, name in enumerate(names)]
    counter.running.workspace.groups["S0LABKAPPR"].users = [one.id for one in people]
    request = counter.stored(State.AWAITING_APPROVAL, needs=(APPROVERS.with_(count=8),))
    after = await pressed_together(counter, request, [(name, "approve") for name in names])
    assert {vote.person.name for vote in after.votes} == set(names)
    assert after.state is State.QUEUED
    assert counter.running.workspace.ephemerals == {}


@pytest.mark.parametrize("turn", range(4))
async def test_approve_and_reject_in_the_same_second_end_in_one_of_the_two(
    counter: Counter, turn: int
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    value = f"{request.id}:{request.revision}"
    approve = counter.click("approve", who(counter, "bob"), ts=counter.cards["R-1"], value=value)
    reject = counter.command("reject R-1 not on a Friday", who(counter, "carol"))
    await asyncio.gather(*([approve, reject] if turn % 2 else [reject, approve]))
    await counter.bot.doors.tasks.drain(seconds=8)
    after = counter.ledger.load("R-1")
    assert after is not None
    (vote,) = after.votes
    expected = State.QUEUED if vote.choice == "approve" else State.REJECTED
    assert after.state is expected
    assert told(counter, "carol"), "a command is always answered"
    late = "carol" if vote.person.name == "bob" else "bob"
    assert any(f"R-1 is {after.state.value}: there is nothing to" in x for x in told(counter, late))
    assert len([line for line in after.log if "by <@" in line.text]) == 1


async def test_approve_and_cancel_in_the_same_second(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    acts = [("bob", "approve"), ("ann", "cancel"), ("ann", "cancel"), ("carol", "approve")]
    after = await pressed_together(counter, request, acts)
    # A queued request may still be taken back, so the cancel wins whatever the order was.
    assert after.state is State.CANCELLED
    assert [line.text for line in after.log if "Cancelled" in line.text] == [
        "Cancelled by <@U0LAB0ANN1>"
    ]
    answered = told(counter, "bob") + told(counter, "carol") + told(counter, "ann")
    counted = [e for e in effects(counter, request) if not e.startswith("refused")]
    assert len(answered) == len(acts) - len(counted)


async def test_the_same_command_twice_is_one_request_and_two_answers(counter: Counter) -> None:
    ann = who(counter, "ann")
    await asyncio.gather(*(counter.command("scale brokers 6", ann) for _ in range(3)))
    await counter.bot.doors.tasks.drain(seconds=8)
    assert [one.id for one in counter.ledger.requests()] == ["R-1"]
    assert ["R-1" in text for text in told(counter, "ann")] == [True] * 3


async def test_two_people_asking_for_the_same_are_two_requests_that_know_of_each_other(
    counter: Counter,
) -> None:
    """Which of them runs is for the line; both are answered with their own id."""
    asked = [counter.command("scale brokers 6", who(counter, name)) for name in ("ann", "bob")]
    await asyncio.gather(*asked)
    await counter.bot.doors.tasks.drain(seconds=8)
    ids = {one.requester.name: one.id for one in counter.ledger.requests()}
    assert set(ids.values()) == {"R-1", "R-2"}
    for name, request_id in ids.items():
        assert [request_id in text for text in told(counter, name)] == [True]


async def test_a_vote_that_loses_against_the_clock_is_told_so(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker expires the request between the bot's reading and its saving."""
    request = counter.stored(State.AWAITING_APPROVAL)
    plain = counter.ledger.save
    once: list[bool] = []

    def slow_save(decided: Request, **more: object) -> Request:
        if not once:
            once.append(True)
            gone = expire(request, now=datetime.now(UTC))
            plain(gone, audit=Audit(actor="worker", event="expired", words="-"))
        return plain(decided, **more)  # type: ignore[arg-type]  # handed through as it came

    monkeypatch.setattr(counter.ledger, "save", slow_save)
    after = await pressed_together(counter, request, [("bob", "approve")])
    assert after.state is State.EXPIRED
    assert after.votes == ()
    assert ["is expired: there is nothing to approve" in x for x in told(counter, "bob")] == [True]


async def test_a_crowd_without_end_is_told_and_written_down(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)

    def always_late(*_: object, **__: object) -> None:
        raise Conflict("somebody else saved first")

    monkeypatch.setattr(counter.ledger, "save", always_late)
    after = await pressed_together(counter, request, [("bob", "approve")])
    assert after == request
    assert ["Several people acted on R-1" in text for text in told(counter, "bob")] == [True]
    assert effects(counter, request) == ["refused: approve by button"]


async def test_cancel_racing_the_start_of_work_ends_in_one_of_the_two(counter: Counter) -> None:
    """Whoever saves first has it; the other is told what the request is by now."""
    for start_first in (True, False):
        request = counter.stored(State.QUEUED)
        now = datetime.now(UTC)
        running = request.moved(event=Event.STARTED, now=now)
        begun = Audit(actor="worker", event="running", words="-")
        if start_first:
            counter.ledger.save(running, audit=begun)
        got = await counter.act("button", "cancel", who(counter, "ann"), request)
        assert got.request is not None
        expected = State.RUNNING if start_first else State.CANCELLED
        assert got.request.state is expected
        assert bool(got.told) is start_first
        assert all("is running: it cannot be cancelled" in text for text in got.told)


async def test_two_bots_on_one_token_count_once_and_show_once(
    desk: Desk, hire: Hire, ledger: Ledger
) -> None:
    """Slack gives each delivery to one of the sockets; both bots draw from the same ledger."""
    await hire()
    card = await desk.waiting(count=2)
    people = ("bob", "carol", "bob", "dan", "carol", "bob")
    clicks = [
        desk.act("click", user=name, ts=card["ts"], action_id="request:approve") for name in people
    ]
    await asyncio.gather(*clicks)
    await until(lambda: desk.request().state is State.QUEUED, what="queued")
    votes = [vote.person.name for vote in desk.request().votes]
    assert len(votes) == len(set(votes)) == 2
    lines = desk.request().log
    await until(lambda: len(desk.thread()) >= len(lines), what="every line is in the thread")
    await desk.card_with("*queued*")
    answers = sum(desk.told(name).count("R-1") for name in ("bob", "carol", "dan"))
    await until(
        lambda: sum(desk.told(n).count("R-1") for n in ("bob", "carol", "dan")) == 4,
        what=f"the four others are answered, {answers} were",
    )
    assert len(desk.cards()) == 1
    assert len(desk.thread()) == len(lines)
    assert ledger.card("R-1") is not None


async def test_a_request_behind_another_says_so_on_its_card(desk: Desk) -> None:
    await desk.waiting()
    await desk.act("message", user="bob", text="approve", thread_ts=desk.cards()[0]["ts"])
    await until(lambda: desk.request().state is State.QUEUED, what="the first is queued")
    await desk.command("scale brokers 9 because even more", user="ann")
    await until(lambda: desk.ledger.load("R-2"), what="the second is asked")
    desk.prepared(desk.request("R-2"))
    await desk.card_with("approve R-2")
    await desk.command("approve R-2", user="bob")
    await until(lambda: desk.request("R-2").state is State.QUEUED, what="the second is queued")
    card = next(one for one in desk.cards() if "R-2" in one["text"])
    await until(lambda: "before it" in _now(desk, card["ts"]), what="its place in line is shown")


def _now(desk: Desk, ts: str) -> str:
    found = next(one for one in desk.messages() if one["ts"] == ts)
    return str(found["text"])


async def test_a_bots_clock_minutes_off_decides_like_the_others(counter: Counter) -> None:
    """A vote's right does not hang on the bot's clock but for the expiry, and that is said."""
    ahead = datetime.now(UTC) + timedelta(minutes=7)
    object.__setattr__(counter.bot.doors, "now", lambda: ahead)
    soon = counter.stored(State.AWAITING_APPROVAL, expires=timedelta(minutes=5))
    got = await counter.act("button", "approve", who(counter, "bob"), soon)
    assert ["has expired" in text for text in got.told] == [True]
    later = counter.stored(State.AWAITING_APPROVAL, expires=timedelta(hours=1))
    got = await counter.act("button", "approve", who(counter, "bob"), later)
    assert got.request is not None
    assert got.request.state is State.QUEUED
    behind = datetime.now(UTC) - timedelta(minutes=7)
    object.__setattr__(counter.bot.doors, "now", lambda: behind)
    third = counter.stored(State.AWAITING_APPROVAL)
    typed = await counter.act("thread", "approve", who(counter, "bob"), third)
    assert typed.request is not None
    assert typed.request.state is State.QUEUED
