"""Writes one story's head, lines and pictures into Slack; when and by whom is the keeper's business.

`doubtful` means that it may be there already: then Slack is looked at first. Where looking is refused
as well (a scope is missing), posting twice is the lesser evil and goes to the log.
"""

from __future__ import annotations

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot import finding, pictures
from bot.calls import Busy, SaidNo, Unsure, send
from bot.cards.line import draw_line
from bot.doors import Home
from bot.posting import put
from bot.story import Said, Story
from ledger import Card, Ledger

log = logging.getLogger(__name__)

PICTURE_TRIES_MAX = 5
LOST = " (its picture is not kept any more)"


class Writer:
    def __init__(self, *, ledger: Ledger, client: AsyncWebClient, home: Home) -> None:
        self._ledger = ledger
        self._client = client
        self._home = home
        self._picture_tries: dict[str, int] = {}

    async def post_card(self, story: Story, card: Card, *, doubtful: bool) -> Card:
        """The head; what is not worth one any more counts as shown when none was posted before."""
        if doubtful and (ts := await self._find_card(story, card)):
            return card.with_(ts=ts, drawn_version=-1)
        if story.nothing_to_show:
            return passed(story, card)
        answer = await put(
            self._client,
            "chat.postMessage",
            story.head(),
            metadata=story.mark.metadata(**story.shown()),
            channel=card.channel,
        )
        # Slack names the channel by id even when it was addressed otherwise; threads need the id.
        channel = str(answer.get("channel") or card.channel)
        posted = card.with_(channel=channel, ts=str(answer["ts"]), drawn_version=story.version)
        late = story.ended and story.head_tells_end
        return posted.with_(lines_posted=story.lines) if late else posted

    async def _find_card(self, story: Story, card: Card) -> str | None:
        try:
            return await finding.find_card(
                self._client,
                home=self._home,
                channel=card.channel,
                mark=story.mark,
                since=story.since,
            )
        except SaidNo as no:
            log.error(
                "%s: its card cannot be looked for, so it is posted again: %s", story.mark.id, no
            )
            return None

    async def redraw(self, story: Story, card: Card) -> Card:
        await put(
            self._client,
            "chat.update",
            story.head(),
            metadata=story.mark.metadata(**story.shown()),
            channel=card.channel,
            ts=card.ts,
        )
        return card.with_(drawn_version=story.version)

    async def post_line(self, story: Story, card: Card, at: int, *, doubtful: bool) -> Card:
        there = await self._line_there(story, card, at) if doubtful else None
        said = story.said(at)
        content = await self._picture(said)
        if there is None:
            await self._post_said(story, card, at, said, lost=bool(said.picture and not content))
        if content is not None:
            await self._share(story, card, at, said, content, doubtful=there is not None)
        return card.with_(lines_posted=(said.through if there is None else there) + 1)

    async def _post_said(
        self, story: Story, card: Card, at: int, said: Said, *, lost: bool
    ) -> None:
        more = {"through": said.through} if said.through != at else {}
        await put(
            self._client,
            "chat.postMessage",
            draw_line(said.words + (LOST if lost else ""), calls=said.calls),
            metadata=story.mark.metadata(**story.shown(), line=at, **more),
            channel=card.channel,
            thread_ts=card.ts,
            reply_broadcast=said.aloud or None,
        )

    async def _line_there(self, story: Story, card: Card, at: int) -> int | None:
        """How far the post that begins with this line goes; None = it is not there."""
        try:
            payload = await finding.find_line(
                self._client,
                home=self._home,
                channel=card.channel,
                ts=card.ts,
                mark=story.mark,
                line=at,
            )
        except SaidNo as no:
            log.error("%s: line %d cannot be looked for, posting it: %s", story.mark.id, at, no)
            return None
        if payload is None:
            return None
        through = payload.get("through", at)
        return through if isinstance(through, int) and at <= through < story.lines else at

    async def _picture(self, said: Said) -> bytes | None:
        if not said.picture:
            return None
        return await asyncio.to_thread(self._ledger.picture, said.picture)

    async def _share(
        self, story: Story, card: Card, line: int, said: Said, content: bytes, *, doubtful: bool
    ) -> None:
        """The words stand already: a picture that Slack will not have must not hold up the rest."""
        name = f"{story.mark.id}-{line}.png"
        where = {"channel": card.channel, "thread_ts": card.ts, "name": name}
        try:
            if not (doubtful and await pictures.landed(self._client, home=self._home, **where)):
                title = said.picture_title or name
                await pictures.share(
                    self._client, home=self._home, title=title, content=content, **where
                )
        except SaidNo as no:
            log.error("%s: Slack refuses the picture of line %d: %s", story.mark.id, line, no)
        except (Unsure, Busy) as failed:
            self._try_again(name, failed)
        self._picture_tries.pop(name, None)

    def _try_again(self, name: str, failed: Unsure | Busy) -> None:
        """As `Unsure`, so that the claim stays and Slack is looked at first; some times only."""
        tries = self._picture_tries.get(name, 0) + 1
        self._picture_tries[name] = tries
        if tries < PICTURE_TRIES_MAX:
            raise Unsure(f"the picture {name}: {failed}", seconds=failed.seconds) from failed
        log.error("the picture %s did not arrive in %d tries: %s", name, tries, failed)

    async def say_unreachable(self, story: Story, channel: str, no: SaidNo) -> None:
        told = story.unreachable(channel=channel, code=no.code)
        if told is None:
            return
        to, words = told
        try:
            drawn = draw_line(words)
            await send(
                self._client, "chat.postMessage", channel=to, text=drawn.text, blocks=drawn.blocks
            )
        except (SaidNo, Unsure, Busy) as failed:
            log.error("%s: %s could not be told: %s", story.mark.id, to, failed)


def passed(story: Story, card: Card) -> Card:
    """Nothing was posted, and nothing is owed until it changes."""
    return card.with_(ts="", drawn_version=story.version, lines_posted=story.lines)
