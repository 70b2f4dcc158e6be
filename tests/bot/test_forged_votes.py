"""Votes that are none: forged, replayed, old, edited, quoted, and votes that change their mind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import deciding
from changes.lifecycle import State
from changes.request import Refusal, Request, judged
from changes.request import vote as request_vote
from changes.verdict import ApprovalNeed
from lab.slack.entities import Person as Member
from ledger import Audit
from tests.bot.conftest import APPROVERS, KAFKA
from tests.bot.counter import Answered, Counter, Json, bend, counter

pytestmark = pytest.mark.slow

__all__ = ["counter"]

TWO = (APPROVERS.with_(count=2),)


def who(counter: Counter, name: str) -> Member:
    found = counter.running.workspace.person_named(name)
    assert found is not None
    return found


def events(got: Answered) -> list[tuple[str, str]]:
    return [(line.actor, line.event) for line in got.audit]


async def said(counter: Counter, request: Request, text: str, **fields: object) -> Answered:
    """Bob's word in the card's thread, as Slack would deliver it."""
    bob = who(counter, "bob")
    return await counter.act("thread", "approve", bob, request, text=text, **fields)


@pytest.mark.parametrize(
    "text",
    [
        "&gt; approve",
        "```approve```",
        "`approve`",
        "*approve*",
        "approve!",
        "approve R-1",
        "I do not approve",
        "“approve”",
        "ap\u200bprove",
        "\u202eevorppa",
        "approve\u2060",
        "&lt;approve&gt;",
        "<@U0LAB0BOB1> approve",
        ":approve:",
        "yes",
        "approve " * 1000,
    ],
)
async def test_talk_in_the_thread_is_left_alone(counter: Counter, text: str) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    got = await said(counter, request, text)
    assert (got.request, got.told, got.audit, got.others) == (request, [], [], 0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"edited": {"user": "U0LAB0BOB1", "ts": "3.0"}}, "An edited message never counts"),
        ({"subtype": "thread_broadcast"}, "sent to the channel as well"),
        ({"bot_id": "B0OTHER001", "app_id": "A0OTHER001"}, "Bots, apps and workflows never"),
    ],
)
async def test_a_vote_that_cannot_count_is_answered_and_written_down(
    counter: Counter, fields: Json, words: str
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    got = await said(counter, request, "approve", **fields)
    assert got.request == request
    assert [words in text for text in got.told] == [True]
    assert events(got) == [("U0LAB0BOB1", "refused: approve by thread")]
    assert got.others == 0


def changed_into(counter: Counter, request: Request, after: str, before: str = "well") -> Json:
    ts = counter.running.workspace.mint.ts()
    inner = {"user": "U0LAB0BOB1", "ts": ts, "thread_ts": counter.cards[request.id]}
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": KAFKA,
        "ts": counter.running.workspace.mint.ts(),
        "message": {**inner, "text": after, "edited": {"user": "U0LAB0BOB1", "ts": ts}},
        "previous_message": {**inner, "text": before},
    }


async def test_a_message_edited_into_a_vote_is_none_and_its_author_is_told(
    counter: Counter,
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    await counter.event(changed_into(counter, request, "approve"))
    await counter.bot.doors.tasks.drain(seconds=5)
    assert counter.ledger.load(request.id) == request
    texts = [e["message"]["text"] for e in counter.running.workspace.ephemerals.values()]
    assert ["Type the word as a new reply." in text for text in texts] == [True]


async def test_a_vote_edited_into_talk_or_deleted_stays_a_vote(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    got = await said(counter, request, "approve")
    assert got.request is not None
    gone = changed_into(counter, request, "never mind", before="approve")
    deleted = {**gone, "subtype": "message_deleted", "message": None}
    for event in (gone, deleted, changed_into(counter, request, "approve", before="approve")):
        await counter.event(event)
    await counter.bot.doors.tasks.drain(seconds=5)
    assert counter.ledger.load(request.id) == got.request
    assert counter.running.workspace.ephemerals == {}


@pytest.mark.parametrize(
    "value",
    ["", "R-1", "R-0:1", "R-1:1:1", "r-1:1", "R-1:-1", "R-1:１", "R-1:1\n", "R-1:1" + "0" * 2000],
)
async def test_a_forged_value_is_a_button_nobody_knows(counter: Counter, value: str) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    for word in ("approve", "reject", "cancel"):
        counter.running.workspace.ephemerals.clear()
        bob = who(counter, "bob")
        await counter.click(word, bob, ts=counter.cards[request.id], value=value)
        await counter.bot.doors.tasks.drain(seconds=5)
        told = [e["message"]["text"] for e in counter.running.workspace.ephemerals.values()]
        assert ["not one I know any more" in text for text in told] == [True]
    assert counter.ledger.load(request.id) == request
    assert not counter.running.workspace.views


async def test_a_replayed_click_and_an_old_card_do_nothing(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    bob, carol = who(counter, "bob"), who(counter, "carol")
    first = await counter.act("button", "approve", bob, request)
    again = await counter.act("button", "approve", bob, request)
    assert again.request == first.request
    assert ["already counted" in text for text in again.told] == [True]
    assert events(again) == [(bob.id, "refused: approve by button")]
    planned_again(counter, request.id)
    for word in ("approve", "reject"):
        old = await counter.act("button", word, carol, request, revision=1)
        assert old.request is not None
        assert old.request.counted_votes == ()
        assert ["That card shows revision 1" in text for text in old.told] == [True]


def planned_again(counter: Counter, request_id: str) -> Request:
    """The worker found the cluster changed: revision 2, another fingerprint."""
    request = counter.ledger.load(request_id)
    assert request is not None
    assert request.plan is not None
    assert request.verdict is not None
    plan = request.plan.with_(msk_current_version="K9OTHER")
    again = judged(request, plan=plan, verdict=request.verdict, now=datetime.now(UTC))
    return counter.ledger.save(again, audit=Audit(actor="worker", event="planned again", words="-"))


async def test_votes_of_an_older_revision_do_not_count_for_the_new_one(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    bob, carol = who(counter, "bob"), who(counter, "carol")
    await counter.act("button", "approve", bob, request)
    again = planned_again(counter, request.id)
    got = await counter.act("button", "approve", carol, again)
    assert got.request is not None
    assert got.request.state is State.AWAITING_APPROVAL
    assert [v.person.user_id for v in got.request.counted_votes] == [carol.id]
    last = await counter.act("command", "approve", bob, got.request)
    assert last.request is not None
    assert last.request.state is State.QUEUED


async def test_somebody_who_approved_may_still_reject_and_both_are_kept(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    bob = who(counter, "bob")
    await counter.act("button", "approve", bob, request)
    got = await counter.act("thread", "reject", bob, request)
    assert got.request is not None
    assert got.request.state is State.REJECTED
    assert [v.choice for v in got.request.votes] == ["approve", "reject"]


async def test_a_quorum_of_two_wants_two_people_on_any_two_surfaces(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    bob, carol = who(counter, "bob"), who(counter, "carol")
    for surface in ("button", "thread", "command"):
        got = await counter.act(surface, "approve", bob, request)
        assert got.request is not None
        assert got.request.state is State.AWAITING_APPROVAL
    got = await counter.act("thread", "approve", carol, request)
    assert got.request is not None
    assert got.request.state is State.QUEUED
    assert len(got.request.votes) == 2


async def test_two_circles_are_not_filled_by_one_person_in_both(counter: Counter) -> None:
    circles = (
        ApprovalNeed(rule="a", count=1, groups=("S0LABKAPPR",), label="@kafka-approvers"),
        ApprovalNeed(rule="b", count=1, people=("U0LAB0BOB1",), label="the owner"),
    )
    request = counter.stored(State.AWAITING_APPROVAL, needs=circles)
    got = await counter.act("button", "approve", who(counter, "bob"), request)
    assert got.request is not None
    assert got.request.state is State.AWAITING_APPROVAL
    got = await counter.act("button", "approve", who(counter, "carol"), request)
    assert got.request is not None
    assert got.request.state is State.QUEUED


async def test_a_card_that_ran_out_cannot_be_approved(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, expires=timedelta(seconds=-1))
    got = await counter.act("button", "approve", who(counter, "bob"), request)
    assert got.request == request
    assert ["has expired" in text for text in got.told] == [True]


async def test_a_name_like_an_approvers_is_only_a_name(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    twin = counter.member(id="U0TWIN0001", name="bob")
    with bend(monkeypatch, {twin.id: {"real_name": "Bob Okafor", "is_admin": True}}):
        got = await counter.act("button", "approve", twin, request)
    assert got.request == request
    assert events(got) == [(twin.id, "refused: approve by button")]


async def test_who_is_not_in_the_channel_is_told_directly(counter: Counter) -> None:
    """A public channel can be previewed, buttons and all; Slack shows such a person nothing there."""
    request = counter.stored(State.AWAITING_APPROVAL)
    workspace = counter.running.workspace
    outsider = counter.member(id="U0VIEWER01", name="vera")
    workspace.channels[KAFKA].members.remove(outsider.id)
    got = await counter.act("button", "approve", outsider, request)
    assert got.request == request
    direct = [c for c in workspace.channels.values() if c.is_im and outsider.id in c.members]
    texts = [m["text"] for c in direct for m in c.messages.values()]
    assert ["only @kafka-approvers may" in text for text in texts] == [True]


async def test_reactions_and_mentions_decide_nothing(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    place = {"type": "message", "channel": KAFKA, "ts": counter.cards[request.id]}
    reaction = {"type": "reaction_added", "user": "U0LAB0BOB1", "item": place}
    await counter.event({**reaction, "reaction": "white_check_mark"})
    mention = {"user": "U0LAB0BOB1", "text": "<@U0LABOTTLA> approve", "channel": KAFKA}
    await counter.event({"type": "app_mention", "ts": "5.0", **mention})
    await counter.bot.doors.tasks.drain(seconds=5)
    assert counter.ledger.load(request.id) == request


async def test_the_same_event_from_two_sockets_is_one_vote(counter: Counter) -> None:
    request = counter.stored(State.AWAITING_APPROVAL, needs=TWO)
    event = {
        "type": "message",
        "user": "U0LAB0BOB1",
        "text": "approve",
        "ts": counter.running.workspace.mint.ts(),
        "thread_ts": counter.cards[request.id],
        "channel": KAFKA,
    }
    await asyncio.gather(*(counter.event(event, event_id="Ev7") for _ in range(4)))
    await counter.bot.doors.tasks.drain(seconds=5)
    found = counter.ledger.load(request.id)
    assert found is not None
    assert [v.person.user_id for v in found.votes] == ["U0LAB0BOB1"]


@pytest.mark.parametrize("surface", ["command", "button", "thread"])
async def test_a_plan_made_again_in_this_moment_is_not_approved_by_the_way(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, surface: str
) -> None:
    """Between reading the request and saving the vote; the vote was about revision 1."""
    request = counter.stored(State.AWAITING_APPROVAL)
    counted = request_vote
    again: list[Request] = []

    def vote(*args: Any, **more: Any) -> Request | Refusal:
        voted = counted(*args, **more)
        if not again:
            again.append(planned_again(counter, request.id))
        return voted

    monkeypatch.setattr(deciding, "vote", vote)
    got = await counter.act(surface, "approve", who(counter, "bob"), request)
    assert got.request == again[0], "revision 2, and nobody has voted on it"
    assert "That card shows revision 1" in got.told[-1]


async def test_whoever_was_cut_off_by_a_restart_is_told(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack does not deliver again what was acknowledged."""

    async def slow(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(type(counter.bot.doors.people), "read", slow)
    await counter.command("scale brokers 6", who(counter, "ann"))
    await counter.bot.doors.tasks.drain(seconds=0.2)
    told = [one["message"]["text"] for one in counter.running.workspace.ephemerals.values()]
    assert "Ottla is being restarted in the middle of this" in told[-1]
    assert counter.ledger.load("R-1") is None
