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
from bot.posting import EVENT_TYPE

PAGE_MESSAGES = 200
PAGES_MAX = 5
"""A thousand messages since the request was opened: beyond that, posting again is the lesser evil."""

Json = Mapping[str, Any]


async def find_card(
    client: AsyncWebClient, *, home: Home, channel: str, request_id: str, since: datetime
) -> str | None:
    """The time stamp of the newest card of this request in the channel."""
    oldest = f"{since.timestamp() - 60:.6f}"
    async for message in _pages(client, "conversations.history", channel=channel, oldest=oldest):
        if payload_of(message, home=home, request_id=request_id, line=None):
            return str(message["ts"])
    return None


async def find_line(
    client: AsyncWebClient, *, home: Home, channel: str, ts: str, request_id: str, line: int
) -> bool:
    async for message in _pages(client, "conversations.replies", channel=channel, ts=ts):
        if payload_of(message, home=home, request_id=request_id, line=line):
            return True
    return False


async def find_file(
    client: AsyncWebClient, *, home: Home, channel: str, ts: str, name: str
) -> bool:
    """Does the thread hold our picture of that file name?"""
    async for message in _pages(client, "conversations.replies", channel=channel, ts=ts):
        names = [file.get("name") for file in message.get("files") or ()]
        if is_ours(message, home) and name in names:
            return True
    return False


def payload_of(message: Json, *, home: Home, request_id: str, line: int | None) -> bool:
    """Is it our message about this request, and this line of it (None = the card)?"""
    metadata = message.get("metadata") or {}
    if not is_ours(message, home) or metadata.get("event_type") != EVENT_TYPE:
        return False
    payload = metadata.get("event_payload") or {}
    return payload.get("request_id") == request_id and payload.get("line") == line


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
