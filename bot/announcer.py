"""Keeps every card and thread true: follows the ledger's news, and looks around now and then.

The surprising truth: news may be lost without harm. Which cards are behind stands in the ledger, so a
restart, a dropped event or an hour without Slack costs nothing but time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time

from bot.keeper import Keeper, Later
from bot.missed import Missed
from bot.story import Shelf
from ledger import Ledger, LedgerUnavailable, UnreadableEntry

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
AWAY_SECONDS = 2.0
AFTER_TROUBLE_SECONDS = 30.0
UNREADABLE_SECONDS = 600.0
"""Another version of Ottla wrote it; that one shows it, and we only look again now and then."""
AT_ONCE_MAX = 8
"""Requests and incidents being written to Slack in the same moment; Slack's own limits come far earlier."""


class Announcer:
    def __init__(self, *, ledger: Ledger, keeper: Keeper, shelf: Shelf, missed: Missed) -> None:
        self._ledger = ledger
        self._keeper = keeper
        self._shelf = shelf
        self._missed = missed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)
        self._stopping = threading.Event()
        """For the thread that follows the news; `_end` is the same for the loop."""
        self._end = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        await asyncio.gather(self._follow_news(), self._look_around())

    async def stop(self) -> None:
        """Take no more work, let the acts under way end: each of them is short."""
        self._stopping.set()
        self._end.set()
        for timer in self._timers.values():
            timer.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=10)

    async def _follow_news(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            try:
                await asyncio.to_thread(self._listen, loop)
            except LedgerUnavailable as away:
                log.error("the news cannot be followed: %s", away)
                await asyncio.sleep(AWAY_SECONDS)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        for story_id in self._ledger.follow(stop=self._stopping.is_set, timeout_seconds=10):
            if story_id is not None:
                loop.call_soon_threadsafe(self.wake, story_id)

    async def _look_around(self) -> None:
        while not self._stopping.is_set():
            try:
                for story_id in await asyncio.to_thread(self._shelf.behind):
                    self.wake(story_id)
            except LedgerUnavailable as away:
                log.error("cards to draw cannot be looked for: %s", away)
            await self._missed.say()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), ROUND_SECONDS)

    def wake(self, story_id: str) -> None:
        """Something about this request or incident may have to be shown."""
        if self._stopping.is_set():
            return
        if story_id in self._tasks:
            self._again.add(story_id)
            return
        if (wait := self._not_before.get(story_id, 0.0) - time.monotonic()) > 0:
            self._wake_later(story_id, wait)
            return
        self._not_before.pop(story_id, None)
        task = asyncio.create_task(self._keep(story_id), name=f"showing {story_id}")
        self._tasks[story_id] = task
        task.add_done_callback(lambda _: self._ended(story_id))

    def _ended(self, story_id: str) -> None:
        del self._tasks[story_id]
        if story_id in self._again:
            self._again.discard(story_id)
            self.wake(story_id)

    def _wake_later(self, story_id: str, seconds: float) -> None:
        if old := self._timers.pop(story_id, None):
            old.cancel()
        timer = asyncio.get_running_loop().call_later(seconds, self._on_time, story_id)
        self._timers[story_id] = timer

    def _on_time(self, story_id: str) -> None:
        self._timers.pop(story_id, None)
        self.wake(story_id)

    async def _keep(self, story_id: str) -> None:
        async with self._room:
            later = await self._kept(story_id)
        if later is None:
            await self._wake_those_behind(story_id)
        if later is None or self._stopping.is_set():
            return
        if later.strict:
            self._not_before[story_id] = time.monotonic() + later.seconds
        self._wake_later(story_id, later.seconds)

    async def _wake_those_behind(self, story_id: str) -> None:
        """When a request ends, the cards of those in line show one place less, and the incident it was
        proposed from may offer it again."""
        for other in await asyncio.to_thread(self._changed_by, story_id):
            self.wake(other)

    def _changed_by(self, request_id: str) -> tuple[str, ...]:
        try:
            request = self._ledger.load(request_id)
            if request is None or not request.state.ended:
                return ()
            opened = self._ledger.open_incidents(request.cluster)
            proposing = (one.id for one in opened if request_id in one.proposed)
            return (*self._ledger.line(request.cluster), *proposing)
        except (LedgerUnavailable, UnreadableEntry):
            return ()  # their own news, or the next round, will wake them

    async def _kept(self, story_id: str) -> Later | None:
        """The outer edge of showing one of them; the others go on whatever happens to it."""
        try:
            return await self._keeper.keep(story_id)
        except LedgerUnavailable as away:
            log.error("%s cannot be shown: %s", story_id, away)
            return Later(AWAY_SECONDS, strict=True)
        except UnreadableEntry as unreadable:
            log.error("%s cannot be shown: %s", story_id, unreadable)
            return Later(UNREADABLE_SECONDS, strict=True)
        except Exception:  # the edge of the process: one bad story must not silence the rest
            log.exception("%s could not be shown", story_id)
            return Later(AFTER_TROUBLE_SECONDS, strict=True)
