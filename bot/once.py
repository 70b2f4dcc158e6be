"""One act of one person is carried out once, however often and wherever Slack delivers it.

The surprising truth: what people did twice is not for us to drop. Two clicks are two deliveries with two
names, and the second is answered; only a copy of the same delivery is passed over in silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ledger import Ledger, LedgerUnavailable

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0
"""How long a copy waits for the one that was begun; after that its bot is taken for dead."""
PAUSE_SECONDS = 0.1


def named(payload: Mapping[str, Any]) -> str:
    """A command or a click: Slack gives each its own trigger, and each copy of it the same."""
    return str(payload.get("trigger_id") or "")


async def once(ledger: Ledger, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """`name` is what Slack calls the act, the same in every copy; "" = it has no name."""
    if name and not await _is_ours(ledger, name):
        log.info("%s was delivered again and passed over", name)
        return
    await work()
    if name:
        await _note(ledger, name)


async def _note(ledger: Ledger, name: str) -> None:
    try:
        await asyncio.to_thread(ledger.delivered, name)
    except (
        LedgerUnavailable
    ) as away:  # it is done all the same; a copy would be answered by a refusal
        log.warning("%s", away)


async def _is_ours(ledger: Ledger, name: str) -> bool:
    try:
        return await _is_first(ledger, name)
    except LedgerUnavailable:
        return True  # the work itself will say what cannot be done without it


async def _is_first(ledger: Ledger, name: str) -> bool:
    waited_seconds = 0.0
    while (copy := await asyncio.to_thread(ledger.take_delivery, name)) == "begun":
        if waited_seconds >= PATIENCE_SECONDS:
            return True
        await asyncio.sleep(PAUSE_SECONDS)
        waited_seconds += PAUSE_SECONDS
    return copy == "first"
