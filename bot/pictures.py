"""A snapshot's picture, into the thread of its request.

Slack shares an uploaded file some moments after it said yes, so we wait until it stands in the
thread: otherwise the next line would come before the picture that belongs above it.
"""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import Unsure, send, send_form
from bot.doors import Home
from bot.finding import find_file

log = logging.getLogger(__name__)

UPLOAD_SECONDS_MAX = 20
LANDED_CHECKS = 6
LANDED_PAUSE_SECONDS = 0.7


async def share(
    client: AsyncWebClient,
    *,
    home: Home,
    channel: str,
    thread_ts: str,
    name: str,
    title: str,
    content: bytes,
) -> None:
    """Upload, share, and wait until it is there."""
    ticket = await send_form(
        client, "files.getUploadURLExternal", filename=name, length=len(content)
    )
    await _upload(str(ticket["upload_url"]), content)
    await send(
        client,
        "files.completeUploadExternal",
        files=[{"id": ticket["file_id"], "title": title}],
        channel_id=channel,
        thread_ts=thread_ts,
    )
    if not await landed(client, home=home, channel=channel, thread_ts=thread_ts, name=name):
        log.warning("the picture %s was uploaded and does not show in its thread yet", name)


async def landed(
    client: AsyncWebClient, *, home: Home, channel: str, thread_ts: str, name: str
) -> bool:
    """Does it show in the thread, now or within the moments that Slack needs?"""
    for _ in range(LANDED_CHECKS):
        await asyncio.sleep(LANDED_PAUSE_SECONDS)
        if await find_file(client, home=home, channel=channel, ts=thread_ts, name=name):
            return True
    return False


async def _upload(url: str, content: bytes) -> None:
    timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS_MAX)
    headers = {"Content-Type": "application/octet-stream"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=content, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise Unsure(f"uploading a picture: HTTP {answer.status}")
    except (aiohttp.ClientError, TimeoutError, OSError) as failed:
        raise Unsure(f"uploading a picture: {type(failed).__name__}") from failed
