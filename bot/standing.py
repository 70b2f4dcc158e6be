"""Reads approvers again when a worker asks for it, since workers have no Slack (`changes.standing`).

The surprising truth: an answer that cannot be trusted is none. When Slack does not say who somebody is,
nothing is stored and the worker goes on waiting, rather than taking a doubt for a lost right.
"""

from __future__ import annotations

import asyncio
import logging

from bot.doors import Doors
from bot.people import GROUPS_NOT_READ, NOT_READ
from changes import standing
from changes.request import Request
from ledger import Audit, Conflict, LedgerUnavailable, UnreadableEntry

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
DOUBTS = (NOT_READ, GROUPS_NOT_READ)


async def keep_answering(doors: Doors, asked_to_stop: asyncio.Event) -> None:
    """Until the process stops; whatever fails is tried again in the next round."""
    while not asked_to_stop.is_set():
        try:
            await answer_all(doors)
        except (LedgerUnavailable, UnreadableEntry) as away:
            log.warning("who approved cannot be read again: %s", away)
        except Exception:  # the edge of the process: the next round begins afresh
            log.exception("reading approvers again failed")
        try:
            await asyncio.wait_for(asked_to_stop.wait(), ROUND_SECONDS)
        except TimeoutError:
            continue


async def answer_all(doors: Doors) -> None:
    for request in await asyncio.to_thread(_asking, doors):
        await answer(doors, request)


def _asking(doors: Doors) -> list[Request]:
    """Only the head of each cluster's line can be about to start."""
    heads = [line[0] for name in doors.policies.clusters if (line := doors.ledger.line(name))]
    found = [_readable(doors, request_id) for request_id in heads]
    return [request for request in found if request is not None and standing.owed(request)]


def _readable(doors: Doors, request_id: str) -> Request | None:
    """What another version of Ottla wrote is that version's; the other clusters' heads go on."""
    try:
        return doors.ledger.load(request_id)
    except UnreadableEntry as unreadable:
        log.warning("who approved cannot be read again: %s", unreadable)
        return None


async def answer(doors: Doors, request: Request) -> None:
    ids = [person.user_id for person in standing.approvers(request)]
    people = tuple(await asyncio.gather(*(doors.person(user_id) for user_id in ids)))
    if any(person.standing in DOUBTS for person in people):
        return
    now = doors.now()
    words = "; ".join(f"{p.user_id}: {p.standing or ', '.join(p.groups)}" for p in people)
    audit = Audit(actor="bot", event="approvers read again", words=words or "nobody")
    answered = standing.answered(request, people=people, now=now)
    try:
        await asyncio.to_thread(doors.ledger.save, answered, audit=audit, due_at=now)
    except Conflict:
        log.info("%s was saved by somebody else meanwhile; read again", request.id)
