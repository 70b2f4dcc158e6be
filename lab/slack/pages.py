"""Cursors of list methods: opaque, and valid only for the method and arguments that made them."""

import base64
import binascii
import hashlib
import json
from typing import Any

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.registry import Call

ARGUMENTS_OUTSIDE = frozenset({"cursor", "limit", "token", "team_id"})


def page(call: Call, items: list[Any], *, default: int, most: int) -> tuple[list[Any], Json]:
    """The slice asked for, and the `response_metadata` to send with it."""
    limit = call.args.number("limit", default=default, least=1, most=most, error="invalid_limit")
    start = _start(call)
    rest = items[start : start + limit]
    following = start + len(rest)
    cursor = _cursor(call, following) if following < len(items) else ""
    return rest, {"next_cursor": cursor}


def _mark(call: Call) -> str:
    kept = {k: str(v) for k, v in call.args.values.items() if k not in ARGUMENTS_OUTSIDE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]


def _cursor(call: Call, start: int) -> str:
    return base64.b64encode(f"next:{start}:{_mark(call)}".encode()).decode()


def _start(call: Call) -> int:
    if not call.args.has("cursor"):
        return 0
    try:
        word, start, mark = (
            base64.b64decode(call.args.text("cursor"), validate=True).decode().split(":")
        )
        valid = word == "next" and mark == _mark(call)
        return int(start) if valid else _refuse()
    except (ValueError, binascii.Error) as problem:
        raise ApiError("invalid_cursor") from problem


def _refuse() -> int:
    raise ApiError("invalid_cursor")
