"""Approve, reject, cancel by the buttons of a card, and the dialog that asks for a reason.

Buttons carry a request's id and revision and nothing else; who pressed comes from Slack's envelope
and is read live.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.answering import answer, privately
from bot.calls import send
from bot.cards.modal import REASON, REJECT_DIALOG, reject_dialog
from bot.cards.request import APPROVE, CANCEL, REJECT, STEER
from bot.cards.text import as_typed
from bot.deciding import Choice, decide, steer, take_back
from bot.doors import Doors
from bot.once import named, once
from bot.tasks import Tell
from changes.lifecycle import State
from changes.steering import Steering

VALUE = re.compile(r"(R-[1-9][0-9]{0,8}):([0-9]{1,6})")
OUTDATED = "That button is not one I know any more. Look at the newest card, or `/kafka status`."
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

    for what, action_id in STEER.items():
        app.action(action_id)(_steering(doors, what))

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


def _steering(doors: Doors, what: Steering) -> Callable[..., Awaitable[None]]:
    async def pressed(ack: AsyncAck, body: Json) -> None:
        await ack()
        _start(doors, body, what)

    return pressed


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
    tell = privately(doors, channel, body["user"]["id"])
    work = once(doors.ledger, named(body), partial(_pressed, doors, body, what, tell))
    doors.tasks.start(work, doing=f"{what} by button", tell=tell)


async def _pressed(doors: Doors, body: Json, what: str, tell: Tell) -> None:
    pressed = pressed_in(body)
    if pressed is None:
        await tell(OUTDATED)
    elif what == "cancel":
        await answer(
            await take_back(
                doors, request_id=pressed.request_id, user_id=pressed.user_id, where="button"
            ),
            tell,
        )
    elif steering := next((one for one in STEER if one == what), None):
        outcome = await steer(
            doors,
            what=steering,
            request_id=pressed.request_id,
            user_id=pressed.user_id,
            where="button",
        )
        await answer(outcome, tell)
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
    await answer(outcome, tell)


def reason_in(body: Mapping[str, Any]) -> str:
    typed = body["view"]["state"]["values"].get(REASON, {}).get(REASON, {}).get("value")
    return as_typed(str(typed or ""))


def _start_rejecting(doors: Doors, body: Json, reason: str) -> None:
    user_id = body["user"]["id"]
    value, channel = kept_in(str(body["view"].get("private_metadata") or ""))
    tell = privately(doors, channel, user_id)
    work = once(doors.ledger, named(body), partial(_reject, doors, value, user_id, reason, tell))
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
