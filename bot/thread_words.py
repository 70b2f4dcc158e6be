"""Approve and reject by a word in the card's thread, where commands cannot be typed.

Only the exact word of a person counts, unedited, in a thread that the ledger knows as a card's. A
word that looks like a vote and is none (edited, sent to the channel too, a machine's) is answered.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from slack_bolt.async_app import AsyncApp

from bot.answering import answer, privately
from bot.cards.text import as_typed
from bot.deciding import NO_REASON, Choice, decide
from bot.doors import Doors
from bot.once import once
from bot.tasks import Tell
from changes.request import Request
from ledger import Audit

WORD = re.compile(r"(?P<choice>approve|reject)(?:\s+(?P<reason>\S.*))?", re.I | re.S)
JUST_POSTED_SECONDS = (1.0, 3.0, 5.0)
"""Pauses before a card is looked for again: Slack may show it and answer us only 8 s later."""
TYPED_BEFORE = (
    "You typed that before revision {revision} of {id} was planned. "
    "Look at the card as it is now and decide by its button, which no clock can mislead."
)
EDITED = (
    "An edited message never counts, since others may have read something else. "
    "Type the word as a new reply."
)
NOT_PLAIN = "Type the word alone as a reply, without `/me` and without a file."
BROADCAST = (
    "A reply that is sent to the channel as well does not count. Type the word in the thread alone."
)
MACHINE = "Bots, apps and workflows never decide."
Json = dict[str, Any]


class NoVote(NamedTuple):
    """The very word of a vote in a message that cannot be one, and why not."""

    choice: str
    user_id: str
    thread_ts: str
    why: str


def register(app: AsyncApp, doors: Doors) -> None:
    @app.event("message")
    async def said(event: Json) -> None:
        if words := decision_in(event):
            tell = privately(doors, event["channel"], event["user"], event["thread_ts"])
            said_in_thread = partial(_said_in_thread, doors, event, words, tell)
            work = once(doors.ledger, f"{event['channel']}:{event['ts']}", said_in_thread)
            doors.tasks.start(work, doing="a word in a thread", tell=tell)
        elif none := no_vote_in(event):
            tell = privately(doors, event["channel"], none.user_id, none.thread_ts)
            refused = partial(_refused, doors, event["channel"], none, tell)
            work = once(doors.ledger, f"{event['channel']}:{event['ts']}", refused)
            doors.tasks.start(work, doing="no vote in a thread", tell=tell)


def decision_in(event: Mapping[str, Any]) -> re.Match[str] | None:
    """`approve` or `reject <reason>`, typed by a person as a reply, unedited and unbroadcast."""
    if event.get("subtype") or event.get("edited") or event.get("bot_id") or event.get("hidden"):
        return None
    thread_ts = event.get("thread_ts")
    if not thread_ts or thread_ts == event.get("ts") or not event.get("user"):
        return None
    return WORD.fullmatch(str(event.get("text") or "").strip())


def no_vote_in(event: Mapping[str, Any]) -> NoVote | None:
    """What its author may believe to be a vote; plain talk and deletions are none."""
    message, kind = event, event.get("subtype")
    if kind == "message_changed":
        message = event.get("message") or {}
        # Slack changes a message for its own reasons too: a first reply, a preview of a link.
        if message.get("text") == (event.get("previous_message") or {}).get("text"):
            return None
        why = EDITED
    elif kind == "thread_broadcast":
        why = BROADCAST
    else:
        by_person = EDITED if event.get("edited") else NOT_PLAIN
        why = MACHINE if event.get("bot_id") else by_person
    words = WORD.fullmatch(str(message.get("text") or "").strip())
    author = message.get("user") or message.get("bot_id")
    thread_ts = message.get("thread_ts")
    if words is None or not author or thread_ts in (None, message.get("ts")):
        return None
    if words["choice"].lower() == "approve" and words["reason"]:
        return None
    return NoVote(words["choice"].lower(), str(author), str(thread_ts), why)


async def _refused(doors: Doors, channel: str, none: NoVote, tell: Tell) -> None:
    if request := await _request_of(doors, channel, none.thread_ts):
        await _refuse(doors, request, none, tell)


async def _refuse(doors: Doors, request: Request, none: NoVote, tell: Tell) -> None:
    """Written down, and said to that person alone."""
    event = f"refused: {none.choice} by thread"
    audit = Audit(actor=none.user_id, event=event, words=none.why)
    await asyncio.to_thread(doors.ledger.refused, request_id=request.id, audit=audit)
    await tell(none.why)


async def _said_in_thread(doors: Doors, event: Json, words: re.Match[str], tell: Tell) -> None:
    choice: Choice = "approve" if words["choice"].lower() == "approve" else "reject"
    reason = as_typed(words["reason"] or "")
    if choice == "approve" and reason:
        return  # "approve of what?" is talk, not a vote
    request = await _request_of(doors, event["channel"], event["thread_ts"])
    if request is None:
        return  # a thread of people's own; it is none of our business
    if why := why_none(request, choice=choice, reason=reason, ts=str(event["ts"])):
        none = NoVote(choice, event["user"], event["thread_ts"], why)
        await _refuse(doors, request, none, tell)
        return
    outcome = await decide(
        doors,
        request_id=request.id,
        user_id=event["user"],
        choice=choice,
        revision=request.revision,
        reason=reason,
        where="thread",
    )
    await answer(outcome, tell)


async def _request_of(doors: Doors, channel: str, thread_ts: str) -> Request | None:
    """The request whose card began this thread; asked some times, since a card is seen in Slack some
    moments before the ledger knows where it was posted. Most threads are people's own."""
    place = {"channel": channel, "ts": thread_ts}
    look, search = doors.ledger.request_at, doors.ledger.request_at_unindexed
    later = [(look, pause_seconds) for pause_seconds in JUST_POSTED_SECONDS]
    for ask, pause_seconds in [(look, 0.0), (search, 0.0), *later]:
        await asyncio.sleep(pause_seconds)
        if request_id := await asyncio.to_thread(ask, **place):
            return await asyncio.to_thread(doors.ledger.load, request_id)
    return None


def why_none(request: Request, *, choice: Choice, reason: str, ts: str) -> str:
    """What keeps a plain word from being a vote before anybody asks whose it is; "" = nothing."""
    if choice == "reject" and not reason:
        return NO_REASON
    if typed_before(request, ts):
        return TYPED_BEFORE.format(id=request.id, revision=request.revision)
    return ""


def typed_before(request: Request, ts: str) -> bool:
    """Was the word typed before this revision was planned? Slack delivers late by up to 5 minutes."""
    if request.verdict is None or request.expires_at is None:
        return False
    lasted = timedelta(minutes=request.verdict.expires_after_minutes)
    return datetime.fromtimestamp(float(ts), tz=UTC) < request.expires_at - lasted
