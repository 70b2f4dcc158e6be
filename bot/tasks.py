"""Work that goes on after the acknowledgement: tracked, never lost in silence, drained at the end.

Nobody waits for Bolt's own listener tasks at shutdown, and an exception in one right after `ack`
erases the acknowledgement; so listeners acknowledge, start their work here, and return.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ledger import LedgerUnavailable, UnreadableEntry

log = logging.getLogger(__name__)

Tell = Callable[[str], Awaitable[None]]
RUNNING_MAX = 200
"""More people than that do not press at once; a flood is refused instead of piled up."""
CUT_OFF = (
    "Ottla is being restarted in the middle of this. Look at `/kafka status` before trying again."
)
LAST_WORDS_SECONDS = 3.0
TOO_MANY = "I have too much to do right now, so nothing was changed. Try again in a minute."


class Tasks:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, doing: str, tell: Tell) -> None:
        """Run `work`; whatever goes wrong is told to the person as `tell` does, and logged."""
        todo: Awaitable[None] = work
        if len(self._running) >= RUNNING_MAX:
            work.close()
            log.error("refused %s: %d tasks are running", doing, len(self._running))
            todo = tell(TOO_MANY)
        task = asyncio.create_task(_watched(todo, doing=doing, tell=tell), name=doing)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, *, seconds: float) -> None:
        """Let what runs end; what takes longer is cancelled and said."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            log.warning("stopped in the middle of %s", task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _watched(work: Awaitable[None], *, doing: str, tell: Tell) -> None:
    """The outer edge of everything a listener starts."""
    try:
        await work
    except asyncio.CancelledError:
        # Slack does not deliver again what was acknowledged, so this is the last that is heard of it.
        await _tell(_briefly(tell), CUT_OFF, doing=doing)
        raise
    except LedgerUnavailable as away:
        log.error("%s: %s", doing, away)
        await _tell(tell, f"{away} Nothing was changed; try again in a minute.", doing=doing)
    except UnreadableEntry as unreadable:
        log.error("%s: %s", doing, unreadable)
        await _tell(tell, f"{unreadable} Nothing was changed.", doing=doing)
    except Exception:  # the edge of the process: a person gets a reference, the log the trace
        reference = secrets.token_hex(4)
        log.exception("%s failed (reference %s)", doing, reference)
        words = (
            f"Something went wrong here (reference `{reference}`). "
            "Look at `/kafka status` before trying again."
        )
        await _tell(tell, words, doing=doing)


def _briefly(tell: Tell) -> Tell:
    async def told(words: str) -> None:
        await asyncio.wait_for(tell(words), LAST_WORDS_SECONDS)

    return told


async def _tell(tell: Tell, words: str, *, doing: str) -> None:
    try:
        await tell(words)
    except Exception:  # telling failed as well: the log is all that is left
        log.exception("could not tell the person about %s", doing)
