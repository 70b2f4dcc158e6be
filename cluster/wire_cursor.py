"""Large answers and requests of a lag scan, read and written by hand with a cursor.

The surprising truth: a scan of 2,000 groups is 20,000 entries, and reading them from their description
costs ten times the whole scan's budget of CPU. So these few messages are read by position: an entry of
OffsetFetch without metadata is twenty bytes, one of ListOffsets twenty-seven, each one `unpack_from`.
`wire_offsets` still describes them, and tests hold both to the same bytes.

Broken bytes end in `struct.error`, `IndexError` or `UnicodeDecodeError`; `Ready` makes them `BadFrame`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from changes.lag import NO_OFFSET, TopicPartition
from cluster.wire_codec import write_varint

END, START = -1, -2
"""Timestamps that ask ListOffsets for the end and for the start of a log."""
READ_UNCOMMITTED, READ_COMMITTED = 0, 1

_THROTTLE_BYTES = 4
_INT16 = struct.Struct(">h")
_COMMITTED = struct.Struct(">iqiBhB")
"""partition, offset, leader epoch, length of metadata + 1 (0 or 1: none), error, number of tags."""
_COMMITTED_HEAD = struct.Struct(">iqi")
_FOUND = struct.Struct(">ihqqiB")
"""partition, error, timestamp, offset, leader epoch, number of tags."""
_ASKED = struct.Struct(">iiqB")
"""partition, leader epoch, timestamp, number of tags."""
_NO_EPOCH = -1


class Partitions(dict[int, TopicPartition]):
    """The keys of one topic by partition, each made once: a scan needs them many thousand times."""

    def __init__(self, topic: str, known: Iterable[int] = ()) -> None:
        super().__init__()
        self.topic = topic
        self.uncommitted: dict[TopicPartition, int] = {}
        """Every partition that metadata names, with `NO_OFFSET`: what a group starts from."""
        self.know(known)

    def know(self, partitions: Iterable[int]) -> None:
        self.uncommitted = {self[one]: NO_OFFSET for one in partitions}

    def __missing__(self, partition: int) -> TopicPartition:
        key = self[partition] = (self.topic, partition)
        return key


class Topics(dict[bytes, Partitions]):
    """Topics by their name's bytes, as they stand in an answer; `known` names a topic's partitions."""

    def __init__(self, known: Callable[[str], Iterable[int]] = lambda _: ()) -> None:
        super().__init__()
        self._known = known
        self.committed: set[str] = set()
        """Topics that some group was read to have committed on; whoever scans empties it first."""

    def __missing__(self, raw: bytes) -> Partitions:
        topic = raw.decode()
        found = self[raw] = Partitions(topic, self._known(topic))
        return found


class Listed(NamedTuple):
    """One group as ListGroups names it; `kind` is empty where the broker does not tell types."""

    group: str
    protocol_type: str
    state: str
    kind: str


class Fetched(NamedTuple):
    """One group as OffsetFetch answers; `codes` are partitions that were refused."""

    group: str
    code: int
    committed: dict[TopicPartition, int]
    codes: dict[TopicPartition, int]


class Committed(NamedTuple):
    """One answer to OffsetFetch."""

    size_bytes: int
    groups: list[Fetched]


class Found(NamedTuple):
    """Offsets as ListOffsets answers; a partition stands in one of the two."""

    offsets: dict[TopicPartition, int]
    codes: dict[TopicPartition, int]


def read_list_groups(buffer: bytes, at: int) -> tuple[int, list[Listed]]:
    """Version 5: the error of the whole, and the groups."""
    return _list_groups(buffer, at, typed=True)


def read_list_groups_untyped(buffer: bytes, at: int) -> tuple[int, list[Listed]]:
    """Version 4 knows no types."""
    return _list_groups(buffer, at, typed=False)


def _list_groups(buffer: bytes, at: int, *, typed: bool) -> tuple[int, list[Listed]]:
    at += _THROTTLE_BYTES
    (code,) = _INT16.unpack_from(buffer, at)
    count, at = _varint(buffer, at + _INT16.size)
    listed = []
    for _ in range(count - 1):
        group, at = _text(buffer, at)
        protocol_type, at = _text(buffer, at)
        state, at = _text(buffer, at)
        kind, at = _text(buffer, at) if typed else ("", at)
        at = _after_tags(buffer, at)
        listed.append(Listed(group, protocol_type, state, kind))
    _after_tags(buffer, at)
    return code, listed


def write_offset_fetch(groups: Sequence[str]) -> bytes:
    """Version 8: everything each group ever committed, without waiting for open transactions."""
    parts = [write_varint(len(groups) + 1)]
    for group in groups:
        raw = group.encode()
        parts += (write_varint(len(raw) + 1), raw, b"\x00\x00")  # all topics; no tags
    return b"".join((*parts, b"\x00\x00"))  # not only stable ones; no tags


def write_offset_fetch_one(group: str) -> bytes:
    """Version 7."""
    raw = group.encode()
    return b"".join((write_varint(len(raw) + 1), raw, b"\x00\x00\x00"))


def read_offset_fetch(buffer: bytes, at: int, *, topics: Topics) -> Committed:
    """Version 8."""
    count, at = _varint(buffer, at + _THROTTLE_BYTES)
    fetched = []
    for _ in range(count - 1):
        group, at = _text(buffer, at)
        one, at = _read_group(buffer, at, group, topics)
        fetched.append(one)
    _after_tags(buffer, at)
    return Committed(len(buffer), fetched)


def read_offset_fetch_one(buffer: bytes, at: int, *, group: str, topics: Topics) -> Committed:
    """Version 7: the answer does not name its group."""
    one, _ = _read_group(buffer, at + _THROTTLE_BYTES, group, topics)
    return Committed(len(buffer), [one])


def _read_group(buffer: bytes, at: int, group: str, topics: Topics) -> tuple[Fetched, int]:
    committed: dict[TopicPartition, int] = {}
    codes: dict[TopicPartition, int] = {}
    count, at = _varint(buffer, at)
    for number in range(count - 1):
        raw, at = _bytes(buffer, at)
        keys = topics[raw]
        topics.committed.add(keys.topic)
        if number:
            committed.update(keys.uncommitted)
        else:
            committed = keys.uncommitted.copy()
        at = _read_partitions(buffer, at, keys, committed, codes)
    (code,) = _INT16.unpack_from(buffer, at)
    return Fetched(group, code, committed, codes), _after_tags(buffer, at + _INT16.size)


def _read_partitions(
    buffer: bytes,
    at: int,
    keys: Partitions,
    committed: dict[TopicPartition, int],
    codes: dict[TopicPartition, int],
) -> int:
    """The hot loop. An entry with metadata is longer than the twenty bytes looked at, never shorter."""
    unpack = _COMMITTED.unpack_from
    count, at = _varint(buffer, at)
    for _ in range(count - 1):
        partition, offset, _, metadata, code, tags = unpack(buffer, at)
        if metadata > 1 or tags:
            code, at = _after_metadata(buffer, at + _COMMITTED_HEAD.size)
        else:
            at += 20
        if code:
            codes[keys[partition]] = code
            committed.pop(keys[partition], None)
        else:
            committed[keys[partition]] = offset
    return _after_tags(buffer, at)


def _after_metadata(buffer: bytes, at: int) -> tuple[int, int]:
    _, at = _bytes(buffer, at)
    (code,) = _INT16.unpack_from(buffer, at)
    return code, _after_tags(buffer, at + _INT16.size)


def write_list_offsets(
    wanted: Mapping[str, Iterable[int]], *, timestamp: int, isolation: int = READ_UNCOMMITTED
) -> bytes:
    """Versions 6 and 7; a partition twice is refused as a whole by Kafka, so a set is meant."""
    parts = [struct.pack(">ib", -1, isolation), write_varint(len(wanted) + 1)]
    for topic, partitions in wanted.items():
        raw = topic.encode()
        rows = [_ASKED.pack(one, _NO_EPOCH, timestamp, 0) for one in partitions]
        parts += (write_varint(len(raw) + 1), raw, write_varint(len(rows) + 1), *rows, b"\x00")
    return b"".join((*parts, b"\x00"))


def read_list_offsets(buffer: bytes, at: int, *, topics: Topics) -> Found:
    """Versions 6 and 7; `NO_OFFSET` where no record is young enough."""
    found = Found({}, {})
    unpack = _FOUND.unpack_from
    count, at = _varint(buffer, at + _THROTTLE_BYTES)
    for _ in range(count - 1):
        raw, at = _bytes(buffer, at)
        keys = topics[raw]
        rows, at = _varint(buffer, at)
        for _ in range(rows - 1):
            partition, code, _, offset, _, tags = unpack(buffer, at)
            at += _FOUND.size if not tags else _after_tags(buffer, at + _FOUND.size - 1) - at
            if code:
                found.codes[keys[partition]] = code
            else:
                found.offsets[keys[partition]] = max(offset, NO_OFFSET)
        at = _after_tags(buffer, at)
    _after_tags(buffer, at)
    return found


def _text(buffer: bytes, at: int) -> tuple[str, int]:
    raw, at = _bytes(buffer, at)
    return raw.decode(), at


def _bytes(buffer: bytes, at: int) -> tuple[bytes, int]:
    """A string's bytes, none when it is null; a slice beyond the end would be short in silence."""
    length = buffer[at]
    if length > 0x7F:
        length, at = _varint(buffer, at)
    else:
        at += 1
    end = at + max(length - 1, 0)
    if end > len(buffer):
        raise IndexError("a text runs past the end")
    return buffer[at:end], end


def _varint(buffer: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 35, 7):
        byte = buffer[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise IndexError("a length has more than five bytes")


def _after_tags(buffer: bytes, at: int) -> int:
    """Tagged fields are additions we may not know; each says how long it is."""
    count = buffer[at]
    at += 1
    if not count:
        return at
    count, at = _varint(buffer, at - 1)
    for _ in range(count):
        _, at = _varint(buffer, at)
        length, at = _varint(buffer, at)
        at += length
        if at > len(buffer):
            raise IndexError("a tagged field runs past the end")
    return at
