"""Long-lived connections to the brokers of one cluster: at most two each, made when they are needed.

The surprising truth: aiokafka's own client dials one broker at a time behind one lock, and asks for
metadata by itself whenever a connection breaks. With one silent broker all others wait, and nobody can
say how many requests a scan takes. Its *connections* have neither fault, so only they are used here.

No storms: a broker that cannot be reached is left in peace, twice as long after each failure. A dial
goes on when the asker has stopped waiting, so that a slow login is ready for the next one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import partial
from time import monotonic
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaError, NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.metadata import MetadataRequest

from changes.ports import Unreachable

log = logging.getLogger(__name__)

DIAL_SECONDS_MAX = 8.0
ANSWER_SECONDS_MAX = 8.0
QUIET_SECONDS_MIN, QUIET_SECONDS_MAX = 0.5, 15.0
"""How long a broker is left in peace after a dial that failed; doubled each time, spread by a tenth."""
IDLE_MS_MAX = 540_000
"""Below the ten minutes after which brokers hang up."""


class Lane(Enum):
    """A connection answers in order, so what must be quick does not queue behind what may be slow."""

    DEFAULT = "default"
    COORDINATOR = "coordinator"


class Links:
    """`addresses` finds the bootstrap addresses, asked when no broker is known; `security` is what
    aiokafka is told about TLS and SASL; `name` is the cluster's, for sentences.

    It stands in for aiokafka's client where `Wire` wants one: `cluster`, `bootstrap` and `send`.
    """

    def __init__(
        self,
        *,
        addresses: Callable[[], Awaitable[str]],
        name: str,
        security: Mapping[str, Any],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.cluster = ClusterMetadata(metadata_max_age_ms=3_600_000)
        """What metadata says of brokers; whoever reads metadata updates it."""
        self._addresses = addresses
        self._name = name
        self._dial = partial(
            create_conn,
            client_id="ottla",
            request_timeout_ms=int(DIAL_SECONDS_MAX * 1000),
            max_idle_ms=IDLE_MS_MAX,
            **security,
        )
        self._clock = clock
        self._open: dict[tuple[int, Lane], AIOKafkaConnection] = {}
        self._dialling: dict[tuple[int, Lane], asyncio.Task[AIOKafkaConnection]] = {}
        self._learning: asyncio.Task[Any] | None = None
        self._quiet: dict[int, tuple[float, float, str]] = {}
        """By broker: until when, for how long, and why."""

    def broker_ids(self) -> tuple[int, ...]:
        return tuple(sorted(broker.nodeId for broker in self.cluster.brokers()))

    async def send(
        self,
        broker_id: int,
        request: Any,
        *,
        lane: Lane = Lane.DEFAULT,
        seconds_max: float = ANSWER_SECONDS_MAX,
    ) -> Any:
        """One request, one answer, dial included in the time. After a time-out the connection is
        closed: whatever came next would queue behind the answer that did not come."""
        connection: AIOKafkaConnection | None = None
        try:
            async with asyncio.timeout(seconds_max):
                connection = await self._connected(broker_id, lane)
                return await connection.send(request)
        except TimeoutError as error:
            if connection is None:
                raise NodeNotReadyError(f"no connection within {seconds_max:g} s") from error
            connection.close()
            raise RequestTimedOutError(f"no answer within {seconds_max:g} s") from error

    async def bootstrap(self, *, seconds_max: float = 30.0) -> Any:
        """Learn the brokers from the first address that answers; its metadata, topics and all.
        `Unreachable` when none does. Who asks while somebody else does gets the same answer."""
        if self._learning is None:
            self._learning = asyncio.create_task(self._learn(seconds_max))
            self._learning.add_done_callback(self._learnt)
        return await asyncio.shield(self._learning)

    async def _learn(self, seconds_max: float) -> Any:
        addresses = await self._addresses()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                for host, port, _ in collect_hosts(addresses):
                    metadata = await self._metadata_of(host, port)
                    if metadata is not None and metadata.brokers:
                        self.cluster.update_metadata(metadata)
                        return metadata
        raise Unreachable(
            f"connecting to Kafka of {self._name}: none of {addresses} let us in; "
            "the log says why for each"
        )

    async def close(self) -> None:
        running: list[asyncio.Task[Any]] = [
            *self._dialling.values(),
            *([self._learning] if self._learning else []),
        ]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        closing = [one.close() for one in self._open.values()]
        self._open.clear()
        await asyncio.gather(*(one for one in closing if one is not None))

    def _learnt(self, task: asyncio.Task[Any]) -> None:
        self._learning = None
        _seen(task)

    async def _metadata_of(self, host: str, port: int) -> Any:
        try:
            connection = await self._dial(host, port)
        except (OSError, KafkaError, TimeoutError) as error:
            log.warning("no connection to %s:%s of %s: %r", host, port, self._name, error)
            return None
        try:
            return await connection.send(MetadataRequest(None))
        except (KafkaError, TimeoutError) as error:
            log.warning("no metadata from %s:%s of %s: %r", host, port, self._name, error)
            return None
        finally:
            await connection.close()

    async def _connected(self, broker_id: int, lane: Lane) -> AIOKafkaConnection:
        key = (broker_id, lane)
        present = self._open.get(key)
        if present is not None:
            if present.connected():
                return present
            del self._open[key]
            present.close()
        if key not in self._dialling:
            self._must_not_be_quiet(broker_id)
            task = asyncio.create_task(self._dialled(broker_id, lane))
            task.add_done_callback(_seen)
            self._dialling[key] = task
        return await asyncio.shield(self._dialling[key])

    async def _dialled(self, broker_id: int, lane: Lane) -> AIOKafkaConnection:
        try:
            broker = self.cluster.broker_metadata(broker_id)
            if broker is None:
                raise NodeNotReadyError("metadata does not name it any more")
            try:
                connection = await self._dial(broker.host, broker.port)
            except (OSError, KafkaError, TimeoutError) as error:
                self._failed(broker_id, error)
                raise NodeNotReadyError(self._quiet[broker_id][2]) from error
            if self._quiet.pop(broker_id, None):
                log.info("broker %s of %s is reached again", broker_id, self._name)
            self._open[broker_id, lane] = connection
            return connection
        finally:
            self._dialling.pop((broker_id, lane), None)

    def _failed(self, broker_id: int, error: BaseException) -> None:
        _, before, _ = self._quiet.get(broker_id, (0.0, 0.0, ""))
        if not before:
            log.warning("no connection to broker %s of %s: %r", broker_id, self._name, error)
        seconds = min(max(2 * before, QUIET_SECONDS_MIN), QUIET_SECONDS_MAX)
        until = self._clock() + seconds * random.uniform(0.9, 1.1)
        words = f"no connection to it: {str(error) or type(error).__name__}"
        self._quiet[broker_id] = (until, seconds, words)

    def _must_not_be_quiet(self, broker_id: int) -> None:
        until, _, words = self._quiet.get(broker_id, (0.0, 0.0, ""))
        if self._clock() < until:
            raise NodeNotReadyError(words)


def _seen(task: asyncio.Task[Any]) -> None:
    """A dial that failed after its asker had gone is in the log already; asyncio need not complain."""
    if not task.cancelled():
        task.exception()
