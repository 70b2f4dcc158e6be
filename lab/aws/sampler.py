"""The measuring hand: every period it reads each living broker and writes what it saw.

Samples stand on multiples of the period, so that each falls into a bucket of its own. What could
not be read is left out; only controller metrics are zero by design, as every broker on AWS sends
them and all but the controller send 0.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

import aiohttp

from lab.aws.beat import ended, every
from lab.aws.disk import used_bytes, user_partition_exists
from lab.aws.jolokia import (
    CONTROLLER_GAUGES,
    BrokerReading,
    NotReadable,
    read_broker,
    read_controller,
)
from lab.aws.processes import CpuMeter
from lab.aws.series import SeriesStore, metric
from lab.fleet import Fleet, LabBroker

log = logging.getLogger(__name__)

NAMESPACE = "AWS/Kafka"
CLUSTER = "Cluster Name"
BROKER = "Broker ID"
READ_SECONDS_MAX = 4.0


class Rates:
    """Counters into rates: the growth since the last reading of the same process."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], tuple[float, Mapping[str, float]]] = {}

    def of(
        self, *, broker_id: int, pid: int, at: float, counters: Mapping[str, float]
    ) -> dict[str, float]:
        """Growth per second; nothing on the first reading and for a counter that went back."""
        last = self._last.get((broker_id, pid))
        self._last = {key: kept for key, kept in self._last.items() if key[0] != broker_id}
        self._last[broker_id, pid] = (at, counters)
        if last is None or at <= last[0]:
            return {}
        seconds = at - last[0]
        return {
            name: (count - last[1][name]) / seconds
            for name, count in counters.items()
            if count >= last[1].get(name, float("inf"))
        }


class Sampler:
    """Reads the fleet in the background until closed."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        series: SeriesStore,
        cluster_name: str,
        period_seconds: int,
        volume_bytes: int,
        controller_jolokia_port: int | None,
    ) -> None:
        self._fleet = fleet
        self._series = series
        self._cluster_name = cluster_name
        self._period = period_seconds
        self._volume_bytes = volume_bytes
        self._controller_port = controller_jolokia_port
        self._timeout = min(0.8 * period_seconds, READ_SECONDS_MAX)
        self._cpu = CpuMeter()
        self._rates = Rates()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await ended(self._task)

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as session:
            await every(self._period, lambda stamp: self.sample(session, stamp=stamp))

    async def sample(self, session: aiohttp.ClientSession, *, stamp: float) -> None:
        """One look at everything; all its points carry the same stamp."""
        living = [broker for broker in self._fleet.brokers() if broker.alive]
        self._cpu.forget_except({broker.pid for broker in living if broker.pid is not None})
        await asyncio.gather(
            self._sample_controller(session, living, stamp=stamp),
            *(self._sample_broker(session, broker, stamp=stamp) for broker in living),
        )
        self._series.forget_silent(now=stamp)

    async def _sample_broker(
        self, session: aiohttp.ClientSession, broker: LabBroker, *, stamp: float
    ) -> None:
        values = await asyncio.to_thread(self._disk, broker)
        if broker.pid is not None:
            values |= self._cpu.percentages(pid=broker.pid, at=time.monotonic())
        reading = await self._read(session, broker)
        if reading is not None:
            values |= reading.gauges
            values |= self._rates.of(
                broker_id=broker.broker_id,
                pid=broker.pid or 0,
                at=time.monotonic(),
                counters=reading.counters,
            )
        for name, value in values.items():
            self._write(name, value, stamp=stamp, broker_id=broker.broker_id)
        self._write("KafkaDataLogsDiskUsed", values["KafkaDataLogsDiskUsed"], stamp=stamp)

    def _disk(self, broker: LabBroker) -> dict[str, float]:
        return {
            "KafkaDataLogsDiskUsed": 100.0 * used_bytes(broker.log_dir) / self._volume_bytes,
            "UserPartitionExists": float(user_partition_exists(broker.log_dir)),
        }

    async def _read(
        self, session: aiohttp.ClientSession, broker: LabBroker
    ) -> BrokerReading | None:
        try:
            return await read_broker(
                session,
                host=broker.host,
                port=broker.jolokia_port,
                timeout_seconds=self._timeout,
            )
        except NotReadable as mistake:
            log.info("broker %d leaves a gap: %s", broker.broker_id, mistake)
            return None

    async def _sample_controller(
        self, session: aiohttp.ClientSession, living: list[LabBroker], *, stamp: float
    ) -> None:
        if self._controller_port is None or not living:
            return
        try:
            values = await read_controller(
                session,
                host=living[0].host,
                port=self._controller_port,
                timeout_seconds=self._timeout,
            )
        except NotReadable as mistake:
            log.info("the controller leaves a gap: %s", mistake)
            return
        for bean in CONTROLLER_GAUGES:
            for value in (values.get(bean.metric, 0.0), *(0.0 for _ in living)):
                self._write(bean.metric, value, stamp=stamp)

    def _write(
        self, name: str, value: float, *, stamp: float, broker_id: int | None = None
    ) -> None:
        dimensions = {CLUSTER: self._cluster_name}
        if broker_id is not None:
            dimensions[BROKER] = str(broker_id)
        self._series.add(metric(NAMESPACE, name, dimensions), at=stamp, value=value)
