"""Kafka's request format, written and read from a description of fields.

The surprising truth: the same message has two spellings. Up to some version arrays and strings carry
fixed lengths; from its first *flexible* version on, lengths are varints plus one and every structure
ends in tagged fields (KIP-482). A description is therefore spelled once and encoded either way.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from typing import Any

FRAME_BYTES_MAX = 512 * 1024 * 1024
"""No answer holds more entries than it has bytes; a length above this is a broken answer."""

UUID_BYTES = 16


class Kind(Enum):
    """What a field holds; numbers carry their `struct` format. Strings, bytes and rows may be null."""

    INT8 = ">b"
    INT16 = ">h"
    INT32 = ">i"
    INT64 = ">q"
    BOOL = ">?"
    STRING = "string"
    INT32S = "int32s"
    STRINGS = "strings"
    BYTES = "bytes"
    UUID = "uuid"


@dataclass(frozen=True)
class Field:
    """One field; a tuple of fields as `kind` means an array of such structures."""

    name: str
    kind: Kind | tuple[Field, ...] | One
    since: int = 0
    """First version of the message that has it."""


@dataclass(frozen=True)
class One:
    """One structure inside another, never null."""

    fields: tuple[Field, ...]


Row = Mapping[str, Any]
"""A structure by field name: numbers, text, lists of either, lists of rows."""


class BadFrame(Exception):
    """The other side's bytes do not fit the description."""


def encode(fields: Sequence[Field], row: Row, *, version: int, flexible: bool) -> bytes:
    parts = [_write(f.kind, row[f.name], version, flexible) for f in fields if f.since <= version]
    return b"".join(parts) + (b"\x00" if flexible else b"")


def decode(fields: Sequence[Field], data: BytesIO, *, version: int, flexible: bool) -> Row:
    row = {f.name: _read(f.kind, data, version, flexible) for f in fields if f.since <= version}
    if flexible:
        skip_tags(data)
    return row


def skip_tags(data: BytesIO) -> None:
    """Tagged fields are additions we may not know; each says how long it is."""
    for _ in range(_read_varint(data)):
        _read_varint(data)
        _take(data, _read_varint(data))


def _write(kind: Kind | tuple[Field, ...] | One, value: Any, version: int, flexible: bool) -> bytes:
    if isinstance(kind, One):
        return encode(kind.fields, value, version=version, flexible=flexible)
    if isinstance(kind, tuple):
        rows = value and [encode(kind, row, version=version, flexible=flexible) for row in value]
        return _write_array(rows, flexible)
    if kind is Kind.STRING:
        return _write_string(value, flexible)
    if kind is Kind.INT32S:
        return _write_array(value and [struct.pack(">i", one) for one in value], flexible)
    if kind is Kind.STRINGS:
        return _write_array(value and [_write_string(one, flexible) for one in value], flexible)
    if kind is Kind.BYTES:
        return _write_bytes(value, flexible)
    if kind is Kind.UUID:
        return bytes(value)
    return struct.pack(kind.value, value)


def _write_array(parts: Sequence[bytes] | None, flexible: bool) -> bytes:
    length = -1 if parts is None else len(parts)
    head = write_varint(length + 1) if flexible else struct.pack(">i", length)
    return head + b"".join(parts or ())


def _write_string(text: str | None, flexible: bool) -> bytes:
    raw = b"" if text is None else text.encode()
    length = -1 if text is None else len(raw)
    return (write_varint(length + 1) if flexible else struct.pack(">h", length)) + raw


def _write_bytes(raw: bytes | None, flexible: bool) -> bytes:
    length = -1 if raw is None else len(raw)
    head = write_varint(length + 1) if flexible else struct.pack(">i", length)
    return head + (raw or b"")


def write_varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read(kind: Kind | tuple[Field, ...] | One, data: BytesIO, version: int, flexible: bool) -> Any:
    if isinstance(kind, One):
        return decode(kind.fields, data, version=version, flexible=flexible)
    if isinstance(kind, tuple):
        count = _read_count(data, flexible)
        if count is None:
            return None
        return [decode(kind, data, version=version, flexible=flexible) for _ in range(count)]
    if kind is Kind.STRING:
        return _read_string(data, flexible)
    if kind in (Kind.INT32S, Kind.STRINGS):
        count = _read_count(data, flexible)
        if count is None:
            return None
        one = Kind.INT32 if kind is Kind.INT32S else Kind.STRING
        return [_read(one, data, version, flexible) for _ in range(count)]
    if kind is Kind.BYTES:
        length = _read_count(data, flexible)
        return None if length is None else _take(data, length)
    if kind is Kind.UUID:
        return _take(data, UUID_BYTES)
    return _unpack(kind.value, data)


def _read_count(data: BytesIO, flexible: bool) -> int | None:
    count: int = _read_varint(data) - 1 if flexible else _unpack(">i", data)
    if count > FRAME_BYTES_MAX:
        raise BadFrame(f"it claims an array of {count} entries")
    return None if count < 0 else count


def _read_string(data: BytesIO, flexible: bool) -> str | None:
    length = _read_varint(data) - 1 if flexible else _unpack(">h", data)
    if length < 0:
        return None
    try:
        return _take(data, length).decode()
    except UnicodeDecodeError as error:
        raise BadFrame(f"a text in it is not UTF-8: {error}") from error


def _read_varint(data: BytesIO) -> int:
    number = 0
    for shift in range(0, 35, 7):
        byte = _take(data, 1)[0]
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number
    raise BadFrame("a length in it has more than five bytes")


def _unpack(form: str, data: BytesIO) -> Any:
    return struct.unpack(form, _take(data, struct.calcsize(form)))[0]


def _take(data: BytesIO, length: int) -> bytes:
    taken = data.read(length)
    if len(taken) < length:
        raise BadFrame(f"it ends {length - len(taken)} bytes early")
    return taken
