"""conversations.history and .replies: newest first, and oldest first with the parent."""

import re

from lab.slack.entities import Channel, Json
from lab.slack.errors import ApiError
from lab.slack.messages import replies, shown
from lab.slack.pages import page
from lab.slack.registry import Call, method

HISTORY_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")
_TS = re.compile(r"\d{1,12}(\.\d{1,6})?")
REPLIES_MAX = 1000


def _bound(call: Call, name: str, *, default: str) -> str:
    bound = call.args.text(name, default) or default
    if not _TS.fullmatch(bound):
        raise ApiError(f"invalid_ts_{name}")
    return bound


def _stamp(ts: str) -> tuple[int, int]:
    seconds, _, micros = ts.partition(".")
    return int(seconds), int(micros.ljust(6, "0") or 0)


def _between(call: Call, messages: list[Json]) -> list[Json]:
    oldest = _stamp(_bound(call, "oldest", default="0"))
    latest = _stamp(_bound(call, "latest", default="999999999999"))
    inclusive = call.args.flag("inclusive")
    return [
        message
        for message in messages
        if oldest < _stamp(message["ts"]) < latest
        or (inclusive and _stamp(message["ts"]) in (oldest, latest))
    ]


def _readable(call: Call) -> Channel:
    channel = call.member_channel(call.args.text("channel"))
    call.need_scope(f"{channel.scope_stem}:history")
    return channel


def _answer(call: Call, messages: list[Json], metadata: Json) -> Json:
    with_metadata = call.args.flag("include_all_metadata")
    answer: Json = {
        "messages": [shown(message, with_metadata=with_metadata) for message in messages],
        "has_more": bool(metadata["next_cursor"]),
    }
    if metadata["next_cursor"]:
        answer["response_metadata"] = metadata
    return answer


@method("conversations.history", scopes=HISTORY_SCOPES, tier=3, required=("channel",))
async def history(call: Call) -> Json:
    channel = _readable(call)
    top = [
        message
        for message in channel.messages.values()
        if message.get("thread_ts", message["ts"]) == message["ts"]
        or message.get("subtype") == "thread_broadcast"
    ]
    most = call.workspace.quirks.history_page_max
    rest, metadata = page(call, _between(call, top[::-1]), default=100, most=most)
    return {**_answer(call, rest, metadata), "pin_count": 0}


@method("conversations.replies", scopes=HISTORY_SCOPES, tier=3, required=("channel", "ts"))
async def thread(call: Call) -> Json:
    channel = _readable(call)
    named = channel.messages.get(call.args.text("ts"))
    if named is None:
        raise ApiError("thread_not_found")
    parent = channel.messages.get(str(named.get("thread_ts", named["ts"])), named)
    answers = _between(call, replies(channel, parent["ts"]))
    rest, metadata = page(call, answers, default=REPLIES_MAX, most=REPLIES_MAX)
    return _answer(call, [parent, *rest], metadata)
