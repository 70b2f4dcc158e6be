"""Telling one person something, where he acted and for nobody else to see."""

from __future__ import annotations

from bot.calls import send
from bot.cards.help import told
from bot.doors import Doors
from bot.tasks import Tell
from changes.request import Refusal, Request


def privately(doors: Doors, channel: str, user_id: str, thread_ts: str | None = None) -> Tell:
    """Tell that person alone, where he acted."""

    async def tell(words: str) -> None:
        drawn = told(words)
        await send(
            doors.client,
            "chat.postEphemeral",
            channel=channel or user_id,
            user=user_id,
            thread_ts=thread_ts,
            text=drawn.text,
            blocks=list(drawn.blocks),
        )

    return tell


async def answer(outcome: Request | Refusal, tell: Tell) -> None:
    """A refusal is for that person alone; what counted shows in card and thread."""
    if isinstance(outcome, Refusal):
        await tell(outcome.words)
