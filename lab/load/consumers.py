"""Reads every record back, in consumer groups as an order pipeline would have them.

The surprising truth: each topic belongs to exactly one group, so "read back" is counted once. A group may
still read a record twice after a rebalance; that is a duplicate, not a gain.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from lab.load.books import Books
from lab.load.faults import LOOK_SECONDS, Mode, Orders, records_per_second
from lab.load.records import sequence_of
from lab.load.topics import GROUPS, TOPICS

_MEMBERS = {"order-processing": 2}
_METADATA_SECONDS = 5
_AGAIN_SECONDS = 1.0
_POLL_MS = 2_000
_FETCH_BYTES_MIN = 100_000
_FETCH_MS_MAX = 1_000


def all_members() -> tuple[str, ...]:
    """One entry a member: its group."""
    return tuple(group for group in GROUPS for _ in range(_MEMBERS.get(group, 1)))


async def read_back(*, bootstrap: str, group: str, books: Books, orders: Orders) -> None:
    """One member of one group, until cancelled; a broken consumer is replaced by a new one."""
    while True:
        if orders.now().of(group) is not Mode.STOPS:
            try:
                await _read_with_one_consumer(
                    bootstrap=bootstrap, group=group, books=books, orders=orders
                )
            except (KafkaError, OSError, TimeoutError) as reason:
                books.went_wrong(doing=f"consuming in {group}", reason=reason)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _read_with_one_consumer(
    *, bootstrap: str, group: str, books: Books, orders: Orders
) -> None:
    consumer = AIOKafkaConsumer(
        *(topic.name for topic in TOPICS if topic.group == group),
        bootstrap_servers=bootstrap,
        group_id=group,
        client_id=f"lab-{group}",
        # A partition that appears later is read from its first record on.
        auto_offset_reset="earliest",
        auto_commit_interval_ms=2_000,
        metadata_max_age_ms=_METADATA_SECONDS * 1000,
        # Answers in batches, once a second: one answer a record would cost ten times the CPU.
        fetch_min_bytes=_FETCH_BYTES_MIN,
        fetch_max_wait_ms=_FETCH_MS_MAX,
    )
    try:
        await consumer.start()
        while (mode := orders.now().of(group)) is not Mode.STOPS:
            await _read_once(consumer, group=group, books=books, mode=mode)
    finally:
        await consumer.stop()


async def _read_once(consumer: AIOKafkaConsumer, *, group: str, books: Books, mode: Mode) -> None:
    """What there is; in a slow mode so many records a second at most, when hanging none."""
    if mode is Mode.HANGS:
        await asyncio.sleep(LOOK_SECONDS)
        return
    pace = records_per_second(group, mode)
    if pace is None:
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
    else:
        batches = await _read_some(consumer, round(pace / _MEMBERS.get(group, 1)))
        await asyncio.sleep(_AGAIN_SECONDS)
    for place, records in batches.items():
        _note(books, topic=place.topic, values=[record.value for record in records])


async def _read_some(consumer: AIOKafkaConsumer, records: int) -> dict[Any, list[Any]]:
    """About so many records, from partitions in turn: a slow reader neglects none of them for long."""
    places = sorted(consumer.assignment())
    if not places:
        return {}
    some = random.sample(places, min(len(places), max(1, records)))
    each = max(1, round(records / len(some)))
    found: dict[Any, list[Any]] = {}
    for place in some:
        found |= await consumer.getmany(place, timeout_ms=0, max_records=each)
    return found


def _note(books: Books, *, topic: str, values: list[bytes | None]) -> None:
    for value in values:
        sequence = sequence_of(value, run_id=books.run_id)
        if sequence is not None:
            books.tallies[topic].read(sequence)
