"""Lag of consumer groups, computed from committed and end offsets as MSK does.

As on AWS there are points only for groups that are Stable or Empty, and none for names with a colon
or beyond ASCII. A point needs every partition of the topic the group has committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from lab.aws.beat import ended, every
from lab.aws.series import SeriesStore, metric
from lab.fleet import Fleet

log = logging.getLogger(__name__)

GROUPS_MAX = 200  # the lab's own groups are few; a test that makes thousands is not slowed down
CANARY_GROUP = "amazon.msk.canary.group"
_STATES = ("Stable", "Empty")
_REQUEST_MS = 4_000
READ_SECONDS_MAX = 8.0

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Committed:
    """What one group has committed, at one moment."""

    group: str
    offsets: Offsets


def lag_values(
    committed: Offsets, ends: Offsets, *, before: Offsets, seconds: float
) -> Iterator[tuple[str, str, float]]:
    """(topic, metric, value). The time lag is how long the worst partition would need to drain at
    the pace it had since the last look; without progress there is none to tell."""
    by_topic: defaultdict[str, dict[TopicPartition, int]] = defaultdict(dict)
    for partition, offset in committed.items():
        if partition in ends:
            by_topic[partition.topic][partition] = max(ends[partition] - offset, 0)
    for topic, lags in by_topic.items():
        worst = max(lags, key=lambda partition: lags[partition])
        yield topic, "MaxOffsetLag", float(lags[worst])
        yield topic, "SumOffsetLag", float(sum(lags.values()))
        pace = (committed[worst] - before.get(worst, committed[worst])) / seconds
        if pace > 0 or lags[worst] == 0:
            yield topic, "EstimatedMaxTimeLag", lags[worst] / pace if lags[worst] else 0.0


def measured(group: str) -> bool:
    """Whether MSK would make lag metrics of a group with this name."""
    return group.isascii() and ":" not in group and not group.startswith(CANARY_GROUP)


@dataclass(frozen=True)
class _Clients:
    admin: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer

    async def close(self) -> None:
        await asyncio.gather(self.admin.close(), self.consumer.stop(), return_exceptions=True)


class OffsetReader:
    """Reads groups and offsets; connects on first use, after a failure, and when the cluster's
    brokers are others: aiokafka would look for a new one in old metadata and complain aloud."""

    def __init__(self, *, fleet: Fleet) -> None:
        self._fleet = fleet
        self._clients: _Clients | None = None
        self._members: frozenset[int] = frozenset()

    async def read(self) -> tuple[list[Committed], Offsets]:
        """Every group's committed offsets, and the end offsets of all their partitions."""
        clients = await self._connected()
        groups = [
            one for each in sorted(self._members) for one in await _groups_of(clients.admin, each)
        ]
        partitions = {partition for group in groups for partition in group.offsets}
        if not partitions:
            return groups, {}
        ends: Offsets = await clients.consumer.end_offsets(list(partitions))
        return groups, ends

    async def _connected(self) -> _Clients:
        seen = await _members(self._clients.admin) if self._clients else None
        if seen != self._members:
            await self.close()
        if self._clients is None:
            self._clients = await self._connect()
            # Those seen before connecting are surely in the new connection's metadata.
            self._members = seen or await _members(self._clients.admin)
        return self._clients

    async def _connect(self) -> _Clients:
        where = self._fleet.bootstrap()
        clients = _Clients(
            admin=AIOKafkaAdminClient(bootstrap_servers=where, request_timeout_ms=_REQUEST_MS),
            consumer=AIOKafkaConsumer(bootstrap_servers=where, request_timeout_ms=_REQUEST_MS),
        )
        try:
            await clients.admin.start()
            await clients.consumer.start()
        except BaseException:
            await clients.close()
            raise
        return clients

    async def close(self) -> None:
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.close()


async def _members(admin: AIOKafkaAdminClient) -> frozenset[int]:
    cluster = await admin.describe_cluster()
    return frozenset(broker["node_id"] for broker in cluster["brokers"])


async def _groups_of(admin: AIOKafkaAdminClient, broker_id: int) -> list[Committed]:
    """A broker lists the groups it coordinates, so nobody has to be asked who does."""
    listed = await admin.list_consumer_groups(broker_ids=[broker_id])
    names = sorted(name for name, _ in listed if measured(name))[:GROUPS_MAX]
    if not names:
        return []
    answers = await admin.describe_consumer_groups(names, group_coordinator_id=broker_id)
    states = {group[1]: group[2] for answer in answers for group in answer.groups}
    return [
        await _committed(admin, name, broker_id) for name in names if states.get(name) in _STATES
    ]


async def _committed(admin: AIOKafkaAdminClient, name: str, broker_id: int) -> Committed:
    found = await admin.list_consumer_group_offsets(name, group_coordinator_id=broker_id)
    offsets = {partition: kept.offset for partition, kept in found.items() if kept.offset >= 0}
    return Committed(group=name, offsets=offsets)


class LagSampler:
    """Writes lag series in the background; apart from the brokers' sampler, so that a coordinator
    that hangs costs lag alone."""

    def __init__(
        self, *, fleet: Fleet, series: SeriesStore, cluster_name: str, period_seconds: int
    ) -> None:
        self._reader = OffsetReader(fleet=fleet)
        self._series = series
        self._cluster_name = cluster_name
        self._period = period_seconds
        self._before: dict[str, Offsets] = {}
        self._before_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(every(self._period, self.sample))

    async def close(self) -> None:
        await ended(self._task)
        await self._reader.close()

    async def sample(self, stamp: float) -> None:
        """One look at all groups; a failed look is a gap and a new connection."""
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                groups, ends = await self._reader.read()
        except (KafkaError, TimeoutError, OSError) as mistake:
            log.info("lag leaves a gap: %r", mistake)
            await self._reader.close()
            return
        for group in groups:
            self._write(group, ends, stamp=stamp)
        self._before = {group.group: group.offsets for group in groups}
        self._before_at = stamp

    def _write(self, group: Committed, ends: Offsets, *, stamp: float) -> None:
        values = lag_values(
            group.offsets,
            ends,
            before=self._before.get(group.group, {}),
            seconds=max(stamp - self._before_at, 1.0),
        )
        for topic, name, value in values:
            dimensions = {
                "Cluster Name": self._cluster_name,
                "Consumer Group": group.group,
                "Topic": topic,
            }
            self._series.add(metric("AWS/Kafka", name, dimensions), at=stamp, value=value)
