"""Writes one request's card, lines and pictures into Slack; when and by whom is the keeper's business.

`doubtful` means that it may be there already: then Slack is looked at first. Where looking is refused
as well (a scope is missing), posting twice is the lesser evil and goes to the log.
"""

from __future__ import annotations

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot import finding, pictures
from bot.calls import Busy, SaidNo, Unsure, send
from bot.cards.line import addressed, draw_line
from bot.cards.request import draw
from bot.doors import Home
from bot.posting import mark, put
from changes.request import LogLine, Request
from ledger import Card, Ledger

log = logging.getLogger(__name__)

PICTURE_TRIES_MAX = 5


class Writer:
    def __init__(self, *, ledger: Ledger, client: AsyncWebClient, home: Home) -> None:
        self._ledger = ledger
        self._client = client
        self._home = home
        self._picture_tries: dict[str, int] = {}

    async def post_card(self, request: Request, card: Card, *, doubtful: bool) -> Card:
        if doubtful and (ts := await self._find_card(request, card)):
            return card.with_(ts=ts, drawn_version=-1)
        marked = mark(request_id=request.id, revision=request.revision)
        answer = await put(
            self._client, "chat.postMessage", draw(request), metadata=marked, channel=card.channel
        )
        # Slack names the channel by id even when it was addressed otherwise; threads need the id.
        channel = str(answer.get("channel") or card.channel)
        return card.with_(channel=channel, ts=str(answer["ts"]), drawn_version=request.version)

    async def _find_card(self, request: Request, card: Card) -> str | None:
        try:
            return await finding.find_card(
                self._client,
                home=self._home,
                channel=card.channel,
                request_id=request.id,
                since=request.created_at,
            )
        except SaidNo as no:
            log.error(
                "%s: its card cannot be looked for, so it is posted again: %s", request.id, no
            )
            return None

    async def redraw(self, request: Request, card: Card) -> Card:
        marked = mark(request_id=request.id, revision=request.revision)
        await put(
            self._client,
            "chat.update",
            draw(request),
            metadata=marked,
            channel=card.channel,
            ts=card.ts,
        )
        return card.with_(drawn_version=request.version)

    async def post_line(self, request: Request, card: Card, at: int, *, doubtful: bool) -> Card:
        line = request.log[at]
        there = doubtful and await self._line_is_there(request, card, at)
        content = await self._picture(line)
        if not there:
            lost = line.picture and content is None
            words = addressed(request, at)
            words += " (its picture is not kept any more)" if lost else ""
            marked = mark(request_id=request.id, revision=request.revision, line=at)
            await put(
                self._client,
                "chat.postMessage",
                draw_line(words),
                metadata=marked,
                channel=card.channel,
                thread_ts=card.ts,
            )
        if content is not None:
            await self._share(request, card, at, content, doubtful=there)
        return card.with_(lines_posted=at + 1)

    async def _line_is_there(self, request: Request, card: Card, line: int) -> bool:
        try:
            return await finding.find_line(
                self._client,
                home=self._home,
                channel=card.channel,
                ts=card.ts,
                request_id=request.id,
                line=line,
            )
        except SaidNo as no:
            log.error("%s: line %d cannot be looked for, posting it: %s", request.id, line, no)
            return False

    async def _picture(self, line: LogLine) -> bytes | None:
        if not line.picture:
            return None
        return await asyncio.to_thread(self._ledger.picture, line.picture)

    async def _share(
        self, request: Request, card: Card, line: int, content: bytes, *, doubtful: bool
    ) -> None:
        """The words stand already: a picture that Slack will not have must not hold up the rest."""
        name = f"{request.id}-{line}.png"
        where = {"channel": card.channel, "thread_ts": card.ts, "name": name}
        try:
            if not (doubtful and await pictures.landed(self._client, home=self._home, **where)):
                title = request.log[line].picture_title or name
                await pictures.share(
                    self._client, home=self._home, title=title, content=content, **where
                )
        except SaidNo as no:
            log.error("%s: Slack refuses the picture of line %d: %s", request.id, line, no)
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

    async def say_unreachable(self, request: Request, channel: str, no: SaidNo) -> None:
        """Tell the requester in a message of his own: a missing card looks like a dead bot."""
        words = (
            f"{request.id}: its card cannot be shown in <#{channel}> (Slack says `{no.code}`). "
            f"Invite me there; until then `/kafka show {request.id}` shows it."
        )
        drawn = draw_line(words)
        to = request.requester.user_id
        try:
            await send(
                self._client, "chat.postMessage", channel=to, text=drawn.text, blocks=drawn.blocks
            )
        except (SaidNo, Unsure, Busy) as failed:
            log.error("%s: its requester could not be told: %s", request.id, failed)
