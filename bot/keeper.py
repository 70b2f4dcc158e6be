"""Keeps one story's head and thread true: claim, write to Slack, remember; one act at a time.

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
from bot.owed import NOTHING, Owed, line_owed, owed
from bot.request_story import RequestShelf
from bot.story import Shelf, Story
from bot.writer import Writer, passed
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
BUDGET_SECONDS = 60.0
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
        shelf: Shelf | None = None,
        passed_over: Callable[[Story], None] = lambda _: None,
    ) -> None:
        """`shelf` = what is shown, requests unless told; `passed_over` hears of what never was."""
        self._ledger = ledger
        self._shelf = shelf or RequestShelf(ledger)
        self._passed_over = passed_over
        self._writer = writer
        self._now = now
        self._me = secrets.token_hex(4)
        self._drawn: dict[str, Drawn] = {}
        self._silent_until = 0.0
        self._told_unreachable: set[str] = set()

    async def keep(self, story_id: str) -> Later | None:
        """Pay what is owed; None = all is shown, else when to come again."""
        if (silence := self._silent_until - time.monotonic()) > 0:
            return Later(silence, strict=True)
        for _ in range(ACTS_MAX):
            story = await asyncio.to_thread(self._shelf.load, story_id)
            if story is None:
                return None
            card = await asyncio.to_thread(self._shelf.card, story_id)
            act, wait_seconds = self._next(story, card)
            if act.what == "nothing":
                self._forget_when_ended(story)
                return Later(wait_seconds) if wait_seconds else None
            act, room = await self._affordable(story, card, act)
            if room:
                return Later(room)
            if pause := await self._act(story, card, act):
                return Later(pause, strict=True)
        return Later(0.0)

    def _next(self, story: Story, card: Card | None) -> tuple[Owed, float]:
        """The act, and in how many seconds to look again when there is none."""
        act = owed(story, card, me=self._me, now=self._now())
        # A line that may be posted already is looked for first: a redraw's claim would hide the doubt.
        waits = act == NOTHING or (act.what == "line" and not act.doubtful)
        if waits and self._moved(story, card):
            act = Owed(what="redraw")
        if act.what == "redraw" and card and (wait := self._too_soon(story)):
            # A redraw that may wait must not hold up what the thread has to say.
            behind = card.lines_posted < story.lines
            return (line_owed(card), 0) if behind else (NOTHING, wait)
        return act, act.wait_seconds

    def _moved(self, story: Story, card: Card | None) -> bool:
        """Does the head show something else than what is decided now?"""
        shown = self._drawn.get(story.mark.id, NEVER).decision
        return story.restless and shown != story.decision and bool(card and card.ts)

    async def _affordable(self, story: Story, card: Card | None, act: Owed) -> tuple[Owed, float]:
        """The act, and in how many seconds there is room for it; an edit that has to wait does not hold
        up a line that rings a phone."""
        room = await self._no_room(story, act)
        if room and act.what == "redraw" and card and card.lines_posted < story.lines:
            line = line_owed(card)
            if notifies(story, line) and not await self._no_room(story, line):
                return line, 0
        return act, room

    async def _no_room(self, story: Story, act: Owed) -> float:
        """Seconds until its channel's budget has room; people who acted are answered all the same."""
        if not story.calls_per_minute or act.what == "pass":
            return 0
        shown = self._drawn.get(story.mark.id)
        if act.what == "redraw" and shown and shown.by_people != story.by_people:
            return 0
        kept_back = 0 if notifies(story, act) else 1
        token = f"{self._me} {story.mark.id} {story.version} {act.what} {act.line}"
        return await asyncio.to_thread(
            self._ledger.spend,
            f"slack:{story.channel}",
            token=token,
            most=story.calls_per_minute - kept_back,
            seconds=BUDGET_SECONDS,
            now=self._now(),
        )

    async def _act(self, story: Story, card: Card | None, act: Owed) -> float:
        """One claimed act; the seconds to wait when Slack would not have it."""
        base = card or Card(channel=story.channel)
        if not base.ts:  # passed over while its cluster, or its channel, was another one here
            base = base.with_(channel=story.channel)
        if act.what == "pass":
            if await self._save(story, passed(story, base), expected=card):
                self._passed_over(story)
            return 0
        claimed = base.with_(
            claim=f"{self._me} {act.what} {act.line}",
            claimed_until=self._now() + timedelta(seconds=CLAIM_SECONDS),
        )
        if not await self._save(story, claimed, expected=card):
            return 0
        try:
            done = await self._carry_out(story, claimed, act)
        except Busy as busy:
            await self._save(story, base, expected=claimed)
            log.warning("%s: %s", story.mark.id, busy)
            self._silent_until = time.monotonic() + busy.seconds
            return busy.seconds
        except SaidNo as no:
            return await self._refused(story, claimed, base, no)
        except Unsure as unsure:
            log.warning("%s: %s; looking again before anything is repeated", story.mark.id, unsure)
            return max(UNSURE_SECONDS, unsure.seconds)
        await self._save(story, unclaimed(done), expected=claimed)
        return 0

    async def _carry_out(self, story: Story, card: Card, act: Owed) -> Card:
        if act.what == "line":
            return await self._writer.post_line(story, card, act.line, doubtful=act.doubtful)
        if act.what == "card":
            done = await self._writer.post_card(story, card, doubtful=act.doubtful)
            if not done.ts:
                self._passed_over(story)
            if done.drawn_version != story.version or not done.ts:
                return done  # found again, and nobody knows what it shows
        else:
            done = await self._writer.redraw(story, card)
        self._drawn[story.mark.id] = Drawn(time.monotonic(), story.decision, story.by_people)
        return done

    async def _refused(self, story: Story, claimed: Card, base: Card, no: SaidNo) -> float:
        """A message that is gone gets a new one; a channel that will not have us is said loudly."""
        name = story.mark.id
        if no.code in GONE and base.ts:
            log.warning("%s: its card is gone (%s), posting a new one", name, no.code)
            anew = unclaimed(base).with_(ts="", drawn_version=-1)
            await self._save(story, anew, expected=claimed)
            return 0
        await self._save(story, unclaimed(base), expected=claimed)
        log.error("%s: nothing can be shown in channel %s: %s", name, base.channel, no)
        if name not in self._told_unreachable:
            self._told_unreachable.add(name)
            await self._writer.say_unreachable(story, base.channel, no)
        return UNREACHABLE_SECONDS

    async def _save(self, story: Story, card: Card, *, expected: Card | None) -> bool:
        return await asyncio.to_thread(
            self._shelf.save_card, story.mark.id, card, expected=expected
        )

    def _too_soon(self, story: Story) -> float:
        """Seconds until the next redraw that shows no decision; 0 = now."""
        shown = self._drawn.get(story.mark.id, NEVER)
        if shown.decision != story.decision:
            return 0
        now = time.monotonic()
        lively = sum(1 for one in self._drawn.values() if one.at > now - 30)
        pause = max(story.redraw_seconds or REDRAW_SECONDS_MIN, SHARE_SECONDS * lively)
        return max(0.0, shown.at + pause - now)

    def _forget_when_ended(self, story: Story) -> None:
        if story.ended:
            self._drawn.pop(story.mark.id, None)


class Drawn(NamedTuple):
    """When a head was drawn last by this process, and what it showed."""

    at: float
    decision: str
    by_people: str


NEVER = Drawn(at=0.0, decision="", by_people="")


def notifies(story: Story, act: Owed) -> bool:
    """The last call of a minute is kept for what rings a phone: a first message, or a broadcast line.

    An edit rings none. When edits could have that call too, the end of one trouble, drawn in place, held
    back the first message of the next until that was over as well, and nobody heard of it.
    """
    return act.what == "card" or (act.what == "line" and story.said(act.line).aloud)


def unclaimed(card: Card) -> Card:
    return card.with_(claim="", claimed_until=None)
