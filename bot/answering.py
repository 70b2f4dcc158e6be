"""Telling one person something, where he acted and for nobody else to see.

The surprising truth: somebody can press a button in a channel that he only previews. Slack shows him
nothing there, so he is told in a direct message instead.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.calls import SaidNo, send
from bot.cards.help import told
from bot.doors import Doors
from bot.tasks import Tell
from changes.request import Refusal, Request

log = logging.getLogger(__name__)

NOT_SEEN_THERE = ("user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived")


def privately(doors: Doors, channel: str, user_id: str, thread_ts: str | None = None) -> Tell:
    """Tell that person alone: where he acted, else in a direct message."""

    async def tell(words: str) -> None:
        drawn = told(words)
        said = {"text": drawn.text, "blocks": list(drawn.blocks)}
        try:
            place = {"channel": channel or user_id, "user": user_id, "thread_ts": thread_ts}
            await send(doors.client, "chat.postEphemeral", **place, **said)
        except SaidNo as no:
            if no.code not in NOT_SEEN_THERE:
                raise
            await _directly(doors, user_id, said)

    return tell


async def _directly(doors: Doors, user_id: str, said: Mapping[str, object]) -> None:
    try:
        await send(doors.client, "chat.postMessage", channel=user_id, **said)
    except SaidNo as no:  # a bot, or an id that Slack does not know: nobody is there to be told
        log.warning("%s cannot be told anything: %s", user_id, no)


async def answer(outcome: Request | Refusal, tell: Tell) -> None:
    """A refusal is for that person alone; what counted shows in card and thread."""
    if isinstance(outcome, Refusal):
        await tell(outcome.words)
