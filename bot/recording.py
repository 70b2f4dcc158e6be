"""Audit lines about something that is no request: an incident, a mute, a cluster."""

from __future__ import annotations

import asyncio

from bot.doors import Doors
from changes.request import Person, Refusal
from ledger import Audit


async def refused(
    doors: Doors, about: str, person: Person, event: str, refusal: Refusal
) -> Refusal:
    """Every no stands in the audit."""
    await record(doors, about, person, f"refused: {event}", refusal.words)
    return refusal


async def record(doors: Doors, about: str, person: Person, event: str, words: str) -> None:
    audit = Audit(actor=person.user_id, event=event, words=words)
    await asyncio.to_thread(doors.ledger.record, about, audit=audit)
