"""One round of the watch as bytes and back: everything of `Seen`, so that a restart is not blind and
another rule file can be tried on what was seen.

A frame has its own bytes (offsets as columns, what changes every round as JSON) and refers by digest to
tables that rarely change: which entries and partitions there are, placement, sizes, what MSK says. The
surprising truth: offsets are stored as lag. A committed offset is told as its distance from the end, since
small numbers weigh nothing.

A frame of another format, or one whose bytes are damaged, is `Skipped` with a sentence, never an error.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from changes.lag import NO_OFFSET, GroupRead, LagScan, Member, TopicPartition
from ledger.rings import Frame
from watch.columns import NOTHING, packed, unpacked
from watch.compressed import Damaged, inflated
from watch.frame_tables import (
    LEASES,
    LOADS,
    MOVES,
    Json,
    Made,
    Table,
    about_of,
    about_table,
    about_text,
    dumped,
    entries_table,
    layout_of,
    placed_of,
    placed_table,
    places_of,
    sizes_table,
)
from watch.seen import Rung, Seen

FORMAT = b"ottla frame 1\n"
"""Written before every frame; another first line is another format."""
LEVEL = 3
MADE = Made()

T = TypeVar("T")


class Skipped(NamedTuple):
    """A frame that could not be read, and why."""

    words: str


def pack(seen: Seen) -> Frame:
    """The frame of one round, with all tables it refers to."""
    tables: dict[str, bytes] = {}
    head: Json = {
        "at": seen.at.timestamp(),
        "scan_seconds": seen.scan_seconds,
        "about": _keep(tables, seen, "about", about_text(seen), about_table),
        "members": _members(seen.members),
        "loads": dumped(seen.loads),
        "loads_at": _seconds(seen.loads_at),
        "sizes_at": _seconds(seen.sizes_at),
        "group_lag": _group_lag(seen),
        "leases": dumped(seen.leases),
        "reassignments": dumped(seen.reassignments),
        "blind": dict(seen.blind),
        "placed": None,
        "lag": None,
    }
    if seen.partitions is not None:
        rows = tuple((p.topic, p.partition, p.replicas, p.isr, p.leader) for p in seen.partitions)
        head["placed"] = _keep(tables, seen, "placed", rows, placed_table)
        sizes = tuple(p.size_bytes for p in seen.partitions)
        head["sizes"] = _keep(tables, seen, "sizes", sizes, sizes_table)
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
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        return Skipped(f"a frame was skipped: its bytes are damaged ({error})"[:300])


# Bytes


def _sealed(head: Json, columns: Sequence[bytes]) -> bytes:
    head["columns"] = [len(column) for column in columns]
    text = json.dumps(head, separators=(",", ":")).encode()
    body = len(text).to_bytes(4, "big") + text + b"".join(columns)
    return FORMAT + zlib.compress(body, LEVEL)


def _opened(body: bytes) -> tuple[Json, list[bytes]]:
    plain = inflated(body[len(FORMAT) :])  # zlib's own sum tells damaged bytes
    length = int.from_bytes(plain[:4], "big")
    head: Json = json.loads(plain[4 : 4 + length])
    columns, at = [], 4 + length
    for size in head["columns"]:
        columns.append(plain[at : at + size])
        at += size
    return head, columns


def _keep(
    tables: dict[str, bytes], seen: Seen, kind: str, content: T, make: Callable[[T], Table]
) -> str:
    digest, table = MADE.table(seen.cluster.name, kind, content, make)
    tables[digest] = table
    return digest


# Offsets


def _pack_offsets(seen: Seen, head: Json, tables: dict[str, bytes]) -> list[bytes]:
    scan = seen.lag
    if scan is None:
        head["rungs"] = [[rung.age_seconds, rung.at.timestamp()] for rung in seen.rungs]
        places = _places(*(rung.offsets for rung in seen.rungs), seen.stable_ends)
        head["places"] = _keep(tables, seen, "places", (("", places),), entries_table)
        return [_column(one, places) for one in (*_rung_offsets(seen), seen.stable_ends)]
    places = _places(scan.ends, scan.starts, *_rung_offsets(seen), seen.stable_ends)
    layout = tuple((group, tuple(read.committed)) for group, read in scan.groups.items())
    head["places"] = _keep(tables, seen, "places", (("", places),), entries_table)
    head["entries"] = _keep(tables, seen, "entries", layout, entries_table)
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
    places = layout_of(head["places"], tables[head["places"]])[0][1]
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
    layout = layout_of(head["entries"], tables[head["entries"]])
    if len(of_kind) != len(layout) or len(behind) != sum(len(own) for _, own in layout):
        raise Damaged("a column has another length than its table")
    errors: dict[str, dict[TopicPartition, str]] = {}
    for name, topic, partition, words in told["partition_errors"]:
        errors.setdefault(name, {})[topic, partition] = words
    groups: dict[str, GroupRead] = {}
    bases = [*(ends.get(place, 0) for place in places), 0]
    where = places_of(head["places"], places, head["entries"], layout)
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


def _seen(head: Json, columns: list[bytes], tables: Mapping[str, bytes]) -> Seen:
    lag, rungs, stable_ends = _offsets(head, columns, tables)
    about = about_of(head["about"], tables[head["about"]])
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
        group_lag=_told_lag(head.get("group_lag")),
        brokers=about.brokers,
        partitions=None
        if placed is None
        else placed_of(placed, tables[placed], head["sizes"], tables[head["sizes"]]),
        sizes_at=_moment_or_none(head["sizes_at"]),
        reassignments=MOVES.validate_python(head["reassignments"]),
        topics=about.topics,
        msk=about.msk,
        operations=about.operations,
        loads=LOADS.validate_python(head["loads"]),
        loads_at=_moment_or_none(head["loads_at"]),
        leases=LEASES.validate_python(head["leases"]),
        blind=head["blind"],
    )


def _group_lag(seen: Seen) -> list[tuple[str, str, float, float]] | None:
    if seen.group_lag is None:
        return None
    return [(*pair, at.timestamp(), lag) for pair, (at, lag) in seen.group_lag.items()]


def _told_lag(
    rows: list[tuple[str, str, float, float]] | None,
) -> dict[tuple[str, str], tuple[datetime, float]] | None:
    if rows is None:
        return None
    return {(group, topic): (_moment(at), lag) for group, topic, at, lag in rows}


def _members(members: Mapping[str, tuple[Member, ...]]) -> Json:
    return {
        name: [[one.member_id, one.client_id, one.host, one.owns] for one in own]
        for name, own in members.items()
    }


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
