"""Creates the topics and fills them with skewed, real data before anybody is let in.

The surprising truth: a Python producer is bound by records, not by bytes, so the data comes in few records
of 100 kB: 60 MB in seconds instead of a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from lab.load.books import Books
from lab.load.records import encode
from lab.load.topics import (
    PRELOAD_RECORD_BYTES,
    REPLICATION_FACTOR,
    TOPICS,
    Topic,
    records_per_partition,
)

_LEADERS_SECONDS_MAX = 60.0
_BATCH_BYTES_MAX = 1_000_000
_SENDS_AT_ONCE = 120


class LoadFailed(Exception):
    """The load could not be laid out; the sentence says at which topic and why."""


async def create_topics(*, bootstrap: str) -> None:
    """All topics, and wait until each partition has a leader."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [NewTopic(one.name, one.partitions, REPLICATION_FACTOR) for one in TOPICS]
        answer = await admin.create_topics(wanted)
        for name, code, *words in answer.topic_errors:
            _refuse_unless_created(name, code, words)
        await _wait_for_leaders(admin)
    finally:
        await admin.close()


def _refuse_unless_created(name: str, code: int, words: list[str | None]) -> None:
    error = for_code(code)
    if code != 0 and error is not TopicAlreadyExistsError:
        raise LoadFailed(f"creating topic {name}: {error.__name__} {words[0] if words else ''}")


async def _wait_for_leaders(admin: AIOKafkaAdminClient) -> None:
    names = [topic.name for topic in TOPICS]
    deadline = time.monotonic() + _LEADERS_SECONDS_MAX
    while time.monotonic() < deadline:
        described = await admin.describe_topics(names)
        partitions = [partition for topic in described for partition in topic["partitions"]]
        if len(partitions) >= sum(one.partitions for one in TOPICS) and all(
            partition["leader"] >= 0 and len(partition["isr"]) == REPLICATION_FACTOR
            for partition in partitions
        ):
            return
        await asyncio.sleep(0.2)
    raise LoadFailed(f"not every partition had a leader within {_LEADERS_SECONDS_MAX:.0f} s")


async def preload(*, bootstrap: str, books: Books) -> None:
    """Fill every partition; these records are counted like all others."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=_BATCH_BYTES_MAX,
        linger_ms=5,
    )
    await producer.start()
    room = asyncio.Semaphore(_SENDS_AT_ONCE)
    try:
        # Partitions in turn, so that all brokers are busy all the time.
        sends = [_send(producer, topic, partition, books, room) for topic, partition in _in_turn()]
        await asyncio.gather(*sends)
    except KafkaError as reason:
        raise LoadFailed(f"pre-loading: {type(reason).__name__} {reason}") from reason
    finally:
        await producer.stop()


def _in_turn() -> Iterator[tuple[Topic, int]]:
    left = {
        (topic, partition): records
        for topic in TOPICS
        for partition, records in enumerate(records_per_partition(topic))
    }
    while left:
        for place in list(left):
            yield place
            left[place] -= 1
            if left[place] == 0:
                del left[place]


async def _send(
    producer: AIOKafkaProducer,
    topic: Topic,
    partition: int,
    books: Books,
    room: asyncio.Semaphore,
) -> None:
    async with room:
        sequence = books.tallies[topic.name].next_sequence()
        value = encode(run_id=books.run_id, sequence=sequence, size_bytes=PRELOAD_RECORD_BYTES)
        started = time.monotonic()
        await producer.send_and_wait(topic.name, value, partition=partition)
        seconds = time.monotonic() - started
        books.acknowledged(topic=topic.name, sequence=sequence, seconds=seconds)
