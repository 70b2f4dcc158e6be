"""Three surfaces, every kind of person, one authoriser."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.approvals import kept_in, pressed_in
from bot.thread_words import decision_in, typed_before
from changes.lifecycle import State
from lab.slack.upsets import upset
from ledger import keys
from tests.bot.conftest import KAFKA, Desk, Json, until
from tests.bot.samples import NOON, planned

SURFACES = ("button", "thread", "command")
YOURS = "R-1 is yours: a second engineer has to approve it."
GUEST = "guests cannot act on clusters"
STRANGER = "you belong to another workspace"


async def act_on(desk: Desk, surface: str, user: str, card: Json, word: str = "approve") -> None:
    if surface == "button":
        await desk.act("click", user=user, ts=card["ts"], action_id=f"request:{word}")
    elif surface == "thread":
        await desk.act("message", user=user, text=word, thread_ts=card["ts"])
    else:
        await desk.command(f"{word} R-1", user=user)


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_second_engineer_approves_on_every_surface(desk: Desk, surface: str) -> None:
    card = await desk.waiting()
    await act_on(desk, surface, "bob", card)
    await until(lambda: desk.request().state is State.QUEUED, what="queued")
    assert [vote.person.name for vote in desk.request().votes] == ["bob"]
    await desk.card_with("*queued*")
    assert ("U0LAB0BOB1", f"approve by {surface}") in desk.audit()
    assert "R-1" in desk.ledger.due(desk.bot.doors.now()), "the first tick is due at once"


@pytest.mark.parametrize(
    ("surface", "user", "words"),
    [
        *((surface, "ann", YOURS) for surface in SURFACES),
        *((surface, "gus", GUEST) for surface in SURFACES),
        # Slack gives strangers no commands of ours.
        *((surface, "ivy", STRANGER) for surface in ("button", "thread")),
    ],
)
async def test_who_may_not_is_told_alone_and_written_down(
    desk: Desk, surface: str, user: str, words: str
) -> None:
    card = await desk.waiting()
    await act_on(desk, surface, user, card)
    await desk.until_told(user, words)
    assert desk.request().state is State.AWAITING_APPROVAL
    assert desk.request().votes == ()
    person = desk.running.workspace.person_named(user)
    assert person is not None
    assert (person.id, f"refused: approve by {surface}") in desk.audit()
    assert words not in "".join(one["text"] for one in desk.messages())


async def test_somebody_outside_the_approvers_is_told_who_may(desk: Desk) -> None:
    card = await desk.waiting()
    emptied = {"usergroup": "kafka-approvers", "users": []}
    await upset(desk.running.workspace, "edit_usergroup", emptied)
    await act_on(desk, "button", "bob", card)
    await desk.until_told("bob", "only @kafka-approvers may")
    assert desk.request().votes == ()


@pytest.mark.parametrize(
    ("user_id", "words"),
    [
        ("U0LAB0EVE1", "your Slack account is deactivated"),
        ("U0LABOTTLA", "bots, apps and workflows never decide"),
        ("U0NOBODY11", "Slack did not say who you are"),
    ],
)
async def test_a_click_of_nobody_who_counts(desk: Desk, user_id: str, words: str) -> None:
    await desk.waiting()
    assert await desk.deliver_click(user_id=user_id, value="R-1:1") == 200
    refused = (user_id, "refused: approve by button")
    await until(lambda: refused in desk.audit(), what="the refusal is written down")
    assert words in [line.words for line in desk.ledger.audit_lines()][-1]
    assert desk.request().votes == ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("R-1:7", "That card shows revision 7 of R-1"),
        ("R-99:1", "There is no request R-99"),
        ("rm -rf", "not one I know any more"),
        ("", "not one I know any more"),
        ("R-1:1; R-2:1", "not one I know any more"),
    ],
)
async def test_a_forged_or_outdated_button_gets_a_sentence(
    desk: Desk, value: str, words: str
) -> None:
    await desk.waiting()
    assert await desk.deliver_click(user_id="U0LAB0BOB1", value=value) == 200
    await desk.until_told("bob", words)
    assert desk.request().votes == ()


async def test_a_double_click_and_a_replay_are_one_vote(desk: Desk) -> None:
    card = await desk.waiting(count=2)
    await asyncio.gather(*(act_on(desk, "button", "bob", card) for _ in range(3)))
    await desk.until_told("bob", "already counted")
    assert len(desk.request().votes) == 1
    assert desk.request().state is State.AWAITING_APPROVAL


async def test_two_approvers_in_the_same_moment_are_both_counted(desk: Desk) -> None:
    card = await desk.waiting(count=2)
    await asyncio.gather(*(act_on(desk, "button", user, card) for user in ("bob", "dan")))
    await until(lambda: desk.request().state is State.QUEUED, what="queued")
    assert {vote.person.name for vote in desk.request().votes} == {"bob", "dan"}


async def test_rejecting_by_button_asks_why_and_shows_it(desk: Desk) -> None:
    card = await desk.waiting()
    await act_on(desk, "button", "bob", card, "reject")
    views = desk.running.workspace.views
    await until(lambda: views, what="the dialog is open")
    view_id = next(iter(views))
    values = {"reason": {"reason": "not before <!channel> the *release*"}}
    await desk.act("submit", user="bob", view_id=view_id, values=values)
    drawn = await desk.card_with("*rejected*")
    assert desk.request().votes[0].reason.startswith("not before")
    assert "<!channel>" not in drawn["text"]
    assert "“not before" in drawn["text"]
    assert all(block["type"] != "actions" for block in drawn["blocks"])


async def test_the_requester_is_not_even_asked_why(desk: Desk) -> None:
    card = await desk.waiting()
    await act_on(desk, "button", "ann", card, "reject")
    await desk.until_told("ann", "use `/kafka cancel R-1`")
    assert not desk.running.workspace.views


async def test_only_the_requester_cancels(desk: Desk) -> None:
    card = await desk.waiting()
    await act_on(desk, "button", "bob", card, "cancel")
    await desk.until_told("bob", "only they can cancel it")
    await act_on(desk, "button", "ann", card, "cancel")
    await desk.card_with("*cancelled*")
    assert desk.request().state is State.CANCELLED


async def test_a_rejection_in_the_thread_needs_its_reason(desk: Desk) -> None:
    card = await desk.waiting()
    await act_on(desk, "thread", "bob", card, "reject")
    await desk.until_told("bob", "Say why")
    await act_on(desk, "thread", "bob", card, "reject not on a Friday")
    await desk.card_with("*rejected*")
    assert desk.request().votes[0].reason == "not on a Friday"


async def test_an_approval_in_another_thread_is_talk(desk: Desk) -> None:
    await desk.waiting()
    other = await desk.act("message", user="bob", text="shall we?")
    await act_on(desk, "thread", "bob", other, "approve")
    card = desk.cards()[0]
    await act_on(desk, "thread", "bob", card, "approve")
    await until(lambda: desk.request().state is State.QUEUED, what="queued")
    assert len(desk.request().votes) == 1
    assert desk.told("bob") == ""


async def test_a_vote_after_the_end_is_a_polite_sentence(desk: Desk) -> None:
    card = await desk.waiting()
    await desk.command("cancel R-1", user="ann")
    await until(lambda: desk.request().state is State.CANCELLED, what="cancelled")
    await act_on(desk, "thread", "bob", card)
    await desk.until_told("bob", "R-1 is cancelled: there is nothing to approve.")


async def test_slack_not_saying_who_it_is_means_no(desk: Desk) -> None:
    card = await desk.waiting()
    desk.running.workspace.faults.add(
        action="error",
        match={"method": "usergroups.users.list"},
        times=1,
        after=0,
        params={"code": "internal_error"},
    )
    await act_on(desk, "button", "bob", card)
    await desk.until_told("bob", "Slack did not say who belongs to the approver groups")
    assert desk.request().votes == ()


async def test_the_old_card_of_a_plan_made_again_cannot_be_approved(desk: Desk) -> None:
    await desk.waiting()
    request = desk.request()
    again = request.with_(revision=2, differences=("MSK has 4 brokers, it had 3",))
    desk.ledger.save(again, audit=None)
    await desk.deliver_click(user_id="U0LAB0BOB1", value="R-1:1")
    await desk.until_told("bob", "That card shows revision 1 of R-1")
    await desk.card_with("MSK has 4 brokers")


def message(**fields: Any) -> Json:
    said = {"user": "U1", "text": "approve", "ts": "2.0", "thread_ts": "1.0", "channel": KAFKA}
    return {key: value for key, value in (said | fields).items() if value is not None}


@pytest.mark.parametrize("text", ["approve", " approve ", "Approve", "reject too big", "reject\nx"])
def test_words_that_decide(text: str) -> None:
    assert decision_in(message(text=text)) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Approve!"},
        {"text": "I do not approve"},
        {"text": "&gt; approve"},
        {"text": "`approve`"},
        {"text": "*approve*"},
        {"text": "approved"},
        {"text": "аpprove"},  # a Cyrillic а
        {"text": ""},
        {"edited": {"user": "U1", "ts": "3.0"}},
        {"bot_id": "B1"},
        {"subtype": "thread_broadcast"},
        {"subtype": "bot_message"},
        {"subtype": "message_changed", "hidden": True},
        {"thread_ts": None},
        {"thread_ts": "2.0"},
        {"user": None},
    ],
)
def test_words_that_are_only_talk(fields: Json) -> None:
    assert decision_in(message(**fields)) is None


def test_a_word_typed_before_the_plan_does_not_count_for_it() -> None:
    request = planned()
    noon = NOON.timestamp()
    assert typed_before(request, f"{noon - 1:.6f}")
    assert not typed_before(request, f"{noon + 1:.6f}")


def test_a_click_without_a_place_or_a_value_of_ours_is_nobodys() -> None:
    body = {"user": {"id": "U1"}, "container": {}, "actions": [{"value": "R-1:1"}]}
    assert pressed_in(body) is None


@pytest.mark.parametrize("kept", ["", "[]", "no json", "7"])
def test_a_dialog_with_strange_notes_leads_nowhere(kept: str) -> None:
    assert kept_in(kept) == ("", "")


async def test_an_approval_redelivered_with_a_late_retry_changes_nothing(desk: Desk) -> None:
    card = await desk.waiting()
    await act_on(desk, "thread", "bob", card)
    await until(lambda: desk.request().state is State.QUEUED, what="queued")
    said = next(one for one in desk.thread() if one["text"] == "approve")
    event = {**said, "channel": KAFKA, "channel_type": "channel", "event_ts": said["ts"]}

    async def again() -> int:
        return await desk.deliver(
            type="event_callback", event=event, team_id="T0LABACME1", event_id="Ev1"
        )

    known = desk.audit()
    assert await again() == 200
    await desk.bot.doors.tasks.drain(seconds=5)
    assert (desk.told("bob"), desk.audit()) == ("", known), "a copy is passed over in silence"
    desk.ledger._redis.delete(keys.delivery(f"{KAFKA}:{said['ts']}"))
    assert await again() == 200
    await desk.until_told("bob", "nothing to approve")
    assert len(desk.request().votes) == 1
