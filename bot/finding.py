"""Was it posted? Looking for our own message after a crash between posting and remembering it.

Metadata can be written by any app, so a message counts only when the bot itself is its author.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import read
from bot.doors import Home
from bot.story import Mark

PAGE_MESSAGES = 200
PAGES_MAX = 5
"""A thousand messages since the request was opened: beyond that, posting again is the lesser evil."""

Json = Mapping[str, Any]


async def find_card(
    client: AsyncWebClient, *, home: Home, channel: str, mark: Mark, since: datetime
) -> str | None:
    """The time stamp of the newest head of this story in the channel."""
    oldest = f"{since.timestamp() - 60:.6f}"
    async for message in _pages(client, "conversations.history", channel=channel, oldest=oldest):
        if payload_of(message, home=home, mark=mark, line=None) is not None:
            return str(message["ts"])
    return None


async def find_line(
    client: AsyncWebClient, *, home: Home, channel: str, ts: str, mark: Mark, line: int
) -> dict[str, Any] | None:
    """What the post of this line carries; None = it is not there."""
    async for message in _pages(client, "conversations.replies", channel=channel, ts=ts):
        if (payload := payload_of(message, home=home, mark=mark, line=line)) is not None:
            return payload
    return None


async def find_file(
    client: AsyncWebClient, *, home: Home, channel: str, ts: str, name: str
) -> bool:
    """Does the thread hold our picture of that file name?"""
    async for message in _pages(client, "conversations.replies", channel=channel, ts=ts):
        names = [file.get("name") for file in message.get("files") or ()]
        if is_ours(message, home) and name in names:
            return True
    return False


def payload_of(message: Json, *, home: Home, mark: Mark, line: int | None) -> dict[str, Any] | None:
    """What our message about this story, and this line of it (None = the head), carries."""
    return mark.payload_of(message, line=line) if is_ours(message, home) else None


def is_ours(message: Json, home: Home) -> bool:
    return message.get("user") == home.bot_user_id or (
        bool(home.bot_id) and message.get("bot_id") == home.bot_id
    )


async def _pages(client: AsyncWebClient, method: str, **arguments: Any) -> AsyncIterator[Json]:
    cursor = None
    for _ in range(PAGES_MAX):
        answer = await read(
            client,
            method,
            limit=PAGE_MESSAGES,
            include_all_metadata=True,
            cursor=cursor,
            **arguments,
        )
        for message in answer.get("messages") or ():
            yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return
