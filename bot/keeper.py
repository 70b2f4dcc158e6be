"""Keeps one request's card and thread true: claim, write to Slack, remember; one act at a time.

The surprising truth: two bots may run, and each may die between posting and remembering. So the
intention is written to the ledger first (a claim, by compare-and-set), and whoever finds a claim that
ran out looks into Slack for the message before posting it again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.calls import Busy, SaidNo, Unsure
from bot.owed import NOTHING, Owed, owed
from bot.places import placed
from bot.writer import Writer
from changes.lifecycle import State
from changes.request import Request
from ledger import Card, Ledger

log = logging.getLogger(__name__)

CLAIM_SECONDS = 60
"""Longer than one act with its picture may take."""
REDRAW_SECONDS_MIN = 2.0
"""Slack allows about 50 updates a minute; decisions do not wait for it."""
SHARE_SECONDS = 1.3
"""Per card that moves: together they stay below Slack's 50 updates a minute."""
GONE = ("message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found")
ACTS_MAX = 400
"""In one go; a longer thread goes on at the next round."""
UNREACHABLE_SECONDS = 60.0
UNSURE_SECONDS = 3.0


class Later(NamedTuple):
    """Come again; `strict` = Slack asked for it, so no news makes it sooner."""

    seconds: float
    strict: bool = False


class Keeper:
    def __init__(
        self,
        *,
        ledger: Ledger,
        writer: Writer,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._now = now
        self._me = secrets.token_hex(4)
        self._drawn: dict[str, tuple[float, str]] = {}
        """Per request: when we drew it last, and which decision it showed."""
        self._silent_until = 0.0
        self._told_unreachable: set[str] = set()

    async def keep(self, request_id: str) -> Later | None:
        """Pay what is owed; None = all is shown, else when to come again."""
        if (silence := self._silent_until - time.monotonic()) > 0:
            return Later(silence, strict=True)
        for _ in range(ACTS_MAX):
            request = await asyncio.to_thread(self._load, request_id)
            if request is None:
                return None
            card = await asyncio.to_thread(self._ledger.card, request_id)
            next_act = owed(request, card, me=self._me, now=self._now())
            if next_act == NOTHING and self._moved_up(request):
                next_act = Owed(what="redraw")
            if next_act.what == "nothing":
                self._forget_when_ended(request)
                return Later(next_act.wait_seconds) if next_act.wait_seconds else None
            if next_act.what == "redraw" and (wait := self._too_soon(request)):
                return Later(wait)
            if pause := await self._act(request, card, next_act):
                return Later(pause, strict=True)
        return Later(0.0)

    def _load(self, request_id: str) -> Request | None:
        request = self._ledger.load(request_id)
        return placed(self._ledger, request) if request else None

    def _moved_up(self, request: Request) -> bool:
        """Does the card show another place in line than the one it has now?"""
        _, shown = self._drawn.get(request.id, (0.0, ""))
        return request.state is State.QUEUED and shown != decision_in(request)

    async def _act(self, request: Request, card: Card | None, act: Owed) -> float:
        """One claimed act; the seconds to wait when Slack would not have it."""
        base = card or Card(channel=request.channel)
        claimed = base.with_(
            claim=f"{self._me} {act.what} {act.line}",
            claimed_until=self._now() + timedelta(seconds=CLAIM_SECONDS),
        )
        if not await self._save(request.id, claimed, expected=card):
            return 0
        try:
            done = await self._carry_out(request, claimed, act)
        except Busy as busy:
            await self._save(request.id, base, expected=claimed)
            log.warning("%s: %s", request.id, busy)
            self._silent_until = time.monotonic() + busy.seconds
            return busy.seconds
        except SaidNo as no:
            return await self._refused(request, claimed, base, no)
        except Unsure as unsure:
            log.warning("%s: %s; looking again before anything is repeated", request.id, unsure)
            return max(UNSURE_SECONDS, unsure.seconds)
        await self._save(request.id, unclaimed(done), expected=claimed)
        return 0

    async def _carry_out(self, request: Request, card: Card, act: Owed) -> Card:
        if act.what == "line":
            return await self._writer.post_line(request, card, act.line, doubtful=act.doubtful)
        if act.what == "card":
            done = await self._writer.post_card(request, card, doubtful=act.doubtful)
        else:
            done = await self._writer.redraw(request, card)
        self._drawn[request.id] = (time.monotonic(), decision_in(request))
        return done

    async def _refused(self, request: Request, claimed: Card, base: Card, no: SaidNo) -> float:
        """A message that is gone gets a new card; a channel that will not have us is said loudly."""
        if no.code in GONE and base.ts:
            log.warning("%s: its card is gone (%s), posting a new one", request.id, no.code)
            anew = unclaimed(base).with_(ts="", drawn_version=-1)
            await self._save(request.id, anew, expected=claimed)
            return 0
        await self._save(request.id, unclaimed(base), expected=claimed)
        log.error("%s: nothing can be shown in channel %s: %s", request.id, base.channel, no)
        if request.id not in self._told_unreachable:
            self._told_unreachable.add(request.id)
            await self._writer.say_unreachable(request, base.channel, no)
        return UNREACHABLE_SECONDS

    async def _save(self, request_id: str, card: Card, *, expected: Card | None) -> bool:
        return await asyncio.to_thread(self._ledger.save_card, request_id, card, expected=expected)

    def _too_soon(self, request: Request) -> float:
        """Seconds until the next redraw that shows no decision; 0 = now."""
        at, shown = self._drawn.get(request.id, (0.0, ""))
        if shown != decision_in(request):
            return 0
        lively = sum(1 for drawn_at, _ in self._drawn.values() if drawn_at > time.monotonic() - 30)
        pause = max(REDRAW_SECONDS_MIN, SHARE_SECONDS * lively)
        return max(0.0, at + pause - time.monotonic())

    def _forget_when_ended(self, request: Request) -> None:
        if request.state.ended:
            self._drawn.pop(request.id, None)


def decision_in(request: Request) -> str:
    """What must be seen at once when it changes: state, revision, votes, a hold."""
    hold = request.progress.hold if request.progress else ""
    place = request.line_position
    return f"{request.state}:{request.revision}:{len(request.votes)}:{bool(hold)}:{place}"


def unclaimed(card: Card) -> Card:
    return card.with_(claim="", claimed_until=None)
