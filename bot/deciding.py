"""Votes and cancellations, from whatever surface they came: one way to the ledger.

The authoriser itself is `changes.request.vote`; here it is handed a person read live and the request
as stored, and asked again when somebody else saved first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from bot.doors import Doors
from changes.lifecycle import State
from changes.request import Person, Refusal, Request, cancel, needs_in_words, vote
from changes.steering import ACTS, Steering
from ledger import Audit, Conflict

TRIES_MAX = 20
"""As many people in the same moment; more means that something else is wrong."""
CROWDED = "Several people acted on {id} at the same moment. Look at its card, then try again."

NO_REASON = "Say why: `reject` and then the reason. The requester has to know what to change."

AT_ONCE = (State.QUEUED, State.RUNNING, State.ROLLING_BACK)
"""A worker has something to honour in these; every other state waits for people or has ended."""

Choice = Literal["approve", "reject"]
Act = Callable[[Request], Request | Refusal]


async def decide(
    doors: Doors,
    *,
    request_id: str,
    user_id: str,
    choice: Choice,
    revision: int | None,
    reason: str = "",
    where: str,
) -> Request | Refusal:
    """Count one vote or say why not; `where` names the surface in the audit line.

    Without a card (`revision` None) it is about the plan as it was when the command arrived: reading who
    somebody is takes seconds, and a race lost is decided again.
    """
    shown = revision
    if shown is None:
        arrived = await asyncio.to_thread(doors.ledger.load, request_id)
        shown = arrived.revision if arrived else None
    person = await doors.person(user_id)

    def act(request: Request) -> Request | Refusal:
        voted = vote(
            request,
            person=person,
            choice=choice,
            revision=shown,
            now=doors.now(),
            reason=reason,
        )
        asked_why = choice == "reject" and not reason and not isinstance(voted, Refusal)
        return Refusal(words=NO_REASON) if asked_why else voted

    return await _settled(doors, request_id, person, act=act, event=f"{choice} by {where}")


async def take_back(
    doors: Doors, *, request_id: str, user_id: str, where: str
) -> Request | Refusal:
    """Cancel, which only the requester may and only before work starts."""
    person = await doors.person(user_id)

    def act(request: Request) -> Request | Refusal:
        return cancel(request, person=person, now=doors.now())

    return await _settled(doors, request_id, person, act=act, event=f"cancel by {where}")


async def steer(
    doors: Doors, *, what: Steering, request_id: str, user_id: str, where: str
) -> Request | Refusal:
    """Pause, resume, abort, or withdraw one's own vote."""
    person = await doors.person(user_id)

    def act(request: Request) -> Request | Refusal:
        return ACTS[what](request, person=person, now=doors.now())

    return await _settled(doors, request_id, person, act=act, event=f"{what} by {where}")


async def _settled(
    doors: Doors, request_id: str, person: Person, *, act: Act, event: str
) -> Request | Refusal:
    """Decide on what is stored; a lost race is decided again on what the winner stored."""
    for _ in range(TRIES_MAX):
        request = await asyncio.to_thread(doors.ledger.load, request_id)
        if request is None:
            return Refusal(words=f"There is no request {request_id}. See `/kafka status`.")
        decided = act(request)
        if isinstance(decided, Refusal):
            return await _refused(doors, request_id, person, event, decided)
        try:
            return await asyncio.to_thread(_save, doors, decided, person, event)
        except Conflict:
            continue
    crowded = Refusal(words=CROWDED.format(id=request_id))
    return await _refused(doors, request_id, person, event, crowded)


async def _refused(
    doors: Doors, request_id: str, person: Person, event: str, refusal: Refusal
) -> Refusal:
    """Every no stands in the audit, this one too."""
    audit = Audit(actor=person.user_id, event=f"refused: {event}", words=refusal.words)
    await asyncio.to_thread(doors.ledger.refused, request_id=request_id, audit=audit)
    return refusal


def _save(doors: Doors, decided: Request, person: Person, event: str) -> Request:
    """State, audit line and the next due time in one; what workers are at is due at once."""
    said = decided.log[-1].text if decided.log else decided.state.value
    words = f"{said} [revision {decided.revision}, {decided.fingerprint[:8] or 'no plan yet'}]"
    due_at = doors.now() if decided.state in AT_ONCE else None
    if decided.state is State.AWAITING_APPROVAL:
        due_at = decided.expires_at
    audit = Audit(actor=person.user_id, event=event, words=words)
    return doors.ledger.save(decided, audit=audit, due_at=due_at)


def in_words(outcome: Request | Refusal) -> str:
    """What the person who acted is told."""
    if isinstance(outcome, Refusal):
        return outcome.words
    if outcome.state is State.RUNNING:
        return f"{outcome.id} is paused." if outcome.paused_by else f"{outcome.id} goes on."
    if outcome.state is State.ROLLING_BACK:
        return f"{outcome.id} is being stopped: what runs is cancelled, then the throttles go."
    if outcome.log and outcome.log[-1].text.startswith("Approval withdrawn"):
        return f"Your approval of {outcome.id} does not count any more."
    if outcome.state is State.AWAITING_APPROVAL:
        return f"Your approval of {outcome.id} counts; {needs_in_words(outcome.missing)}."
    if outcome.state is State.QUEUED:
        return f"Your approval of {outcome.id} counts; it is queued now."
    return f"{outcome.id} is {outcome.state.value}."
