"""Stands between Kafka's clients and brokers, and counts what passes, by request and version.

The surprising truth: it need not understand what it rewrites. Brokers tell clients where the others are
(Metadata, FindCoordinator, DescribeCluster) as host, then port in four bytes; the proxies sit on the
same host, so another port is put in its place, whatever the version. Without TLS and SASL only.

In a process of its own (`python -m bench.kafka_proxy 1=HOST:PORT …`) it prints where it listens, then
answers each line on its input with the counts since the last: the CPU of who is measured stays theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import click

METADATA, FIND_COORDINATOR, API_VERSIONS, DESCRIBE_CLUSTER = 3, 10, 18, 60
NAMING_BROKERS = frozenset({METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER})
NAMES = {
    2: "ListOffsets",
    3: "Metadata",
    8: "OffsetCommit",
    9: "OffsetFetch",
    10: "FindCoordinator",
    15: "DescribeGroups",
    16: "ListGroups",
    18: "ApiVersions",
    35: "DescribeLogDirs",
    60: "DescribeCluster",
    69: "ConsumerGroupDescribe",
}
_HEADER = struct.Struct(">hhi")
_SIZE = struct.Struct(">i")
_VERSIONS = struct.Struct(">hhh")

Address = tuple[str, int]
Waiting = deque[tuple[int, int]]
"""Api key and version of requests without an answer yet; brokers answer in order."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One request that passed."""

    broker_id: int
    api_key: int
    version: int


@dataclass
class Proxies:
    """One proxy for each broker of `brokers`."""

    brokers: Mapping[int, Address]
    version_max: dict[int, int] = field(default_factory=dict)
    """By api key, what brokers are made to say that they speak at most; only to clients that ask
    with ApiVersions 0, as aiokafka's connections do."""
    round_trip_seconds: float = 0.0
    """Added to each answer."""
    silent: set[int] = field(default_factory=set)
    """Brokers whose answers are swallowed."""
    passed: list[Passed] = field(default_factory=list)
    """Every request, in order."""
    answer_bytes_max: int = 0
    open: Counter[int] = field(default_factory=Counter)
    """Connections that are open, by broker."""
    dialled: Counter[int] = field(default_factory=Counter)
    """Connections ever made, by broker."""
    in_flight_max: int = 0
    """Most requests that waited on one connection at a time."""
    addresses: dict[int, Address] = field(default_factory=dict)
    """Where each broker's proxy listens."""

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{host}:{port}" for host, port in self.addresses.values())

    def forget(self) -> None:
        """Count from here on."""
        self.passed.clear()
        self.answer_bytes_max = self.in_flight_max = 0

    def counts(self) -> Counter[str]:
        """Requests by name, without ApiVersions: that is what a connection costs."""
        return Counter(
            NAMES.get(one.api_key, f"api {one.api_key}")
            for one in self.passed
            if one.api_key != API_VERSIONS
        )

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxies]:
        async with contextlib.AsyncExitStack() as stack:
            for broker_id, (host, port) in self.brokers.items():
                listener = _Listener(self, broker_id, host, port)
                server = await asyncio.start_server(listener.accept, host, 0)
                stack.push_async_callback(listener.close, server)
                self.addresses[broker_id] = server.sockets[0].getsockname()[:2]
            yield self

    def elsewhere(self, frame: bytes) -> bytes:
        """Brokers' addresses in an answer, replaced by those of their proxies."""
        for broker_id, address in self.brokers.items():
            frame = frame.replace(_as_told(address), _as_told(self.addresses[broker_id]))
        return frame

    def older(self, frame: bytes) -> bytes:
        """ApiVersions 0: correlation id, error, then key, lowest and highest version of each."""
        found = bytearray(frame)
        for at in range(_HEADER.size + 2, len(found), _VERSIONS.size):
            key, lowest, highest = _VERSIONS.unpack_from(found, at)
            highest = min(highest, self.version_max.get(key, highest))
            _VERSIONS.pack_into(found, at, key, lowest, highest)
        return bytes(found)


class _Listener:
    """One broker's proxy."""

    def __init__(self, proxies: Proxies, broker_id: int, host: str, port: int) -> None:
        self._proxies = proxies
        self._broker_id = broker_id
        self._address = (host, port)
        self._running: set[asyncio.Task[None]] = set()

    async def close(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Until either side hangs up; then both have."""
        self._proxies.open[self._broker_id] += 1
        self._proxies.dialled[self._broker_id] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with contextlib.AsyncExitStack() as stack:
                stack.callback(back.close)
                broker, forth = await asyncio.open_connection(*self._address)
                stack.callback(forth.close)
                waiting: Waiting = deque()
                pumps = (self._ask(client, forth, waiting), self._answer(broker, back, waiting))
                tasks = [asyncio.create_task(pump) for pump in pumps]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        self._proxies.open[self._broker_id] -= 1

    async def _ask(
        self, client: asyncio.StreamReader, forth: asyncio.StreamWriter, waiting: Waiting
    ) -> None:
        while True:
            frame = await _frame(client)
            api_key, version, _ = _HEADER.unpack_from(frame)
            waiting.append((api_key, version))
            self._proxies.passed.append(Passed(self._broker_id, api_key, version))
            self._proxies.in_flight_max = max(self._proxies.in_flight_max, len(waiting))
            _put(forth, frame)

    async def _answer(
        self, broker: asyncio.StreamReader, back: asyncio.StreamWriter, waiting: Waiting
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            frame = await _frame(broker)
            api_key, version = waiting.popleft()
            self._proxies.answer_bytes_max = max(self._proxies.answer_bytes_max, len(frame))
            if api_key in NAMING_BROKERS:
                frame = self._proxies.elsewhere(frame)
            elif api_key == API_VERSIONS and version == 0:
                frame = self._proxies.older(frame)
            if self._broker_id not in self._proxies.silent:
                loop.call_later(self._proxies.round_trip_seconds, _put, back, frame)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    return await reader.readexactly(size)


def _put(writer: asyncio.StreamWriter, frame: bytes) -> None:
    if not writer.is_closing():
        writer.write(_SIZE.pack(len(frame)) + frame)


def _as_told(address: Address) -> bytes:
    host, port = address
    return host.encode() + _SIZE.pack(port)


async def _main(arguments: list[str]) -> None:
    brokers = {}
    for argument in arguments:
        broker_id, _, address = argument.partition("=")
        host, _, port = address.rpartition(":")
        brokers[int(broker_id)] = (host, int(port))
    loop = asyncio.get_running_loop()
    async with Proxies(brokers).listening() as proxies:
        click.echo(proxies.bootstrap)
        while await loop.run_in_executor(None, sys.stdin.readline):
            said = {"counts": proxies.counts(), "answer_bytes_max": proxies.answer_bytes_max}
            click.echo(json.dumps(said))
            proxies.forget()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
