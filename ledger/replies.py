"""Redis's replies as the types they have on our connection: bytes in, values out.

redis-py types each reply for every protocol and decoding there is; ours is fixed (`connect.py`), so
the narrowing is done here, once.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One entry of a stream."""

    id: str
    fields: dict[bytes, bytes]

    def text(self, field: bytes) -> str:
        return self.fields[field].decode()


def names(reply: Any) -> tuple[str, ...]:
    """Members of a list or sorted set."""
    return tuple(one.decode() for one in reply)


def stream(reply: Any) -> tuple[Entry, ...]:
    """Entries of XRANGE and XREVRANGE."""
    return tuple(Entry(id=entry_id.decode(), fields=fields) for entry_id, fields in reply or ())


def only_stream(reply: Any) -> tuple[Entry, ...]:
    """Entries of an XREAD that asked for one stream."""
    return stream(reply[0][1]) if reply else ()


def fields(reply: Any) -> dict[bytes, bytes]:
    """A whole hash; empty = it is not there."""
    return dict(reply)


def values(reply: Any) -> tuple[bytes | None, ...]:
    """Some fields of a hash, in the order asked for."""
    return tuple(reply)


def content(reply: Any) -> bytes | None:
    """A plain value; None = it is not there."""
    return None if reply is None else bytes(reply)


def number(reply: Any) -> int:
    """A count; 0 when there is nothing."""
    return int(reply or 0)


def scored(reply: Any) -> tuple[tuple[str, float], ...]:
    """Members of a sorted set with their scores."""
    return tuple((one.decode(), float(score)) for one, score in reply)
