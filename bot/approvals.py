"""Approve, reject, cancel: by button, and by a word in the card's thread.

Buttons carry a request's id and revision and nothing else; who pressed comes from Slack's envelope
and is read live. A thread counts only if it is the thread of a card that the ledger knows.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.calls import send
from bot.cards.help import told
from bot.cards.modal import REASON, REJECT_DIALOG, reject_dialog
from bot.cards.request import APPROVE, CANCEL, REJECT
from bot.cards.text import as_typed
from bot.deciding import Choice, decide, take_back
from bot.doors import Doors
from bot.tasks import Tell
from changes.lifecycle import State
from changes.request import Refusal, Request
from ledger import Ledger

VALUE = re.compile(r"(R-[1-9][0-9]{0,8}):([0-9]{1,6})")
WORD = re.compile(r"(?P<choice>approve|reject)(?:\s+(?P<reason>\S.*))?", re.I | re.S)
RECENT_MAX = 200
"""Requests whose thread is looked for; older ones have long ended."""
JUST_POSTED_SECONDS = 1.0
OUTDATED = "That button is not one I know any more. Look at the newest card, or `/kafka status`."
NO_REASON = "Say why: `reject` and then the reason. The requester has to know what to change."
TYPED_BEFORE = (
    "You typed that before revision {revision} of {id} was planned. "
    "Look at the card as it is now and decide on that."
)
Json = dict[str, Any]


class Pressed(NamedTuple):
    """A click on a card, taken apart."""

    request_id: str
    revision: int
    user_id: str
    channel: str
    ts: str


def register(app: AsyncApp, doors: Doors) -> None:
    @app.action(APPROVE)
    async def approve_pressed(ack: AsyncAck, body: Json) -> None:
        await ack()
        _start(doors, body, "approve")

    @app.action(CANCEL)
    async def cancel_pressed(ack: AsyncAck, body: Json) -> None:
        await ack()
        _start(doors, body, "cancel")

    @app.action(REJECT)
    async def reject_pressed(ack: AsyncAck, body: Json) -> None:
        await ack()
        _start(doors, body, "reject")

    @app.view(REJECT_DIALOG)
    async def reason_given(ack: AsyncAck, body: Json) -> None:
        reason = reason_in(body)
        if not reason:
            await ack(response_action="errors", errors={REASON: "Say why in a few words."})
            return
        await ack()
        _start_rejecting(doors, body, reason)

    @app.event("message")
    async def said(event: Json) -> None:
        if words := decision_in(event):
            tell = _privately(doors, event["channel"], event["user"], event["thread_ts"])
            work = _said_in_thread(doors, event, words, tell)
            doors.tasks.start(work, doing="a word in a thread", tell=tell)


def pressed_in(body: Mapping[str, Any]) -> Pressed | None:
    """None = a value that no card of ours carries: forged, or from another version."""
    found = VALUE.fullmatch(str(body["actions"][0].get("value", "")))
    place = body.get("container") or {}
    if found is None or not place.get("channel_id"):
        return None
    return Pressed(
        request_id=found[1],
        revision=int(found[2]),
        user_id=body["user"]["id"],
        channel=place["channel_id"],
        ts=str(place.get("thread_ts") or place.get("message_ts") or ""),
    )


def _start(doors: Doors, body: Json, what: str) -> None:
    channel = str((body.get("container") or {}).get("channel_id") or "")
    tell = _privately(doors, channel, body["user"]["id"])
    doors.tasks.start(_pressed(doors, body, what, tell), doing=f"{what} by button", tell=tell)


async def _pressed(doors: Doors, body: Json, what: str, tell: Tell) -> None:
    pressed = pressed_in(body)
    if pressed is None:
        await tell(OUTDATED)
    elif what == "cancel":
        await _answer(
            await take_back(
                doors, request_id=pressed.request_id, user_id=pressed.user_id, where="button"
            ),
            tell,
        )
    elif what == "reject" and await _worth_asking_why(doors, pressed):
        await send(
            doors.client,
            "views.open",
            trigger_id=body["trigger_id"],
            view=reject_dialog(
                request_id=pressed.request_id,
                revision=pressed.revision,
                channel=pressed.channel,
            ),
        )
    else:
        await _vote(doors, pressed, "approve" if what == "approve" else "reject", tell)


async def _worth_asking_why(doors: Doors, pressed: Pressed) -> bool:
    """A dialog for somebody who would be refused anyway wastes his time; the vote says why."""
    request = await asyncio.to_thread(doors.ledger.load, pressed.request_id)
    return (
        request is not None
        and request.state is State.AWAITING_APPROVAL
        and request.revision == pressed.revision
        and request.requester.user_id != pressed.user_id
    )


async def _vote(
    doors: Doors, pressed: Pressed, choice: Choice, tell: Tell, reason: str = ""
) -> None:
    outcome = await decide(
        doors,
        request_id=pressed.request_id,
        user_id=pressed.user_id,
        choice=choice,
        revision=pressed.revision,
        reason=reason,
        where="button",
    )
    await _answer(outcome, tell)


async def _answer(outcome: Request | Refusal, tell: Tell) -> None:
    """A refusal is for that person alone; what counted shows in card and thread."""
    if isinstance(outcome, Refusal):
        await tell(outcome.words)


def reason_in(body: Mapping[str, Any]) -> str:
    typed = body["view"]["state"]["values"].get(REASON, {}).get(REASON, {}).get("value")
    return as_typed(str(typed or ""))


def _start_rejecting(doors: Doors, body: Json, reason: str) -> None:
    user_id = body["user"]["id"]
    value, channel = kept_in(str(body["view"].get("private_metadata") or ""))
    tell = _privately(doors, channel, user_id)
    work = _reject(doors, value, user_id, reason, tell)
    doors.tasks.start(work, doing="reject by button", tell=tell)


def kept_in(private_metadata: str) -> tuple[str, str]:
    """The button's value and where to answer, as `reject_dialog` wrote them; else nothing."""
    try:
        kept = json.loads(private_metadata)
    except ValueError:
        return "", ""
    return (
        (str(kept.get("value")), str(kept.get("channel"))) if isinstance(kept, dict) else ("", "")
    )


