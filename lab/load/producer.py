"""The continuous traffic: small keyed records, acks=all, idempotent, at a modest steady rate.

The surprising truth: an idempotent producer that once fails on a partition fails there for ever, since
every later sequence number is out of order. So after such an error it is thrown away for a new one; what
was not acknowledged stays not acknowledged, and is nobody's loss.
"""

from __future__ import annotations

import asyncio
import random
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from lab.load.books import Books
from lab.load.faults import HOT_RECORDS_PER_SECOND, LOOK_SECONDS, Orders
from lab.load.records import encode
from lab.load.topics import TOPICS, Topic

_UNACKNOWLEDGED_MAX = 1_000
_METADATA_SECONDS = 5
_FLUSH_SECONDS_MAX = 60.0
_AGAIN_SECONDS = 1.0
_CUSTOMERS = 500
_HOT_KEY = b"customer-hot"


class Traffic:
    """Sends until told to stop; `unacknowledged` falls to 0 once everything is settled."""

    def __init__(self, *, bootstrap: str, books: Books, orders: Orders) -> None:
        self._bootstrap = bootstrap
        self._orders = orders
        self._books = books
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self.unacknowledged = 0

    async def run(self) -> None:
        """Send until cancelled, through as many producers as it takes."""
        while True:
            try:
                await self._run_one_producer()
            except (KafkaError, OSError, TimeoutError) as reason:
                self._books.went_wrong(doing="producing", reason=reason)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _run_one_producer(self) -> None:
        self._broken.clear()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=200,
            # New partitions of a topic are used within seconds, not after Kafka's five minutes.
            metadata_max_age_ms=_METADATA_SECONDS * 1000,
        )
        senders: list[asyncio.Task[None]] = []
        try:
            await producer.start()
            senders = [asyncio.create_task(self._feed(producer, topic)) for topic in TOPICS]
            senders.append(asyncio.create_task(self._feed_hot_key(producer)))
            await self._broken.wait()
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
            await _close(producer)

    async def _feed(self, producer: AIOKafkaProducer, topic: Topic) -> None:
        """One topic's records, evenly in time but for a little chance."""
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) / topic.records_per_second)
            await self._send(producer, topic, key=_key())

    async def _feed_hot_key(self, producer: AIOKafkaProducer) -> None:
        """One customer who orders more than all others, while the orders say so."""
        topics = {topic.name: topic for topic in TOPICS}
        while True:
            hot = topics.get(self._orders.now().hot_topic)
            if hot is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            await asyncio.sleep(1 / HOT_RECORDS_PER_SECOND)
            await self._send(producer, hot, key=_HOT_KEY)

    async def _send(self, producer: AIOKafkaProducer, topic: Topic, *, key: bytes) -> None:
        if self.unacknowledged >= _UNACKNOWLEDGED_MAX:
            return
        sequence = self._books.tallies[topic.name].next_sequence()
        size_bytes = random.randint(topic.record_bytes // 2, topic.record_bytes * 3 // 2)
        value = encode(run_id=self._books.run_id, sequence=sequence, size_bytes=size_bytes)
        try:
            settled = await producer.send(topic.name, value, key=key)
        except KafkaError as reason:
            self._failed(topic, reason)
            return
        self._follow(settled, topic=topic, sequence=sequence)

    def _follow(self, settled: asyncio.Future[object], *, topic: Topic, sequence: int) -> None:
        started = time.monotonic()
        self.unacknowledged += 1

        def note(done: asyncio.Future[object]) -> None:
            self.unacknowledged -= 1
            if done.cancelled():
                return
            reason = done.exception()
            if reason is None:
                seconds = time.monotonic() - started
                self._books.acknowledged(topic=topic.name, sequence=sequence, seconds=seconds)
            else:
                self._failed(topic, reason)

        settled.add_done_callback(note)

    def _failed(self, topic: Topic, reason: BaseException) -> None:
        self._books.went_wrong(doing=f"producing to {topic.name}", reason=reason)
        self._broken.set()


def _key() -> bytes:
    """Some customers order far more than others."""
    return f"customer-{int(random.betavariate(1, 3) * _CUSTOMERS)}".encode()


async def _close(producer: AIOKafkaProducer) -> None:
    """Let it deliver what it holds, but not wait for ever on a partition without a leader."""
    try:
        await asyncio.wait_for(producer.stop(), _FLUSH_SECONDS_MAX)
    except (KafkaError, TimeoutError):
        return
