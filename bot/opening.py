"""Opening a request: one way, whether the change was typed or proposed by an incident."""

from __future__ import annotations

import asyncio

from bot.cards.text import harmless
from bot.doors import Doors
from changes.grammar import Asked
from changes.request import Person, Request


async def open_request(doors: Doors, asked: Asked, *, person: Person, asked_in: str) -> Request:
    """For somebody whose standing was looked at; planned, judged and approved as ever."""
    return await asyncio.to_thread(
        doors.ledger.open_request,
        change=asked.change,
        requester=person,
        channel=doors.channel_of(asked.change.cluster),
        asked_in=asked_in,
        because=harmless(asked.because),
        now=doors.now(),
    )
