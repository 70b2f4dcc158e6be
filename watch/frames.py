"""One round of the watch as bytes and back: everything of `Seen`, so that a restart is not blind and
another rule file can be tried on what was seen.

A frame has its own bytes (offsets as columns, what changes every round as JSON) and refers by digest to
tables that rarely change: which entries and partitions there are, placement, sizes, what MSK says. The
surprising truth: offsets are stored as lag. A committed offset is told as its distance from the end, since
small numbers weigh nothing.

A frame of another format, or one whose bytes are damaged, is `Skipped` with a sentence, never an error.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from changes.excuses import ChangeLease
from changes.facts import (
    Broker,
    BrokerLoad,
    ClusterRef,
    MskCluster,
    MskOperation,
    Partition,
    Reassignment,
    TopicSettings,
)
from changes.lag import NO_OFFSET, GroupRead, LagScan, Member, TopicPartition
from ledger.rings import Frame
from watch.columns import NOTHING, packed, unpacked
from watch.seen import Rung, Seen

FORMAT = b"ottla frame 1\n"
"""Written before every frame; another first line is another format."""
LEVEL = 3
TABLES_REMEMBERED = 32
"""Tables whose bytes (or meaning) are kept, so that a round does not make them again."""
BYTES_MAX = 256 * 1024 * 1024
"""Of one frame or table when unpacked: damaged bytes must not fill the memory."""

Json = dict[str, Any]
Layout = tuple[tuple[str, tuple[TopicPartition, ...]], ...]
"""Groups with their partitions, in the order of their columns."""


class Skipped(NamedTuple):
    """A frame that could not be read, and why."""

    words: str


class Damaged(ValueError):
    """These bytes are not what was written."""


def pack(seen: Seen) -> Frame:
    """The frame of one round, with all tables it refers to."""
    tables: dict[str, bytes] = {}
    head: Json = {
        "at": seen.at.timestamp(),
        "scan_seconds": seen.scan_seconds,
        "about": _keep(tables, _about_table(_about(seen))),
        "members": _members(seen.members),
        "loads": _dumped(seen.loads),
        "loads_at": _seconds(seen.loads_at),
        "sizes_at": _seconds(seen.sizes_at),
        "leases": _dumped(seen.leases),
        "reassignments": _dumped(seen.reassignments),
        "blind": dict(seen.blind),
        "placed": None,
        "lag": None,
    }
    if seen.partitions is not None:
        rows = tuple((p.topic, p.partition, p.replicas, p.isr, p.leader) for p in seen.partitions)
        head["placed"] = _keep(tables, _placed_table(rows))
        sizes = tuple(p.size_bytes for p in seen.partitions)
        head["sizes"] = _keep(tables, _sizes_table(sizes))
    columns = _pack_offsets(seen, head, tables)
    return Frame(_sealed(head, columns), tables)


def unpack(frame: Frame) -> Seen | Skipped:
    """The round again, or why these bytes are none."""
    if not frame.body.startswith(FORMAT):
        first = frame.body[: len(FORMAT)].split(b"\n")[0]
        return Skipped(f"a frame was skipped: another version of Ottla wrote it ({first!r})")
    try:
        head, columns = _opened(frame.body)
        return _seen(head, columns, frame.tables)
    except KeyError as missing:
        return Skipped(f"a frame was skipped: it misses {missing}")
    except (zlib.error, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        return Skipped(f"a frame was skipped: its bytes are damaged ({error})"[:300])


# Bytes


def _sealed(head: Json, columns: Sequence[bytes]) -> bytes:
    head["columns"] = [len(column) for column in columns]
    text = json.dumps(head, separators=(",", ":")).encode()
    body = len(text).to_bytes(4, "big") + text + b"".join(columns)
    digest = hashlib.sha256(body).digest()[:8]
    return FORMAT + zlib.compress(digest + body, LEVEL)


def _opened(body: bytes) -> tuple[Json, list[bytes]]:
    plain = _inflated(body[len(FORMAT) :])
    digest, rest = plain[:8], plain[8:]
    if hashlib.sha256(rest).digest()[:8] != digest:
        raise Damaged("its digest differs")
    length = int.from_bytes(rest[:4], "big")
    head: Json = json.loads(rest[4 : 4 + length])
    columns, at = [], 4 + length
    for size in head["columns"]:
        columns.append(rest[at : at + size])
        at += size
    return head, columns


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(data, BYTES_MAX)
    if not stream.eof:
        raise Damaged("it ends too early, or is too large")
    return plain


def _keep(tables: dict[str, bytes], table: tuple[str, bytes]) -> str:
    digest, content = table
    tables[digest] = content
    return digest


def _table(content: bytes) -> tuple[str, bytes]:
    return hashlib.sha256(content).hexdigest()[:24], zlib.compress(content, 6)


def _json_table(value: Any) -> tuple[str, bytes]:
    return _table(json.dumps(value, separators=(",", ":")).encode())


def _plain_table(digest: str, tables: Mapping[str, bytes]) -> bytes:
    plain = _inflated(tables[digest])
    if hashlib.sha256(plain).hexdigest()[:24] != digest:
        raise Damaged(f"table {digest} is not what was written")
    return plain


# Offsets


def _pack_offsets(seen: Seen, head: Json, tables: dict[str, bytes]) -> list[bytes]:
    scan = seen.lag
    if scan is None:
        head["rungs"] = [[rung.age_seconds, rung.at.timestamp()] for rung in seen.rungs]
        places = _places(*(rung.offsets for rung in seen.rungs), seen.stable_ends)
        head["places"] = _keep(tables, _entries_table((("", places),)))
        return [_column(one, places) for one in (*_rung_offsets(seen), seen.stable_ends)]
    places = _places(scan.ends, scan.starts, *_rung_offsets(seen), seen.stable_ends)
    layout = tuple((group, tuple(read.committed)) for group, read in scan.groups.items())
    head["places"] = _keep(tables, _entries_table((("", places),)))
    head["entries"] = _keep(tables, _entries_table(layout))
    head["rungs"] = [[rung.age_seconds, rung.at.timestamp()] for rung in seen.rungs]
    kinds = {(read.state, read.kind, read.coordinator): 0 for read in scan.groups.values()}
    for number, kind in enumerate(kinds):
        kinds[kind] = number
    head["lag"] = {
        "at": scan.at.timestamp(),
        "kinds": list(kinds),
        "errors": {name: read.error for name, read in scan.groups.items() if read.error},
        "partition_errors": [
            [name, *partition, words]
            for name, read in scan.groups.items()
            for partition, words in read.errors.items()
        ],
        "end_errors": [[*partition, words] for partition, words in scan.end_errors.items()],
        "blind_brokers": list(scan.blind_brokers.items()),
        "missing_groups": sorted(scan.missing_groups),
        "requests": scan.requests,
    }
    get = scan.ends.get
    behind = [
        get(partition, 0) - offset if offset >= 0 else NOTHING
        for read in scan.groups.values()
        for partition, offset in read.committed.items()
    ]
    of_kind = [kinds[read.state, read.kind, read.coordinator] for read in scan.groups.values()]
    mappings = (*_rung_offsets(seen), seen.stable_ends, scan.ends, scan.starts)
    return [*(_column(one, places) for one in mappings), packed(of_kind), packed(behind)]


def _rung_offsets(seen: Seen) -> list[Mapping[TopicPartition, int]]:
    return [rung.offsets for rung in seen.rungs]


def _places(*mappings: Mapping[TopicPartition, int]) -> tuple[TopicPartition, ...]:
    """Every partition of any of these, the largest mapping's in its own order first."""
    found: dict[TopicPartition, None] = {}
    for mapping in sorted(mappings, key=len, reverse=True):
        if not mapping.keys() <= found.keys():
            found.update(dict.fromkeys(mapping))
    return tuple(found)


