"""What came and went before it could be shown: one line for all of it, and none for a single one.

Of two bots that missed different ones, one says it; `/kafka incidents` has them all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import Busy, SaidNo, Unsure, send
from bot.cards.line import draw_line
from bot.story import Story
from ledger import Ledger, LedgerUnavailable

log = logging.getLogger(__name__)

QUIET_SECONDS = 3.0
"""More may be found in the same round."""
SAID_SECONDS = 120.0
LISTED_MAX = 8
FROM = 2
"""A single one is left to the history."""


class Missed:
    def __init__(self, *, ledger: Ledger, client: AsyncWebClient) -> None:
        self._ledger = ledger
        self._client = client
        self._found: dict[str, list[str]] = defaultdict(list)
        self._last_at = 0.0

    def note(self, story: Story) -> None:
        """Counted as shown although nobody saw it, now that it is over."""
        if story.ended and story.channel:
            self._found[story.channel].append(story.mark.id)
            self._last_at = time.monotonic()

    async def say(self) -> None:
        """Called now and then; a line that cannot be posted is let go, the history has it all."""
        if not self._found or time.monotonic() - self._last_at < QUIET_SECONDS:
            return
        found, self._found = self._found, defaultdict(list)
        for channel, ids in found.items():
            if len(ids) >= FROM and await self._first(channel):
                await self._post(channel, ids)

    async def _first(self, channel: str) -> bool:
        try:
            name = f"missed:{channel}"
            claimed = await asyncio.to_thread(self._ledger.claim, name, seconds=SAID_SECONDS)
        except LedgerUnavailable as away:
            log.error("what was missed is not said: %s", away)
            return False
        return claimed is not None

    async def _post(self, channel: str, ids: list[str]) -> None:
        listed = ", ".join(ids[:LISTED_MAX])
        more = f" and {len(ids) - LISTED_MAX} more" if len(ids) > LISTED_MAX else ""
        words = (
            f"{len(ids)} incidents came and went before they could be shown here: {listed}{more}. "
            "`/kafka incidents` tells of them."
        )
        drawn = draw_line(words)
        try:
            await send(
                self._client,
                "chat.postMessage",
                channel=channel,
                text=drawn.text,
                blocks=list(drawn.blocks),
            )
        except (SaidNo, Busy, Unsure) as failed:
            log.error("what was missed is not said: %s (%s)", failed, listed)
