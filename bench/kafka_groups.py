"""Fills a cluster with consumer groups, for measurements and for tests of the scanner.

The surprising truth: a group needs no consumer. Whoever commits an offset without being a member has
made one, so thousands take seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from changes.lag import TopicPartition
from cluster.links import Links
from cluster.wire_codec import Field, Kind
from cluster.wire_messages import Api
from cluster.wire_offsets import FIND_COORDINATOR
from cluster.wire_requests import Ask

OFFSET_COMMIT = Api(
    key=8,
    name="OffsetCommit",
    version_min=8,
    version_max=8,
    flexible_from=8,
    request=(
        Field("group_id", Kind.STRING),
        Field("generation_id_or_member_epoch", Kind.INT32),
        Field("member_id", Kind.STRING),
        Field("group_instance_id", Kind.STRING),
        Field(
            "topics",
            (
                Field("name", Kind.STRING),
                Field(
                    "partitions",
                    (
                        Field("partition_index", Kind.INT32),
                        Field("committed_offset", Kind.INT64),
                        Field("committed_leader_epoch", Kind.INT32),
                        Field("committed_metadata", Kind.STRING),
                    ),
                ),
            ),
        ),
    ),
    response=(
        Field("throttle_time_ms", Kind.INT32),
        Field(
            "topics",
            (
                Field("name", Kind.STRING),
                Field(
                    "partitions",
                    (Field("partition_index", Kind.INT32), Field("error_code", Kind.INT16)),
                ),
            ),
        ),
    ),
)
CONNECTIONS = 8
"""A broker works on one request of a connection at a time, and a commit waits for its replicas."""
TRIES_MAX = 60
TRY_SECONDS = 0.5
SECONDS_MAX = 8.0

Offsets = Mapping[TopicPartition, int]


class CannotFill(Exception):
    """The cluster did not take what it was to be filled with."""


async def make_topics(
    bootstrap: str, *, topics: Sequence[str], partitions: int, replication: int = 1
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        new = [
            NewTopic(topic, num_partitions=partitions, replication_factor=replication)
            for topic in topics
        ]
        await admin.create_topics(new)
    finally:
        await admin.close()


async def delete_topics(bootstrap: str, *, topics: Sequence[str]) -> None:
    """With them goes what groups committed, and with that the groups."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(topics))
    finally:
        await admin.close()


async def produce(bootstrap: str, *, topic: str, partitions: Sequence[int], count: int) -> None:
    """`count` small records to each partition."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5)
    await producer.start()
    try:
        for _ in range(count):
            for partition in partitions:
                await producer.send(topic, b"x", partition=partition)
        await producer.flush()
    finally:
        await producer.stop()


async def commit(
    bootstrap: str, groups: Mapping[str, Offsets], *, metadata: str | None = None
) -> None:
    """Commit for each group, at its coordinator, without being a member."""
    waiting = iter(groups.items())

    async def one_lane(links: Links, homes: Mapping[str, int]) -> None:
        for group, offsets in waiting:
            await _commit_one(links, homes[group], group, offsets, metadata)

    async with contextlib.AsyncExitStack() as stack:
        several = [await stack.enter_async_context(linked(bootstrap)) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(one.bootstrap() for one in several))
        homes = await coordinators(several[0], sorted(groups))
        brokers = len(set(homes.values()))
        await asyncio.gather(*(one_lane(one, homes) for one in several for _ in range(brokers)))


@contextlib.asynccontextmanager
async def linked(bootstrap: str) -> AsyncIterator[Links]:
    """Connections to brokers that want no login."""

    async def addresses() -> str:
        return bootstrap

    links = Links(addresses=addresses, name="bench", security={})
    try:
        yield links
    finally:
        await links.close()


async def coordinators(links: Links, groups: Sequence[str]) -> Mapping[str, int]:
    """The first group ever makes Kafka create its offsets topic, so this may take a moment."""
    if not links.broker_ids():
        await links.bootstrap()
    found: dict[str, int] = {}
    for _ in range(TRIES_MAX):
        left = [group for group in groups if group not in found]
        if not left:
            return found
        row = {"key_type": 0, "coordinator_keys": left[:1000]}
        answer = await _sent(links, links.broker_ids()[0], Ask(FIND_COORDINATOR, row))
        rows = answer["coordinators"] if answer else ()
        found |= {one["key"]: one["node_id"] for one in rows if not one["error_code"]}
        if not any(not one["error_code"] for one in rows):
            await asyncio.sleep(TRY_SECONDS)
    raise CannotFill("no broker coordinates the groups")


async def _commit_one(
    links: Links, broker_id: int, group: str, offsets: Offsets, metadata: str | None
) -> None:
    question = Ask(OFFSET_COMMIT, _row(group, offsets, metadata))
    for _ in range(TRIES_MAX):
        answer = await _sent(links, broker_id, question)
        rows = [
            one for topic in (answer or {"topics": ()})["topics"] for one in topic["partitions"]
        ]
        if rows and not any(one["error_code"] for one in rows):
            return
        await asyncio.sleep(TRY_SECONDS)
    raise CannotFill(f"group {group!r} cannot commit: {rows}")


async def _sent(links: Links, broker_id: int, question: Ask) -> Any:
    try:
        return await links.send(broker_id, question, seconds_max=SECONDS_MAX)
    except KafkaError:
        return None


def _row(group: str, offsets: Offsets, metadata: str | None) -> dict[str, Any]:
    topics: dict[str, list[dict[str, Any]]] = {}
    for (topic, partition), offset in offsets.items():
        one = {
            "partition_index": partition,
            "committed_offset": offset,
            "committed_leader_epoch": -1,
            "committed_metadata": metadata,
        }
        topics.setdefault(topic, []).append(one)
    return {
        "group_id": group,
        "generation_id_or_member_epoch": -1,
        "member_id": "",
        "group_instance_id": None,
        "topics": [{"name": name, "partitions": rows} for name, rows in topics.items()],
    }
