"""A request as Redis keeps it: a hash with what is asked often, and the whole as compressed JSON.

The surprising truth: an entry that cannot be read is not damage. A newer Ottla wrote it, or its
catalog file is gone, and the one thing not to do then is to write it back.
"""

from __future__ import annotations

import lzma
import zlib
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from redis import Redis
from redis.client import Pipeline

from changes.lifecycle import State
from changes.request import Request
from ledger import keys
from ledger.replies import fields as all_fields
from ledger.replies import values

FORMAT = "1"
BODY_BYTES_MAX = 16 * 1024 * 1024
"""Of JSON, before compression: a plan for 20,000 partitions needs a quarter of it."""

XZ_MAGIC = b"\xfd7zXZ"
XZ_PRESET = 2
"""Ended requests are kept for ever and packed once. A plan names its partitions four times, further
apart than zlib can look back (32 KiB): xz needs a third less, for 6 ms instead of 2."""


Kept = TypeVar("Kept", bound=BaseModel)


class UnreadableEntry(Exception):
    """Written by another version of Ottla; the sentence names the request."""


class Head(NamedTuple):
    """What can be known of a stored request without reading its body."""

    version: int
    state: State | None
    """None = another version of Ottla wrote the entry."""


def write(pipe: Pipeline, request: Request) -> None:
    """Queue the whole entry; every field, so that an old one cannot shine through."""
    pipe.hset(
        keys.request(request.id),
        mapping={
            "format": FORMAT,
            "version": request.version,
            "state": request.state.value,
            "lines": len(request.log),
            "body": packed(request),
        },
    )


def packed(request: Request) -> bytes:
    return pressed(request.id, request, for_ever=request.state.ended)


def pressed(name: str, value: BaseModel, *, for_ever: bool = False) -> bytes:
    """The compressed JSON of what is called `name`."""
    text = value.model_dump_json().encode()
    if len(text) > BODY_BYTES_MAX:
        raise ValueError(f"{name} has {len(text)} bytes of JSON, more than {BODY_BYTES_MAX}")
    return lzma.compress(text, preset=XZ_PRESET) if for_ever else zlib.compress(text)


def unpacked(body: bytes) -> bytes:
    return lzma.decompress(body) if body.startswith(XZ_MAGIC) else zlib.decompress(body)


def read(request_id: str, fields: dict[bytes, bytes]) -> Request | None:
    """The request out of its hash; None = there is none."""
    return opened(request_id, fields, Request)


def opened(name: str, fields: dict[bytes, bytes], kind: type[Kept]) -> Kept | None:
    """What is called `name` out of its hash; None = there is none."""
    if not fields:
        return None
    written = fields.get(b"format", b"?").decode(errors="replace")
    if written != FORMAT:
        raise UnreadableEntry(
            f"{name} was written by another version of Ottla "
            f"(entry format {written}, this one reads {FORMAT})."
        )
    try:
        return kind.model_validate_json(unpacked(fields[b"body"]))
    except (ValidationError, zlib.error, lzma.LZMAError, KeyError) as error:
        raise UnreadableEntry(
            f"{name} was written by another version of Ottla: {_first_words(error)}"
        ) from error


def read_from(redis: Redis, request_id: str) -> Request | None:
    """One request, from a connection or from a pipeline that has not begun its transaction."""
    return read(request_id, all_fields(redis.hgetall(keys.request(request_id))))


def head(redis: Redis, request_id: str) -> Head | None:
    """Version and state as stored, from a connection or a pipeline that has not begun."""
    asked = ["format", "version", "state"]
    written, version, state = values(redis.hmget(keys.request(request_id), asked))
    if version is None or state is None:
        return None
    ours = written == FORMAT.encode()
    return Head(version=int(version), state=known_state(state.decode()) if ours else None)


def known_state(text: str) -> State | None:
    return State(text) if text in set(State) else None


def _first_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{first['msg']} (at {where or 'the top'})"
    return "its body is damaged or not there"
