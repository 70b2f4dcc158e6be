"""Two people from a terminal: say, press and read through the same door as the page (`python -m lab say|press|read`).

A name that does not exist is answered with the nearest names, never with a stack trace.
"""

import json
import time
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from lab.slack.acting import nearest
from lab.slack.entities import Json
from lab.slack.plain import Names, message_buttons, message_text

TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.1
# The page is on this machine: a proxy of the environment has nothing to do with it.
_OPENER = build_opener(ProxyHandler({}))


class LabRefused(Exception):
    """The workspace did not do it; the sentence is for the person who asked."""

    def __init__(self, sentence: str, *, error: str = "refused") -> None:
        super().__init__(sentence)
        self.error = error


def say(
    *,
    page_url: str,
    as_name: str,
    channel: str,
    text: str,
    thread_ts: str | None = None,
    wait_seconds: float = 2.0,
) -> Json:
    """Sends a message, or a command when it starts with `/`.

    Returns `ok`, `ts` (of the message, None for a command) and `answers`: what the app answered to a command,
    as `read` shows messages. An app that acks first and answers later is waited for `wait_seconds`.
    """
    act = {"user": as_name, "channel": channel, "text": text, "thread_ts": thread_ts}
    if not text.strip().startswith("/"):
        done = _act(page_url, {**act, "do": "message"})
        return {"ok": True, "ts": done["ts"], "answers": []}
    known = {m["ts"] for m in _own_view(page_url, channel, as_name)}
    done = _act(page_url, {**act, "do": "command"})
    if done.get("answer") is not None:
        wait_seconds = 0.0
    return {
        "ok": True,
        "ts": None,
        "answers": _answers(page_url, channel, as_name, known, wait_seconds),
    }


def _answers(
    page_url: str, channel: str, as_name: str, known: set[str], wait_seconds: float
) -> list[Json]:
    """New messages of the app that the asker can see: ephemerals, and what went to the channel."""
    deadline = time.monotonic() + wait_seconds
    while True:
        seen = [
            m for m in _own_view(page_url, channel, as_name) if m["ts"] not in known and m["is_app"]
        ]
        if seen or time.monotonic() >= deadline:
            return seen
        time.sleep(POLL_SECONDS)


def _own_view(page_url: str, channel: str, as_name: str) -> list[Json]:
    return read(page_url=page_url, channel=channel, as_name=as_name)


def press(
    *,
    page_url: str,
    as_name: str,
    message_ts: str,
    button: str,
    channel: str | None = None,
    value: Any = None,
) -> Json:
    """Presses a button by its words or its action_id; finds the channel when none is given."""
    act = {
        "do": "click",
        "user": as_name,
        "channel": channel or _channel_of(page_url, as_name, message_ts),
        "ts": message_ts,
        "action_id": button,
        "value": value,
    }
    return _act(page_url, act)


def _channel_of(page_url: str, as_name: str, message_ts: str) -> str:
    state = _state(page_url, as_name)
    for channel_id, messages in state["messages"].items():
        if any(message["ts"] == message_ts for message in messages):
            return str(channel_id)
    for entry in state["ephemerals"]:
        if entry["message"]["ts"] == message_ts:
            return str(entry["channel"])
    raise LabRefused(f"{as_name} sees no message {message_ts}; `read` shows what there is")


def read(
    *, page_url: str, channel: str, thread_ts: str | None = None, as_name: str | None = None
) -> list[Json]:
    """The channel without its replies, or one thread with its parent, oldest first, as plain data."""
    state = _state(page_url, as_name)
    names = Names(state)
    channel_id = _channel_id(state, channel)
    messages = list(state["messages"][channel_id])
    messages += [
        e["message"] for e in state["ephemerals"] if e["channel"] == channel_id and as_name
    ]
    messages.sort(key=lambda message: message["ts"])
    shown = [m for m in messages if _belongs(m, thread_ts)]
    if thread_ts and not shown:
        raise LabRefused(f"there is no message {thread_ts} in {channel}")
    return [_plain(message, names) for message in shown]


def _channel_id(state: Json, channel: str) -> str:
    wanted = channel.removeprefix("#")
    for one in state["channels"]:
        if wanted in (one["id"], one["name"]):
            return str(one["id"])
    known = [f"#{one['name']}" for one in state["channels"] if one["name"]]
    raise LabRefused(
        f"there is no channel {channel}{nearest(wanted, known)}", error="no_such_channel"
    )


def _belongs(message: Json, thread_ts: str | None) -> bool:
    root = message.get("thread_ts", message["ts"])
    if thread_ts:
        return bool(root == thread_ts)
    return bool(root == message["ts"]) or message.get("subtype") == "thread_broadcast"


def _plain(message: Json, names: Names) -> Json:
    return {
        "ts": message["ts"],
        "thread_ts": message.get("thread_ts"),
        "user": message.get("user", ""),
        "name": message.get("username") or names.person(message.get("user", "")).removeprefix("@"),
        "is_app": "bot_id" in message,
        "ephemeral": bool(message.get("is_ephemeral")),
        "edited": "edited" in message,
        "reply_count": message.get("reply_count", 0),
        "text": message_text(message, names),
        "buttons": message_buttons(message),
        "files": [
            {"id": f["id"], "name": f["name"], "size": f["size"]} for f in message.get("files", [])
        ],
        "reactions": [f":{r['name']}: {r['count']}" for r in message.get("reactions", [])],
        "metadata": message.get("metadata"),
    }


def _act(page_url: str, act: Json) -> Json:
    answer = _call(page_url, "lab/act", body=act)
    if not answer["ok"]:
        raise LabRefused(
            str(answer.get("sentence", answer.get("error"))), error=str(answer.get("error"))
        )
    return answer


def is_connected(*, page_url: str) -> bool:
    """Has the app an open socket, so that commands reach it?"""
    return bool(_state(page_url, None)["connections"])


def _state(page_url: str, as_name: str | None) -> Json:
    query = {"ephemerals": "1"} | ({"as": as_name} if as_name else {})
    return _call(page_url, f"lab/state?{urlencode(query)}")


def _call(page_url: str, path: str, *, body: Json | None = None) -> Json:
    if urlsplit(page_url).scheme not in ("http", "https"):
        raise LabRefused(f"the page's address must start with http://, not {page_url}")
    data = json.dumps(body).encode() if body is not None else None
    request = Request(
        urljoin(page_url, path), data=data, headers={"Content-Type": "application/json"}
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            answer: Json = json.load(response)
            return answer
    except HTTPError as refused:
        raise LabRefused(_sentence(refused)) from refused
    except (URLError, TimeoutError) as problem:
        raise LabRefused(
            f"the lab workspace at {page_url} does not answer: is the lab up?"
        ) from problem


def _sentence(refused: HTTPError) -> str:
    try:
        return str(json.load(refused)["sentence"])
    except (ValueError, KeyError):
        return f"the lab workspace answered HTTP {refused.code}"
