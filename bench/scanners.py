"""`python -m bench.scanners NAME BOOTSTRAP`: one client reads the lag of every group, again and again.

A scan for each line on its input; each answered with seconds, CPU seconds of this process and what was
read, as one line of JSON. One client, one process: imports and other clients are not in its figures.
What was read is counted when the clocks have stopped.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import click
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from bench.kafka_groups import linked
from cluster.lag_scan import LagScanner

Pairs = Iterable[tuple[int, int]]
"""Committed and end of each entry."""


class Client(ABC):
    """One way of reading the lag of all groups."""

    @abstractmethod
    async def open(self, bootstrap: str) -> None: ...

    @abstractmethod
    async def scan(self) -> tuple[Any, Any]:
        """Committed offsets by group, and ends."""

    @abstractmethod
    def pairs(self, committed: Any, ends: Any) -> Iterable[Pairs]:
        """What was read, group by group."""


class Ottla(Client):
    async def open(self, bootstrap: str) -> None:
        self._links = await linked(bootstrap).__aenter__()  # until the process ends
        self._scanner = LagScanner(links=self._links, cluster="bench")

    async def scan(self) -> tuple[Any, Any]:
        found = await self._scanner.scan()
        if found.blind_brokers or found.missing_groups or found.end_errors:
            raise RuntimeError(f"not everything was read: {found.blind_brokers}")
        return found.groups, found.ends

    def pairs(self, committed: Any, ends: Any) -> Iterable[Pairs]:
        for group in committed.values():
            yield [(one, ends[key]) for key, one in group.committed.items() if one >= 0]


class KafkaPython(Client):
    """Its admin client asks each coordinator once for all its groups; one broker after another."""

    async def open(self, bootstrap: str) -> None:
        with warnings.catch_warnings():
            # It reads its own message files in a manner that Python 3.11 deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            from kafka import KafkaAdminClient
            from kafka.protocol.consumer import OffsetSpec

        self._latest = OffsetSpec.LATEST
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    async def scan(self) -> tuple[Any, Any]:
        groups = [one["group_id"] for one in self._admin.list_groups()]
        committed = self._admin.list_group_offsets(dict.fromkeys(groups))
        wanted = {tp: self._latest for one in committed.values() for tp in one}
        return committed, self._admin.list_partition_offsets(wanted)

    def pairs(self, committed: Any, ends: Any) -> Iterable[Pairs]:
        for group in committed.values():
            yield [(one.offset, ends[tp].offset) for tp, one in group.items()]


class Aiokafka(Client):
    """Its admin client finds and asks the coordinator of each group by itself. It has no question
    for ends, so a consumer asks those."""

    async def open(self, bootstrap: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        await self._admin.start()
        await self._consumer.start()

    async def scan(self) -> tuple[Any, Any]:
        groups = [name for name, _ in await self._admin.list_consumer_groups()]
        committed = {name: await self._admin.list_consumer_group_offsets(name) for name in groups}
        partitions = {tp for one in committed.values() for tp in one}
        return committed, await self._consumer.end_offsets(partitions)

    def pairs(self, committed: Any, ends: Any) -> Iterable[Pairs]:
        for group in committed.values():
            yield [(one.offset, ends[tp]) for tp, one in group.items()]


CLIENTS: dict[str, type[Client]] = {
    "ottla": Ottla,
    "kafka-python": KafkaPython,
    "aiokafka": Aiokafka,
}


async def _main(name: str, bootstrap: str) -> None:
    client = CLIENTS[name]()
    await client.open(bootstrap)
    gc.collect()
    gc.freeze()  # as the watch does when it starts; every client gains by it alike
    click.echo(json.dumps({"ready": name}))
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        wall, cpu = time.perf_counter(), time.process_time()
        committed, ends = await client.scan()
        took = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        groups = [list(one) for one in client.pairs(committed, ends)]
        lag = sum(max(0, end - one) for group in groups for one, end in group)
        read = {"groups": len(groups), "entries": sum(map(len, groups)), "lag": lag}
        click.echo(json.dumps({**took, **read}))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
