"""One way to Slack's Web API for every part of the bot, with the three failures that matter.

The surprising truth: when a connection dies after a post was sent, nobody knows whether Slack stored
it. The SDK's own retry would post it twice, so it is switched off, and that case has its own name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 8
RETRY_AFTER_SECONDS = 5.0
"""When Slack says "too many" without saying for how long."""
RETRY_AFTER_SECONDS_MAX = 300.0
BUSY = ("ratelimited", "rate_limited", "message_limit_exceeded")
UNSURE = ("internal_error", "fatal_error", "request_timeout", "service_unavailable")
"""Slack's own words for "something broke on the way": the effect may be there all the same."""


class SaidNo(Exception):
    """Slack refused, and nothing happened."""

    def __init__(self, method: str, code: str, *, pointers: str = "") -> None:
        super().__init__(f"{method}: {code}{f' ({pointers})' if pointers else ''}")
        self.code = code


class Busy(Exception):
    """Slack wants us to wait; nothing happened."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"{method}: Slack asks to wait {seconds:.0f} s")
        self.seconds = seconds


class Unsure(Exception):
    """No answer, or none that says whether it happened."""

    def __init__(self, words: str, *, seconds: float = 0.0) -> None:
        super().__init__(words)
        self.seconds = seconds
        """How long to wait at least before looking again."""


def web_client(*, token: str | None, base_url: str) -> AsyncWebClient:
    """A client that fails soon and never sends twice."""
    client = AsyncWebClient(
        token=token, base_url=base_url, timeout=TIMEOUT_SECONDS, retry_handlers=[]
    )
    client.logger.setLevel(logging.WARNING)  # at DEBUG the SDK logs headers
    return client


async def read(client: AsyncWebClient, method: str, **arguments: Any) -> Mapping[str, Any]:
    """A call that only asks: arguments in the query."""
    given = {name: _in_query(value) for name, value in arguments.items() if value is not None}
    return await _call(client, method, http_verb="GET", params=given)


async def send(client: AsyncWebClient, method: str, **body: Any) -> Mapping[str, Any]:
    """A call that has an effect: a JSON body."""
    return await _call(client, method, json={k: v for k, v in body.items() if v is not None})


async def send_form(client: AsyncWebClient, method: str, **arguments: Any) -> Mapping[str, Any]:
    """An effect whose method takes no JSON (files.getUploadURLExternal)."""
    return await _call(client, method, params={k: _in_query(v) for k, v in arguments.items()})


def _in_query(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


async def _call(client: AsyncWebClient, method: str, **how: Any) -> Mapping[str, Any]:
    try:
        answer = await client.api_call(method, **how)
    except SlackApiError as refused:
        raise _named(method, refused.response) from refused
    except (TimeoutError, SlackClientError, aiohttp.ClientError, OSError, ValueError) as e:
        raise Unsure(f"{method}: {type(e).__name__}") from e
    if not isinstance(answer.data, dict):
        raise Unsure(f"{method}: the answer is no JSON object")
    return answer.data


def _named(method: str, response: Any) -> SaidNo | Busy | Unsure:
    """Which of the three it was; an HTML page behind a broken proxy carries no code at all."""
    status = int(getattr(response, "status_code", 0) or 0)
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in BUSY:
        return Busy(method, retry_after(getattr(response, "headers", {})))
    if not code or code in UNSURE or status >= 500:
        return Unsure(f"{method}: {code or f'HTTP {status}'}")
    details = data.get("response_metadata") if isinstance(data, dict) else None
    pointers = details.get("messages") if isinstance(details, dict) else None
    return SaidNo(method, code, pointers="; ".join(map(str, pointers or ())))


def retry_after(headers: Mapping[str, Any]) -> float:
    found = next((v for k, v in headers.items() if str(k).lower() == "retry-after"), None)
    try:
        seconds = float(found[0] if isinstance(found, list) else found or RETRY_AFTER_SECONDS)
    except ValueError:
        seconds = RETRY_AFTER_SECONDS
    return min(max(seconds, 0.1), RETRY_AFTER_SECONDS_MAX)
