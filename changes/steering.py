"""Pause, resume, abort a running change; withdraw a vote before work starts. The one authoriser of all four.

The surprising truth: none of these touches the cluster. They write a wish into the request, and the
worker honours it between two batches: a pause begins nothing new and lets what is in flight end, an
abort cleans up from the step at work back to the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

from changes.lifecycle import Event, State
from changes.request import (
    Outcome,
    Person,
    Refusal,
    Request,
    approvals_of,
    counts_for,
    mention,
    needs_in_words,
)

Steering = Literal["pause", "resume", "abort", "withdraw"]


class Act(Protocol):
    def __call__(self, request: Request, *, person: Person, now: datetime) -> Request | Refusal: ...


def pause(request: Request, *, person: Person, now: datetime) -> Request | Refusal:
    if refusal := _why_not_steer(request, person=person, what="pause"):
        return Refusal(words=refusal)
    if request.paused_by is not None:
        return Refusal(words=f"{request.id} is paused already, by {mention(request.paused_by)}.")
    text = (
        f"Paused by {mention(person)}: nothing new is begun, what is in flight ends. "
        f"`/kafka resume {request.id}` goes on."
    )
    return request.with_(paused_by=person).said(now=now, text=text, calls="requester")


def resume(request: Request, *, person: Person, now: datetime) -> Request | Refusal:
    if refusal := _why_not_steer(request, person=person, what="resume"):
        return Refusal(words=refusal)
    if request.paused_by is None:
        return Refusal(words=f"{request.id} is not paused: it is running.")
    text = f"Resumed by {mention(person)}"
    return request.with_(paused_by=None).said(now=now, text=text, calls="requester")


def abort(request: Request, *, person: Person, now: datetime) -> Request | Refusal:
    """Stop for good: the worker cancels what runs where that is safe, and clears the throttles."""
    if refusal := _why_not_steer(request, person=person, what="abort"):
        return Refusal(words=refusal)
    aborted = request.moved(event=Event.ABORTED, now=now)
    progress = request.progress
    if progress is not None:
        still = {"failures": 0, "hold": "", "held_since": None, "told": (), "done": 0, "total": 0}
        progress = progress.with_(**still, intended=False)
    words = f"stopped by {person.name}"
    aborted = aborted.with_(
        aborted_by=person, paused_by=None, progress=progress, outcome=Outcome(words=words)
    )
    text = f"Aborted by {mention(person)}: cancelling what runs, then the throttles go"
    return aborted.said(now=now, text=text, calls="requester")


def withdraw(request: Request, *, person: Person, now: datetime) -> Request | Refusal:
    """Take one's own vote back; a request that was only queued with it asks again."""
    if person.standing:
        return Refusal(words=f"You cannot withdraw from {request.id}: {person.standing}.")
    if request.state not in (State.AWAITING_APPROVAL, State.QUEUED):
        words = f"{request.id} is {request.state.value}: no vote can be withdrawn any more."
        return Refusal(words=words)
    if person.user_id not in {v.person.user_id for v in request.counted_votes}:
        return Refusal(words=f"You have no vote on {request.id} that could be withdrawn.")
    kept = tuple(
        v
        for v in request.votes
        if v.person.user_id != person.user_id or v.fingerprint != request.fingerprint
    )
    without = request.with_(votes=kept, standing=None)  # who is asked about has changed
    if request.state is State.QUEUED and without.missing:
        without = without.moved(event=Event.VOTE_WITHDRAWN, now=now)
    text = f"Approval withdrawn by {mention(person)}"
    if without.missing:
        text += f"; {needs_in_words(without.missing)}"
    return without.said(now=now, text=text, calls="both")


ACTS: Mapping[Steering, Act] = {
    "pause": pause,
    "resume": resume,
    "abort": abort,
    "withdraw": withdraw,
}


def offered(request: Request) -> tuple[Steering, ...]:
    """What a running card offers now; whether a person may is asked when he presses."""
    if request.state is not State.RUNNING:
        return ()
    return ("pause" if request.paused_by is None else "resume", "abort")


def _why_not_steer(request: Request, *, person: Person, what: str) -> str:
    """The refusal in words, or nothing. Identity first, so that strangers learn nothing else."""
    if person.standing:
        return f"You cannot {what} {request.id}: {person.standing}."
    if not _concerned(request, person):
        circles = ", ".join(need.label or need.rule for need in approvals_of(request))
        who = f"its requester or {circles}" if circles else "its requester"
        return f"You cannot {what} {request.id}: only {who} may."
    if request.state is State.QUEUED and request.requester.user_id == person.user_id:
        return (
            f"{request.id} has not started: use `/kafka cancel {request.id}` to take it back, "
            f"there is nothing to {what}."
        )
    if request.state is not State.RUNNING:
        return f"{request.id} is {request.state.value}: there is nothing to {what}."
    return ""


def _concerned(request: Request, person: Person) -> bool:
    """Whoever asked, and whoever could have approved."""
    if person.user_id == request.requester.user_id:
        return True
    return any(counts_for(need, person) for need in approvals_of(request))
