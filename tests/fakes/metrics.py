"""The Metrics port over a `FakeCluster`: loads from the truth, series of one point a minute.

The past is not kept: a series repeats what is true now for as long as the cluster exists.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from changes.facts import BrokerLoad
from changes.ports import Series

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster

GIB = 1024**3


class FakeMetrics:
    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def loads(self, *, broker_ids: Sequence[int]) -> tuple[BrokerLoad, ...]:
        self._cluster.called("metrics", "loads", sorted(broker_ids))
        return tuple(self._load(broker_id) for broker_id in broker_ids)

    async def series(
        self, *, metric: str, broker_ids: Sequence[int], start: datetime, end: datetime
    ) -> tuple[Series, ...]:
        self._cluster.called("metrics", "series", metric, sorted(broker_ids))
        minutes = int((end - start).total_seconds() // 60)
        times = tuple(start + timedelta(minutes=i) for i in range(minutes))
        found = []
        for broker_id in broker_ids:
            value = self._value(metric, self._load(broker_id))
            seen = () if value is None else times
            values = () if value is None else (value,) * len(times)
            found.append(Series(metric=metric, broker_id=broker_id, times=seen, values=values))
        return tuple(found)

    async def group_lag(
        self, *, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[datetime, float]]:
        """None: the fake cluster's CloudWatch knows of no consumer groups."""
        self._cluster.called("metrics", "group_lag", sorted(pairs))
        return {}

    async def picture(
        self,
        *,
        title: str,
        metrics: Sequence[str],
        broker_ids: Sequence[int],
        start: datetime,
        end: datetime,
        marks: Sequence[tuple[datetime, str]] = (),
    ) -> bytes:
        del start, end
        labels = [label for _, label in marks]
        self._cluster.called("metrics", "picture", title, *metrics, *labels)
        return png(width=4 * max(1, len(broker_ids)), height=16, title=title)

    def _load(self, broker_id: int) -> BrokerLoad:
        truth = self._cluster
        if not truth.is_alive(broker_id):
            return BrokerLoad(broker_id=broker_id)
        held = sum(
            p.bytes_on(broker_id) for p in truth.partitions.values() if broker_id in p.replicas
        )
        leaders = sum(1 for p in truth.partitions.values() if p.leader == broker_id)
        disk = truth.disk_used_percent.get(broker_id, 100.0 * held / (truth.volume_gib * GIB))
        into = leaders * truth.bytes_in_per_second_per_leader
        return BrokerLoad(
            broker_id=broker_id,
            cpu_percent=truth.cpu_percent.get(broker_id, 25.0),
            disk_used_percent=None if truth.instance_type.startswith("express.") else disk,
            bytes_in_per_second=into,
            bytes_out_per_second=2 * into,
        )

    def _value(self, metric: str, load: BrokerLoad) -> float | None:
        if metric in ("CpuUser", "CpuSystem"):
            return None if load.cpu_percent is None else load.cpu_percent / 2
        known = {
            "KafkaDataLogsDiskUsed": load.disk_used_percent,
            "BytesInPerSec": load.bytes_in_per_second,
            "BytesOutPerSec": load.bytes_out_per_second,
        }
        return known.get(metric)


def png(*, width: int, height: int, title: str) -> bytes:
    """A real, plain PNG that carries its title as text, so that a test can tell two apart."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\x00" + b"\xc0" * width) * height
    text = b"Title\x00" + title.encode("latin-1", "replace")
    parts = (b"IHDR", header), (b"tEXt", text), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)
