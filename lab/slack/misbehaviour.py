"""What a fault does to one Web API call, before the method has run and after.

`reset_after_commit` is the nasty one: the message is posted, and the client never hears of it. With
`late_answer` it does, but other people have read and answered the message by then.
"""

import asyncio

from aiohttp import web

from lab.slack.errors import ApiError
from lab.slack.faults import Fault

HANG_SECONDS = 120.0


class InjectedAnswer(Exception):
    """A fault answers with a bare HTTP status instead of Slack's envelope."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


async def before(fault: Fault | None, request: web.Request) -> None:
    if fault is None:
        return
    params = fault.params
    if fault.action == "ratelimit":
        raise ApiError("ratelimited", retry_after=int(params.get("retry_after", 1)))
    if fault.action == "error":
        raise ApiError(str(params.get("code", "internal_error")))
    if fault.action == "http":
        raise InjectedAnswer(int(params.get("status", 500)))
    if fault.action == "slow":
        await asyncio.sleep(float(params.get("s", 1)))
    if fault.action == "hang":
        await asyncio.sleep(HANG_SECONDS)
    if fault.action == "reset_before_commit":
        _cut(request)


async def after(fault: Fault | None, request: web.Request, text: str) -> str:
    """The answer's text, whole or cut short, at once or late; or no answer at all."""
    if fault is not None and fault.action == "reset_after_commit":
        _cut(request)
    if fault is not None and fault.action == "late_answer":
        await asyncio.sleep(float(fault.params.get("s", 1)))
    return text[: len(text) // 2] if fault is not None and fault.action == "truncate_json" else text


def _cut(request: web.Request) -> None:
    """Drops the connection without an answer, as a broken network would."""
    if request.transport is not None:
        request.transport.abort()
    raise web.HTTPServiceUnavailable(text="connection cut by the lab")