def _column(mapping: Mapping[TopicPartition, int], places: Sequence[TopicPartition]) -> bytes:
    if not mapping:
        return b""
    get = mapping.get
    return packed([get(place, NOTHING) for place in places])


def _mapping(column: bytes, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    numbers = unpacked(column)
    if numbers and len(numbers) != len(places):
        raise Damaged("a column has another length than its table")
    if NOTHING not in numbers:
        return dict(zip(places, numbers, strict=False))
    return {
        place: number for place, number in zip(places, numbers, strict=False) if number != NOTHING
    }


def _offsets(
    head: Json, columns: list[bytes], tables: Mapping[str, bytes]
) -> tuple[LagScan | None, tuple[Rung, ...], dict[TopicPartition, int]]:
    places = _layout(head["places"], tables[head["places"]])[0][1]
    ladder = head["rungs"]
    rungs = tuple(
        Rung(float(age), _moment(at), _mapping(column, places))
        for (age, at), column in zip(ladder, columns, strict=False)
    )
    stable, rest = _mapping(columns[len(ladder)], places), columns[len(ladder) + 1 :]
    if head["lag"] is None:
        return None, rungs, stable
    return _scan(head, rest, places, tables), rungs, stable


def _scan(
    head: Json, columns: list[bytes], places: Sequence[TopicPartition], tables: Mapping[str, bytes]
) -> LagScan:
    told = head["lag"]
    ends, starts = _mapping(columns[0], places), _mapping(columns[1], places)
    of_kind, behind = unpacked(columns[2]), unpacked(columns[3])
    layout = _layout(head["entries"], tables[head["entries"]])
    if len(of_kind) != len(layout) or len(behind) != sum(len(own) for _, own in layout):
        raise Damaged("a column has another length than its table")
    errors: dict[str, dict[TopicPartition, str]] = {}
    for name, topic, partition, words in told["partition_errors"]:
        errors.setdefault(name, {})[topic, partition] = words
    groups: dict[str, GroupRead] = {}
    bases = [*(ends.get(place, 0) for place in places), 0]
    where = _where(head["places"], places, head["entries"], layout)
    offsets = [bases[place] - lag for place, lag in zip(where, behind, strict=True)]
    if NOTHING in behind:
        pairs = zip(offsets, behind, strict=True)
        offsets = [NO_OFFSET if lag == NOTHING else offset for offset, lag in pairs]
    at = 0
    for kind, (name, own) in zip(of_kind, layout, strict=True):
        state, type_, coordinator = told["kinds"][kind]
        committed = dict(zip(own, offsets[at : at + len(own)], strict=True))
        at += len(own)
        groups[name] = GroupRead(
            state=state,
            kind=type_,
            coordinator=coordinator,
            committed=committed,
            error=told["errors"].get(name, ""),
            errors=errors.get(name, {}),
        )
    return LagScan(
        at=_moment(told["at"]),
        groups=groups,
        ends=ends,
        end_errors={(topic, part): words for topic, part, words in told["end_errors"]},
        starts=starts,
        blind_brokers=dict(told["blind_brokers"]),
        missing_groups=frozenset(told["missing_groups"]),
        requests=told["requests"],
    )


# Tables


@lru_cache(maxsize=TABLES_REMEMBERED)
def _entries_table(layout: Layout) -> tuple[str, bytes]:
    topics: dict[str, int] = {}
    rows = []
    for group, partitions in layout:
        row: list[int] = []
        for topic, partition in partitions:
            row += (topics.setdefault(topic, len(topics)), partition)
        rows.append([group, row])
    return _json_table([list(topics), rows])


@lru_cache(maxsize=TABLES_REMEMBERED)
def _layout(digest: str, table: bytes) -> Layout:
    topics, rows = json.loads(_plain_table(digest, {digest: table}))
    return tuple(
        (group, tuple((topics[row[at]], row[at + 1]) for at in range(0, len(row), 2)))
        for group, row in rows
    )


def _where(
    places_digest: str, places: Sequence[TopicPartition], layout_digest: str, layout: Layout
) -> Sequence[int]:
    """By entry: where its partition stands among the places; -1 = its end was not read."""
    key = (places_digest, layout_digest)
    if key not in _WHERE:
        if len(_WHERE) >= TABLES_REMEMBERED:
            _WHERE.clear()
        index = {place: number for number, place in enumerate(places)}
        _WHERE[key] = [index.get(one, -1) for _, own in layout for one in own]
    return _WHERE[key]


_WHERE: dict[tuple[str, str], list[int]] = {}


@lru_cache(maxsize=TABLES_REMEMBERED)
def _about_table(about: str) -> tuple[str, bytes]:
    return _table(about.encode())


def _about(seen: Seen) -> str:
    about = {
        "cluster": _dump(seen.cluster),
        "msk": None if seen.msk is None else _dump(seen.msk),
        "operations": _dumped(seen.operations),
        "brokers": _dumped(seen.brokers),
        "topics": {name: _dump(one) for name, one in seen.topics.items()},
    }
    return json.dumps(about, separators=(",", ":"))


@lru_cache(maxsize=TABLES_REMEMBERED)
def _placed_table(
    rows: tuple[tuple[str, int, tuple[int, ...], tuple[int, ...], int | None], ...],
) -> tuple[str, bytes]:
    return _json_table(rows)


@lru_cache(maxsize=TABLES_REMEMBERED)
def _sizes_table(sizes: tuple[int, ...]) -> tuple[str, bytes]:
    return _table(packed(sizes))


class About(NamedTuple):
    cluster: ClusterRef
    msk: MskCluster | None
    operations: tuple[MskOperation, ...] | None
    brokers: tuple[Broker, ...] | None
    topics: Mapping[str, TopicSettings]


@lru_cache(maxsize=TABLES_REMEMBERED)
def _about_read(digest: str, table: bytes) -> About:
    told = json.loads(_plain_table(digest, {digest: table}))
    return About(
        cluster=ClusterRef.model_validate(told["cluster"]),
        msk=None if told["msk"] is None else MskCluster.model_validate(told["msk"]),
        operations=_OPERATIONS.validate_python(told["operations"]),
        brokers=_BROKERS.validate_python(told["brokers"]),
        topics={name: TopicSettings.model_validate(one) for name, one in told["topics"].items()},
    )


@lru_cache(maxsize=TABLES_REMEMBERED)
def _placed(placed: str, rows: bytes, sizes: str, column: bytes) -> tuple[Partition, ...]:
    told = json.loads(_plain_table(placed, {placed: rows}))
    weights = unpacked(_plain_table(sizes, {sizes: column}))
    return tuple(
        Partition(
            topic=topic,
            partition=partition,
            replicas=tuple(replicas),
            isr=tuple(isr),
            leader=leader,
            size_bytes=size,
        )
        for (topic, partition, replicas, isr, leader), size in zip(told, weights, strict=True)
    )


# Values

_OPERATIONS: TypeAdapter[tuple[MskOperation, ...] | None] = TypeAdapter(
    tuple[MskOperation, ...] | None
)
_BROKERS: TypeAdapter[tuple[Broker, ...] | None] = TypeAdapter(tuple[Broker, ...] | None)
_LOADS: TypeAdapter[tuple[BrokerLoad, ...] | None] = TypeAdapter(tuple[BrokerLoad, ...] | None)
_LEASES: TypeAdapter[tuple[ChangeLease, ...]] = TypeAdapter(tuple[ChangeLease, ...])
_MOVES: TypeAdapter[tuple[Reassignment, ...] | None] = TypeAdapter(tuple[Reassignment, ...] | None)


def _seen(head: Json, columns: list[bytes], tables: Mapping[str, bytes]) -> Seen:
    lag, rungs, stable_ends = _offsets(head, columns, tables)
    about = _about_read(head["about"], tables[head["about"]])
    placed = head["placed"]
    return Seen(
        at=_moment(head["at"]),
        cluster=about.cluster,
        scan_seconds=float(head["scan_seconds"]),
        lag=lag,
        rungs=rungs,
        members={
            name: tuple(
                Member(member_id, client_id, host, tuple((t, p) for t, p in owns))
                for member_id, client_id, host, owns in members
            )
            for name, members in head["members"].items()
        },
        stable_ends=stable_ends,
        brokers=about.brokers,
        partitions=None
        if placed is None
        else _placed(placed, tables[placed], head["sizes"], tables[head["sizes"]]),
        sizes_at=_moment_or_none(head["sizes_at"]),
        reassignments=_MOVES.validate_python(head["reassignments"]),
        topics=about.topics,
        msk=about.msk,
        operations=about.operations,
        loads=_LOADS.validate_python(head["loads"]),
        loads_at=_moment_or_none(head["loads_at"]),
        leases=_LEASES.validate_python(head["leases"]),
        blind=head["blind"],
    )


def _members(members: Mapping[str, tuple[Member, ...]]) -> Json:
    return {
        name: [[one.member_id, one.client_id, one.host, one.owns] for one in own]
        for name, own in members.items()
    }


def _dump(value: Any) -> Json:
    told: Json = value.model_dump(mode="json")
    return told


def _dumped(values: Sequence[Any] | None) -> list[Json] | None:
    return None if values is None else [_dump(one) for one in values]


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
