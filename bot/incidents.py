"""Acknowledge, mute and propose by the buttons of an incident's message.

They carry ids and nothing else: what is proposed, and whether it still is, stands in the ledger, and who
pressed comes from Slack's envelope and is read live.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.answering import privately
from bot.cards.incident_buttons import ACKNOWLEDGE, MUTE, MUTE_HOURS, PROPOSE_ANY, UNMUTE
from bot.doors import Doors
from bot.incident_acts import acknowledge, mute, propose, unmute
from bot.once import named, once
from bot.tasks import Tell
from changes.request import Refusal

VALUE = re.compile(r"(I-[1-9][0-9]{0,8})(?::([0-9a-f]{1,12}))?")
OUTDATED = "That button is not one I know any more. See `/kafka incidents`."
Json = dict[str, Any]
Doing = Callable[[Doors, "Pressed"], Awaitable[str]]


class Pressed(NamedTuple):
    """A click on an incident's message, taken apart."""

    incident_id: str
    choice: str
    """Hours to mute, or which offer; empty for the other buttons."""
    user_id: str
    channel: str


def register(app: AsyncApp, doors: Doors) -> None:
    for action_id, doing in DOINGS:
        app.action(action_id)(_listener(doors, doing))


def _listener(doors: Doors, doing: Doing) -> Callable[..., Awaitable[None]]:
    async def pressed(ack: AsyncAck, body: Json) -> None:
        await ack()
        place = body.get("container") or {}
        tell = privately(doors, str(place.get("channel_id") or ""), body["user"]["id"])
        work = once(doors.ledger, named(body), partial(_do, doors, body, doing, tell))
        doors.tasks.start(work, doing=f"{doing.__name__} by button", tell=tell)

    return pressed


async def _do(doors: Doors, body: Json, doing: Doing, tell: Tell) -> None:
    """What counted shows in the message; words are for whoever was refused, or has to know more."""
    pressed = pressed_in(body)
    words = await doing(doors, pressed) if pressed else OUTDATED
    if words:
        await tell(words)


def pressed_in(body: Mapping[str, Any]) -> Pressed | None:
    """None = a value that no message of ours carries: forged, or from another version."""
    action = body["actions"][0]
    chosen = action.get("selected_option") or action
    found = VALUE.fullmatch(str(chosen.get("value", "")))
    place = body.get("container") or {}
    if found is None or not place.get("channel_id"):
        return None
    return Pressed(found[1], found[2] or "", body["user"]["id"], place["channel_id"])


async def acknowledging(doors: Doors, pressed: Pressed) -> str:
    outcome = await acknowledge(
        doors, incident_id=pressed.incident_id, user_id=pressed.user_id, where="button"
    )
    return outcome.words if isinstance(outcome, Refusal) else ""


async def muting(doors: Doors, pressed: Pressed) -> str:
    if pressed.choice not in map(str, MUTE_HOURS):
        return OUTDATED
    outcome = await mute(
        doors,
        incident_id=pressed.incident_id,
        length=timedelta(hours=int(pressed.choice)),
        user_id=pressed.user_id,
        where="button",
    )
    return outcome.words if isinstance(outcome, Refusal) else ""


async def unmuting(doors: Doors, pressed: Pressed) -> str:
    outcome = await unmute(
        doors, incident_id=pressed.incident_id, user_id=pressed.user_id, where="button"
    )
    return outcome.words if isinstance(outcome, Refusal) else ""


async def proposing(doors: Doors, pressed: Pressed) -> str:
    outcome = await propose(
        doors,
        incident_id=pressed.incident_id,
        offer=pressed.choice,
        user_id=pressed.user_id,
        asked_in=pressed.channel,
    )
    if isinstance(outcome, Refusal):
        return outcome.words
    asked = outcome.change.describe()
    return f"{outcome.id}: {asked}: being planned; its card is in <#{outcome.channel}>."


DOINGS: tuple[tuple[str | re.Pattern[str], Doing], ...] = (
    (ACKNOWLEDGE, acknowledging),
    (MUTE, muting),
    (UNMUTE, unmuting),
    (PROPOSE_ANY, proposing),
)
