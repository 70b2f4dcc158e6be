"""Four real brokers for the tests of this folder, from the lab's own fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cluster.kafka import KafkaByWire
from lab.addresses import Ports
from lab.children import Children
from lab.kafka.brokers import KafkaFleet
from lab.kafka.command import KafkaPrograms
from lab.kafka.jars import provide
from lab.kafka.java import find_java

RECORD_BYTES = 500_000
"""Large records: data comes quickly, brokers stay idle."""


@asynccontextmanager
async def real_brokers(
    *, folder: Path, brokers: int = 4, version: str = "4.1.2"
) -> AsyncIterator[KafkaFleet]:
    programs = KafkaPrograms(java=find_java(), jars=provide(version=version))
    children = Children(logs=folder / "logs", tell=print, changed=lambda: None)
    fleet = KafkaFleet(children=children, programs=programs, folder=folder / "kafka", ports=Ports())
    try:
        await fleet.start(brokers=brokers)
        yield fleet
    finally:
        await fleet.stop()
        await children.close()


async def make_topic(
    fleet: KafkaFleet, topic: str, *, replicas: dict[int, list[int]], megabytes: int = 0
) -> None:
    """A topic placed by hand, with about as much data in each partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=fleet.bootstrap())
    await admin.start()
    try:
        new = NewTopic(
            topic, num_partitions=-1, replication_factor=-1, replica_assignments=replicas
        )
        await admin.create_topics([new])
    finally:
        await admin.close()
    if megabytes:
        await fill(fleet, topic, partitions=list(replicas), megabytes=megabytes)


async def fill(fleet: KafkaFleet, topic: str, *, partitions: list[int], megabytes: int) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=fleet.bootstrap(), acks="all", max_request_size=2 * RECORD_BYTES
    )
    await producer.start()
    try:
        for _ in range(megabytes * 1_000_000 // RECORD_BYTES):
            for partition in partitions:
                await producer.send(topic, b"x" * RECORD_BYTES, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()


async def idle(kafka: KafkaByWire) -> bool:
    return await kafka.reassignments() == ()


async def until(what: Callable[[], Awaitable[bool]], *, seconds_max: float = 30) -> None:
    """Look again and again; a test that waits in vain fails by time."""
    async with asyncio.timeout(seconds_max):
        while not await what():  # noqa: ASYNC110 - there is nothing to be woken by but the cluster
            await asyncio.sleep(0.2)
