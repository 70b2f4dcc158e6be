"""`python -m lab.load`: the load as a process of its own, started by the lab.

The surprising truth: stopping is not ending. On the order to stop it sends nothing more but keeps
reading, so that "nothing missing" can be seen to come true.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

import click

from lab.load.books import Books
from lab.load.consumers import all_members, read_back
from lab.load.faults import Orders
from lab.load.preload import LoadFailed, create_topics, preload
from lab.load.producer import Traffic

_ROUND_SECONDS = 1.0


@click.command()
@click.option("--bootstrap", required=True, help="Kafka brokers, host:port,host:port.")
@click.option("--file", required=True, type=click.Path(path_type=Path), help="Where counts go.")
@click.option("--orders", required=True, type=click.Path(path_type=Path), help="File: run or stop.")
@click.option(
    "--faults", required=True, type=click.Path(path_type=Path), help="File: what goes wrong."
)
def main(bootstrap: str, file: Path, orders: Path, faults: Path) -> None:
    """Fill the lab's topics, then produce and read back, counting every record."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # aiokafka reports each lost connection and each rebalance as an error; the books keep those
    # that mattered.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_run(bootstrap=bootstrap, file=file, orders=orders, faults=Orders(faults)))
    except LoadFailed as reason:
        sys.exit(f"load: {reason}")


async def _run(*, bootstrap: str, file: Path, orders: Path, faults: Orders) -> None:
    books = Books()
    writer = asyncio.create_task(_write_rounds(books, file))
    try:
        await _fill(bootstrap=bootstrap, books=books)
        await _flow(bootstrap=bootstrap, books=books, orders=orders, faults=faults)
    finally:
        writer.cancel()
        books.write(file)


async def _fill(*, bootstrap: str, books: Books) -> None:
    books.phase = "creating topics"
    await create_topics(bootstrap=bootstrap)
    books.phase = "pre-loading"
    await preload(bootstrap=bootstrap, books=books)


async def _flow(*, bootstrap: str, books: Books, orders: Path, faults: Orders) -> None:
    readers = [
        asyncio.create_task(read_back(bootstrap=bootstrap, group=group, books=books, orders=faults))
        for group in all_members()
    ]
    traffic = Traffic(bootstrap=bootstrap, books=books, orders=faults)
    steering = asyncio.create_task(_steer(traffic, books=books, orders=orders))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, steering.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await steering
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        books.phase = "stopped"


async def _steer(traffic: Traffic, *, books: Books, orders: Path) -> None:
    """Obey the orders file: traffic flows unless it says stop."""
    flowing: asyncio.Task[None] | None = None
    try:
        while True:
            wanted = await asyncio.to_thread(_wanted, orders)
            if wanted and flowing is None:
                flowing = asyncio.create_task(traffic.run())
            elif not wanted and flowing is not None:
                books.phase = "draining"
                await _end(flowing)
                flowing = None
            books.phase = _phase(flows=flowing is not None, traffic=traffic, books=books)
            await asyncio.sleep(_ROUND_SECONDS)
    finally:
        if flowing is not None:
            await _end(flowing)


def _phase(*, flows: bool, traffic: Traffic, books: Books) -> str:
    if flows:
        return "running"
    return "drained" if traffic.unacknowledged == 0 and books.missing == 0 else "draining"


def _wanted(orders: Path) -> bool:
    try:
        return orders.read_text(encoding="utf-8").strip() != "stop"
    except OSError:
        return True


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _write_rounds(books: Books, file: Path) -> None:
    while True:
        books.write(file)
        await asyncio.sleep(_ROUND_SECONDS)


if __name__ == "__main__":
    main()
