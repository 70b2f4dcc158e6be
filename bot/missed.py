"""What came and went before it could be shown: one line for all of it, and none for a single one.

Of two bots that missed different ones, one says it; `/kafka incidents` has them all. The surprising
truth: the line itself is held up by the same outage, so it waits, and is looked for before it is posted
again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot import finding
from bot.calls import Busy, SaidNo, Unsure, send
from bot.cards.line import draw_line
from bot.doors import Home
from bot.story import Mark, Story
from ledger import Ledger, LedgerUnavailable

log = logging.getLogger(__name__)

QUIET_SECONDS = 3.0
"""More may be found in the same round."""
KEPT_SECONDS = 120.0
"""A single one is no longer waited for another; it is left to the history."""
SAID_SECONDS = KEPT_SECONDS
"""For how long another bot leaves the channel to the one that says it; a later outage is told again."""
LISTED_MAX = 8
FROM = 2


@dataclass
class Waiting:
    """What is to be said in one channel."""

    ids: list[str] = field(default_factory=list)
    noted_at: float = 0.0
    since: datetime | None = None
    """When it was tried first; set = it may be there already."""


class Missed:
    def __init__(self, *, ledger: Ledger, client: AsyncWebClient, home: Home) -> None:
        self._ledger = ledger
        self._client = client
        self._home = home
        self._waiting: dict[str, Waiting] = {}

    def note(self, story: Story) -> None:
        """Counted as shown although nobody saw it, now that it is over."""
        if story.ended and story.channel:
            waiting = self._waiting.setdefault(story.channel, Waiting())
            waiting.ids.append(story.mark.id)
            waiting.noted_at = time.monotonic()

    async def say(self) -> None:
        """Called now and then."""
        for channel, waiting in list(self._waiting.items()):
            quiet_seconds = time.monotonic() - waiting.noted_at
            if quiet_seconds < QUIET_SECONDS:
                continue
            if len(waiting.ids) < FROM:
                if quiet_seconds > KEPT_SECONDS:
                    del self._waiting[channel]
            elif await self._said(channel, waiting):
                del self._waiting[channel]

    async def _said(self, channel: str, waiting: Waiting) -> bool:
        """Is there nothing more to do?"""
        if waiting.since is None and not await self._is_ours(channel):
            return True
        tried, waiting.since = waiting.since, waiting.since or datetime.now(UTC)
        try:
            if tried is None or not await self._there(channel, waiting, tried):
                await self._post(channel, waiting)
        except SaidNo as no:
            log.error("what was missed is not said: %s (%s)", no, ", ".join(waiting.ids))
        except (Busy, Unsure) as later:
            log.warning("what was missed is said later: %s", later)
            return False
        return True

    async def _is_ours(self, channel: str) -> bool:
        try:
            name = f"missed:{channel}"
            claimed = await asyncio.to_thread(self._ledger.claim, name, seconds=SAID_SECONDS)
        except LedgerUnavailable as away:
            log.error("what was missed is not said: %s", away)
            return False
        return claimed is not None

    async def _there(self, channel: str, waiting: Waiting, since: datetime) -> bool:
        found = await finding.find_card(
            self._client, home=self._home, channel=channel, mark=_mark(waiting), since=since
        )
        return found is not None

    async def _post(self, channel: str, waiting: Waiting) -> None:
        drawn = draw_line(words_of(waiting.ids))
        await send(
            self._client,
            "chat.postMessage",
            channel=channel,
            text=drawn.text,
            blocks=list(drawn.blocks),
            metadata=_mark(waiting).metadata(),
        )


def _mark(waiting: Waiting) -> Mark:
    return Mark("missed", waiting.ids[0])


def words_of(ids: list[str]) -> str:
    listed = ", ".join(ids[:LISTED_MAX])
    more = f" and {len(ids) - LISTED_MAX} more" if len(ids) > LISTED_MAX else ""
    return (
        f"{len(ids)} incidents came and went before they could be shown here: {listed}{more}. "
        "`/kafka incidents` tells of them."
    )