async def _reject(doors: Doors, value: str, user_id: str, reason: str, tell: Tell) -> None:
    found = VALUE.fullmatch(value)
    if found is None:
        await tell(OUTDATED)
        return
    await _vote(doors, Pressed(found[1], int(found[2]), user_id, "", ""), "reject", tell, reason)


def decision_in(event: Mapping[str, Any]) -> re.Match[str] | None:
    """`approve` or `reject <reason>`, typed by a person as a reply, unedited and unbroadcast."""
    if event.get("subtype") or event.get("edited") or event.get("bot_id") or event.get("hidden"):
        return None
    thread_ts = event.get("thread_ts")
    if not thread_ts or thread_ts == event.get("ts") or not event.get("user"):
        return None
    return WORD.fullmatch(str(event.get("text") or "").strip())


async def _said_in_thread(doors: Doors, event: Json, words: re.Match[str], tell: Tell) -> None:
    request = await _request_of(doors, event["channel"], event["thread_ts"])
    if request is None:
        return  # a thread of people's own; it is none of our business
    choice: Choice = "approve" if words["choice"].lower() == "approve" else "reject"
    reason = as_typed(words["reason"] or "")
    if choice == "approve" and reason:
        return  # "approve of what?" is talk, not a vote
    if choice == "reject" and not reason:
        await tell(NO_REASON)
        return
    if typed_before(request, str(event["ts"])):
        await tell(TYPED_BEFORE.format(id=request.id, revision=request.revision))
        return
    outcome = await decide(
        doors,
        request_id=request.id,
        user_id=event["user"],
        choice=choice,
        revision=request.revision,
        reason=reason,
        where="thread",
    )
    await _answer(outcome, tell)


async def _request_of(doors: Doors, channel: str, thread_ts: str) -> Request | None:
    """The request whose card began this thread; asked twice, since a card is seen in Slack some
    moments before the ledger knows where it was posted."""
    for pause_seconds in (0, JUST_POSTED_SECONDS):
        await asyncio.sleep(pause_seconds)
        if found := await asyncio.to_thread(_shown_at, doors.ledger, channel, thread_ts):
            return found
    return None


def _shown_at(ledger: Ledger, channel: str, ts: str) -> Request | None:
    for request in ledger.requests(limit=RECENT_MAX):
        card = ledger.card(request.id)
        if card is not None and (card.channel, card.ts) == (channel, ts):
            return request
    return None


def typed_before(request: Request, ts: str) -> bool:
    """Was the word typed before this revision was planned? Slack delivers late by up to 5 minutes."""
    if request.verdict is None or request.expires_at is None:
        return False
    lasted = timedelta(minutes=request.verdict.expires_after_minutes)
    return datetime.fromtimestamp(float(ts), tz=UTC) < request.expires_at - lasted


def _privately(doors: Doors, channel: str, user_id: str, thread_ts: str | None = None) -> Tell:
    """Tell that person alone, where he acted."""

    async def tell(words: str) -> None:
        drawn = told(words)
        await send(
            doors.client,
            "chat.postEphemeral",
            channel=channel or user_id,
            user=user_id,
            thread_ts=thread_ts,
            text=drawn.text,
            blocks=list(drawn.blocks),
        )

    return tell
