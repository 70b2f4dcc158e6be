"""What people do to incidents, from whatever surface it came: one way to the ledger, each act audited.

Who acts is read live; what is allowed is decided by `changes.incident` on the incident as stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.cards.incident_buttons import digest, offered
from bot.cards.text import harmless
from bot.doors import Doors
from bot.incident_story import proposed_states
from bot.opening import open_request
from bot.recording import record, refused
from changes.grammar import Asked, parse
from changes.incident import Incident, acknowledged, muted, proposed, unmuted
from changes.request import Person, Refusal, Request
from ledger import Fence

log = logging.getLogger(__name__)

BECAUSE_LETTERS_MAX = 200
OPEN_MAX = 50
TURN_SECONDS = 10.0
TURN_PAUSE_SECONDS = 0.1
TURN_TRIES = 50
NO_SUCH = "There is no incident {id} (any more). See `/kafka incidents`."

Act = Callable[[Person, Incident], Incident | Refusal]


async def acknowledge(
    doors: Doors, *, incident_id: str, user_id: str, where: str
) -> Incident | Refusal:
    def act(person: Person, incident: Incident) -> Incident | Refusal:
        return acknowledged(incident, person=person, now=doors.now())

    return await _carried_out(doors, incident_id, user_id, act, event=f"acknowledge by {where}")


async def mute(
    doors: Doors, *, incident_id: str, length: timedelta, user_id: str, where: str
) -> Incident | Refusal:
    def act(person: Person, incident: Incident) -> Incident | Refusal:
        now = doors.now()
        return muted(incident, person=person, until=now + length, now=now)

    return await _carried_out(doors, incident_id, user_id, act, event=f"mute by {where}")


async def unmute(doors: Doors, *, incident_id: str, user_id: str, where: str) -> Incident | Refusal:
    def act(person: Person, incident: Incident) -> Incident | Refusal:
        return unmuted(incident, person=person, now=doors.now())

    return await _carried_out(doors, incident_id, user_id, act, event=f"unmute by {where}")


async def propose(
    doors: Doors, *, incident_id: str, offer: str, user_id: str, asked_in: str
) -> Request | Refusal:
    """Open the request an incident offers; `offer` is the digest its button carried.

    The text goes through the grammar like any other, and whoever pressed is the requester. Of two
    people who press in the same second the second finds what the first has opened.
    """
    person = await doors.person(user_id)
    fence = await _my_turn(doors, incident_id)
    if fence is None:
        return Refusal(words=f"Somebody else proposes from {incident_id} just now. Try again.")
    try:
        return await _propose(doors, incident_id, person, offer, asked_in)
    finally:
        await asyncio.to_thread(doors.ledger.release, fence)


async def _my_turn(doors: Doors, incident_id: str) -> Fence | None:
    for _ in range(TURN_TRIES):
        name = f"propose:{incident_id}"
        fence = await asyncio.to_thread(doors.ledger.claim, name, seconds=TURN_SECONDS)
        if fence is not None:
            return fence
        await asyncio.sleep(TURN_PAUSE_SECONDS)
    return None


async def _propose(
    doors: Doors, incident_id: str, person: Person, offer: str, asked_in: str
) -> Request | Refusal:
    incident = await asyncio.to_thread(doors.ledger.incident, incident_id)
    event = "propose by button"
    if incident is None:
        return Refusal(words=NO_SUCH.format(id=incident_id))
    asked = await asyncio.to_thread(_asked, doors, incident, person, offer)
    if isinstance(asked, Refusal):
        return await refused(doors, incident_id, person, event, asked)
    request = await open_request(doors, asked, person=person, asked_in=asked_in)
    link = partial(proposed, request_id=request.id, person=person, now=doors.now())
    linked = await asyncio.to_thread(doors.ledger.change_incident, incident_id, link)
    if isinstance(linked, Refusal):  # it ended in this moment; the request stands all the same
        log.info("%s is not linked from %s: %s", request.id, incident_id, linked.words)
    await record(doors, incident_id, person, event, request.id)
    return request


def _asked(doors: Doors, incident: Incident, person: Person, offer: str) -> Asked | Refusal:
    """The change as typed text would give it, or why it cannot be asked for from here."""
    if person.standing:
        return Refusal(words=f"You cannot propose a change for {incident.id}: {person.standing}.")
    if incident.ended_at:
        return Refusal(words=f"{incident.id} is over: there is nothing to propose.")
    text = next((one for one in offered(incident) if digest(one) == offer), None)
    if text is None:
        words = f"{incident.id} does not propose that any more. Look at its message again."
        return Refusal(words=words)
    for request_id, state in proposed_states(doors.ledger, incident).items():
        if not state.ended:
            words = f"{request_id} was proposed from {incident.id} already and is {state.value}."
            return Refusal(words=words)
    read = parse(
        f"{text} on {incident.cluster}",
        usages=doors.usages,
        clusters=tuple(doors.policies.clusters),
        default_cluster=None,
    )
    if not isinstance(read, Asked):
        log.error("%s proposes %r, which is no change: %s", incident.id, text, read)
        return Refusal(words=f"`{text}` is no change that can be asked for on {incident.cluster}.")
    open_ones = doors.ledger.requests(cluster=incident.cluster, open_only=True, limit=OPEN_MAX)
    if same := next((one for one in open_ones if one.change == read.change), None):
        return Refusal(words=f"{same.id} asks for it already and is {same.state.value}.")
    if open_ones:
        other = open_ones[0]
        where = f"{other.id} ({other.change.describe()}) is {other.state.value}"
        return Refusal(words=f"{where}: what it brings is seen first.")
    return read.with_(because=_because(incident, text))


def _because(incident: Incident, text: str) -> str:
    found = next((one.finding for one in incident.firing if one.finding.proposal == text), None)
    words = f"{incident.id}: {found.subject}: {found.words}" if found else incident.id
    return harmless(words, letters_max=BECAUSE_LETTERS_MAX)


async def _carried_out(
    doors: Doors, incident_id: str, user_id: str, act: Act, *, event: str
) -> Incident | Refusal:
    person = await doors.person(user_id)
    outcome = await asyncio.to_thread(
        doors.ledger.change_incident, incident_id, partial(act, person)
    )
    if outcome is None:
        return Refusal(words=NO_SUCH.format(id=incident_id))
    if isinstance(outcome, Refusal):
        return await refused(doors, incident_id, person, event, outcome)
    await record(doors, incident_id, person, event, outcome.log[-1].text if outcome.log else event)
    return outcome
