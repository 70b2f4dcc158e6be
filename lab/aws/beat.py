"""A steady beat on multiples of the period, for whatever measures.

A look that takes too long loses the beats it slept through; it never runs twice to catch up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


async def every(period_seconds: int, look: Callable[[float], Awaitable[None]]) -> None:
    """Call `look` with the stamp of each beat, until cancelled."""
    while True:
        stamp = (time.time() // period_seconds + 1) * period_seconds
        await asyncio.sleep(max(stamp - time.time(), 0.0))
        try:
            await look(stamp)
        # The outer edge of a background task: one bad look must not end measuring.
        except Exception:
            log.exception("measuring the cluster")


async def ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a background task and wait until it is gone."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
