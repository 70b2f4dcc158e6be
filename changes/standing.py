"""Are those who approved still allowed to, now that work starts?

Workers have no Slack, so they cannot know. The protocol, through the stored request alone:

1. At the start a worker looks how old the newest reading of each voter is. A vote read them, so a
   start within `VOTE_STANDS` of all votes needs no more.
2. Otherwise the worker stores `standing` with `asked_at` and leaves the request queued.
3. A bot sees it, reads every voter live, and stores the people with `answered_at`, due at once.
4. The worker goes on when every need is still met by them; else the approvals are void, in words.

A bot that is away answers nothing: the request stays queued, says why, and expires like any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from changes.lifecycle import State
from changes.request import (
    Person,
    Request,
    StandingCheck,
    approvals_of,
    counts_for,
    still_missing,
)

VOTE_STANDS = timedelta(seconds=5)
"""Of the last vote work starts half a second later; whoever has lost his right since is found out."""
ANSWER_STANDS = timedelta(minutes=2)
"""Longer than a worker's death and recovery take, or than a worker is kept by a cluster that is silent:
an answer that is too old whenever it is read would be asked for for ever."""
ASKING = (
    "who approved is being read again in Slack before work starts; "
    "if this stays, Ottla's Slack side is away"
)


def approvers(request: Request) -> tuple[Person, ...]:
    return tuple(v.person for v in request.counted_votes if v.choice == "approve")


def fresh(request: Request, *, now: datetime) -> bool:
    """Is every approver's standing known as of a moment ago?

    An answer is as old as the question, which the same clock wrote; a vote of the bot's clock that seems
    to come from the future is of no known age, and is asked about.
    """
    if not approvals_of(request):
        return True
    read_at = [v.at for v in request.counted_votes if v.choice == "approve"]
    check = request.standing
    if check is not None and check.fingerprint == request.fingerprint and check.answered_at:
        return _recent(check.asked_at, now, ANSWER_STANDS)
    return bool(read_at) and all(_recent(at, now, VOTE_STANDS) for at in read_at)


def _recent(at: datetime, now: datetime, stands: timedelta) -> bool:
    return timedelta(0) <= now - at <= stands


def asked(request: Request, *, now: datetime) -> Request:
    """The worker's question, once; a stale answer is asked for again."""
    check = request.standing
    if check is None or check.answered_at or check.fingerprint != request.fingerprint:
        check = StandingCheck(fingerprint=request.fingerprint, asked_at=now)
    return request.with_(standing=check, waits=ASKING)


def owed(request: Request) -> bool:
    """Does a worker wait for the bot to read these people?"""
    check = request.standing
    return request.state is State.QUEUED and check is not None and check.answered_at is None


def answered(request: Request, *, people: tuple[Person, ...], now: datetime) -> Request:
    """The bot's answer; only readings it trusts, so a silent Slack is no answer."""
    if request.standing is None:
        return request
    check = request.standing.with_(people=people, answered_at=now)
    return request.with_(standing=check)


def lost(request: Request) -> tuple[str, ...]:
    """Why the approvals no longer suffice; empty = they do."""
    check = request.standing
    if check is None or not check.answered_at or check.fingerprint != request.fingerprint:
        return ()
    now = {person.user_id: person for person in check.people}
    able = [now[p.user_id] for p in approvers(request) if _able(now.get(p.user_id))]
    if not still_missing(approvals_of(request), able):
        return ()
    return tuple(
        f"{person.name} approved and may not any more: "
        f"{_why(now.get(person.user_id)) or 'no longer among the approvers'}"
        for person in approvers(request)
        if not _counts(request, now.get(person.user_id))
    ) or ("the approvals no longer suffice",)


def _able(person: Person | None) -> bool:
    return person is not None and not person.standing


def _why(person: Person | None) -> str:
    return person.standing.replace("you ", "they ").replace("your ", "their ") if person else ""


def _counts(request: Request, person: Person | None) -> bool:
    if person is None or person.standing:
        return False
    return any(counts_for(need, person) for need in approvals_of(request))
