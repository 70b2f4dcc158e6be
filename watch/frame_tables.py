"""The tables frames refer to, which rarely change: entries, placement, sizes, what MSK says.

A table is known by the digest of its content. A round makes again only what has changed since the last one
of its cluster; reading remembers a few. No more is kept: of 50,000 groups one table takes 9 MiB, and where
jobs come and go every look makes another.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

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
from changes.lag import TopicPartition
from watch.columns import packed, unpacked
from watch.compressed import Damaged, inflated
from watch.seen import Seen

READ_TABLES_MAX = 4
"""Of each kind: frames are read one cluster after another, and most follow one of the same tables."""

Json = dict[str, Any]
Table = tuple[str, bytes]
"""Its digest and its bytes."""
T = TypeVar("T")
Layout = tuple[tuple[str, tuple[TopicPartition, ...]], ...]
"""Groups with their partitions, in the order of their columns."""


class Made:
    """The last table of each kind and cluster."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[Any, Table]] = {}

    def table(self, cluster: str, kind: str, content: T, make: Callable[[T], Table]) -> Table:
        last = self._last.get((cluster, kind))
        if last is None or last[0] != content:
            last = self._last[cluster, kind] = (content, make(content))
        return last[1]


def _table(content: bytes) -> Table:
    return hashlib.sha256(content).hexdigest()[:24], zlib.compress(content, 6)


def _json_table(value: Any) -> Table:
    return _table(json.dumps(value, separators=(",", ":")).encode())


def _plain_table(digest: str, tables: Mapping[str, bytes]) -> bytes:
    plain = inflated(tables[digest])
    if hashlib.sha256(plain).hexdigest()[:24] != digest:
        raise Damaged(f"table {digest} is not what was written")
    return plain


def entries_table(layout: Layout) -> Table:
    topics: dict[str, int] = {}
    rows = []
    for group, partitions in layout:
        row: list[int] = []
        for topic, partition in partitions:
            row += (topics.setdefault(topic, len(topics)), partition)
        rows.append([group, row])
    return _json_table([list(topics), rows])


@lru_cache(maxsize=READ_TABLES_MAX)
def layout_of(digest: str, table: bytes) -> Layout:
    topics, rows = json.loads(_plain_table(digest, {digest: table}))
    # Thousands of groups read the same partitions: a name of its own for each would be four times as much.
    names: dict[tuple[int, int], TopicPartition] = {}
    return tuple(
        (
            group,
            tuple(
                names.setdefault((topic, partition), (topics[topic], partition))
                for topic, partition in zip(row[::2], row[1::2], strict=True)
            ),
        )
        for group, row in rows
    )


def places_of(
    places_digest: str, places: Sequence[TopicPartition], layout_digest: str, layout: Layout
) -> Sequence[int]:
    """By entry: where its partition stands among the places; -1 = its end was not read."""
    key = (places_digest, layout_digest)
    if key not in _WHERE:
        if len(_WHERE) >= READ_TABLES_MAX:
            _WHERE.clear()
        index = {place: number for number, place in enumerate(places)}
        _WHERE[key] = [index.get(one, -1) for _, own in layout for one in own]
    return _WHERE[key]


_WHERE: dict[tuple[str, str], list[int]] = {}


def about_table(about: str) -> Table:
    return _table(about.encode())


def about_text(seen: Seen) -> str:
    about = {
        "cluster": dump(seen.cluster),
        "msk": None if seen.msk is None else dump(seen.msk),
        "operations": dumped(seen.operations),
        "brokers": dumped(seen.brokers),
        "topics": {name: dump(one) for name, one in seen.topics.items()},
    }
    return json.dumps(about, separators=(",", ":"))


def placed_table(
    rows: tuple[tuple[str, int, tuple[int, ...], tuple[int, ...], int | None], ...],
) -> Table:
    return _json_table(rows)


def sizes_table(sizes: tuple[int, ...]) -> Table:
    return _table(packed(sizes))


class About(NamedTuple):
    cluster: ClusterRef
    msk: MskCluster | None
    operations: tuple[MskOperation, ...] | None
    brokers: tuple[Broker, ...] | None
    topics: Mapping[str, TopicSettings]


@lru_cache(maxsize=READ_TABLES_MAX)
def about_of(digest: str, table: bytes) -> About:
    told = json.loads(_plain_table(digest, {digest: table}))
    return About(
        cluster=ClusterRef.model_validate(told["cluster"]),
        msk=None if told["msk"] is None else MskCluster.model_validate(told["msk"]),
        operations=OPERATIONS.validate_python(told["operations"]),
        brokers=BROKERS.validate_python(told["brokers"]),
        topics={name: TopicSettings.model_validate(one) for name, one in told["topics"].items()},
    )


@lru_cache(maxsize=READ_TABLES_MAX)
def placed_of(placed: str, rows: bytes, sizes: str, column: bytes) -> tuple[Partition, ...]:
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

OPERATIONS: TypeAdapter[tuple[MskOperation, ...] | None] = TypeAdapter(
    tuple[MskOperation, ...] | None
)
BROKERS: TypeAdapter[tuple[Broker, ...] | None] = TypeAdapter(tuple[Broker, ...] | None)
LOADS: TypeAdapter[tuple[BrokerLoad, ...] | None] = TypeAdapter(tuple[BrokerLoad, ...] | None)
LEASES: TypeAdapter[tuple[ChangeLease, ...]] = TypeAdapter(tuple[ChangeLease, ...])
MOVES: TypeAdapter[tuple[Reassignment, ...] | None] = TypeAdapter(tuple[Reassignment, ...] | None)


def dump(value: Any) -> Json:
    told: Json = value.model_dump(mode="json")
    return told


def dumped(values: Sequence[Any] | None) -> list[Json] | None:
    return None if values is None else [dump(one) for one in values]
