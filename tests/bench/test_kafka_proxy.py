"""The counting proxy: what passes is counted, other brokers' addresses lead to their proxies."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.kafka_proxy import API_VERSIONS, METADATA, Passed, Proxies

HOST = "127.0.0.1"


@asynccontextmanager
async def broker(answer: bytes) -> AsyncIterator[int]:
    """Answers every request with the same bytes after its correlation id."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                asked = await reader.readexactly(size)
                frame = asked[4:8] + answer
                writer.write(struct.pack(">i", len(frame)) + frame)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def asked(port: int, *requests: tuple[int, int]) -> list[bytes]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        for number, (key, version) in enumerate(requests):
            frame = struct.pack(">hhi", key, version, number)
            writer.write(struct.pack(">i", len(frame)) + frame)
        answers = []
        for _ in requests:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            answers.append(await reader.readexactly(size))
        return answers
    finally:
        writer.close()
        await writer.wait_closed()


async def test_requests_are_counted_and_connections_too() -> None:
    async with broker(b"x" * 10) as port, Proxies({7: (HOST, port)}).listening() as proxies:
        (address,) = proxies.addresses.values()
        answers = await asked(address[1], (16, 5), (9, 8), (9, 8), (API_VERSIONS, 3))
        assert answers[1] == struct.pack(">i", 1) + b"x" * 10
        assert proxies.counts() == {"ListGroups": 1, "OffsetFetch": 2}
        assert Passed(broker_id=7, api_key=9, version=8) in proxies.passed
        assert proxies.answer_bytes_max == 14
        assert proxies.dialled == {7: 1}
        proxies.forget()
        assert not proxies.counts()


async def test_addresses_in_metadata_are_the_proxies() -> None:
    def told(port: int) -> bytes:
        return b"\x0a" + HOST.encode() + struct.pack(">i", port) + b"rest"

    async with broker(b"") as other, Proxies({2: (HOST, other)}).listening() as proxies:
        pass
    async with broker(told(other)) as port:
        brokers = {1: (HOST, port), 2: (HOST, other)}
        async with Proxies(brokers).listening() as proxies:
            metadata, plain = await asked(proxies.addresses[1][1], (METADATA, 12), (9, 8))
            assert metadata[4:] == told(proxies.addresses[2][1])
            assert plain[4:] == told(other), "only answers that name brokers are touched"


async def test_brokers_can_be_made_older() -> None:
    entries = ((9, 1, 10), (16, 0, 5))
    answer = struct.pack(">hi", 0, 2) + b"".join(struct.pack(">hhh", *one) for one in entries)
    async with broker(answer) as port, Proxies({1: (HOST, port)}).listening() as proxies:
        proxies.version_max[9] = 7
        (found,) = await asked(proxies.addresses[1][1], (API_VERSIONS, 0))
        assert struct.unpack_from(">hhh", found, 10) == (9, 1, 7)
        assert struct.unpack_from(">hhh", found, 16) == (16, 0, 5)


async def test_a_silent_broker_takes_requests_and_answers_none() -> None:
    async with broker(b"x") as port, Proxies({1: (HOST, port)}, silent={1}).listening() as proxies:
        task = asyncio.create_task(asked(proxies.addresses[1][1], (9, 8)))
        done, _ = await asyncio.wait({task}, timeout=0.1)
        assert not done
        assert proxies.counts() == {"OffsetFetch": 1}
        task.cancel()
        await asyncio.wait({task})
