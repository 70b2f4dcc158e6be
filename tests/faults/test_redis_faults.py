"""Redis dies and comes back from its file, refuses writes, answers late: nothing is lost or doubled.

The surprising truth of slowness: a transaction whose answer timed out may be carried out afterwards, by
a server that had only been paused. The version it wrote is what tells the next process.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.faults.judging import Ending, Row, judge, row
from tests.faults.life import Shop, lab_policies, live
from tests.faults.moments import Moments, Passed, When
from tests.faults.playing import carried_to_the_end, in_a_process, new_day, spread_over
from tests.redis_server import RedisServer

pytestmark = pytest.mark.fault
PAUSE_MILLISECONDS = 2500
"""Longer than the ledger's patience of 2 s."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One of its own, which writes to the disk before it answers."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder=folder) as found:
        yield found


@pytest.fixture
def shop(server: RedisServer, cluster_address: str, tmp_path: Path) -> Shop:
    rules = tmp_path / "policies"
    rules.mkdir()
    found = Shop(server.url, cluster_address, lab_policies(rules))
    new_day(found)
    return found


def strike(shop: Shop, at: int, when: When, how: Callable[[], None]) -> int:
    new_day(shop)
    return in_a_process(lambda: live(shop, Moments(at=at, when=when, strike=how)))


def test_killed_and_restarted_from_its_file(
    shop: Shop, server: RedisServer, faultless: tuple[list[Passed], Ending]
) -> None:
    passed, end = faultless
    with row("Redis killed −9, restarted from AOF") as told:
        for at, when in spread_over(passed, points=20):
            assert server.process is not None
            pid = server.process.pid
            strike(shop, at, when, lambda pid=pid: os.kill(pid, signal.SIGKILL))  # type: ignore[misc]  # bound now
            server.kill()
            server.start()
            carried_to_the_end(shop)
            told.note(f"{when} {passed[at].name} (effect {at})", judge(shop, faultless=end))


def test_refusing_writes(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    """As a primary does that has lost its replicas."""
    passed, end = faultless

    def replicas_wanted(count: int) -> None:
        with Redis.from_url(shop.redis_url) as redis:
            redis.config_set("min-replicas-to-write", count)

    with row("Redis refusing writes, then taking them again") as told:
        for at, when in spread_over(passed, points=20):
            strike(shop, at, when, lambda: replicas_wanted(1))
            replicas_wanted(0)
            carried_to_the_end(shop)
            told.note(f"{when} {passed[at].name} (effect {at})", judge(shop, faultless=end))


def pause(shop: Shop, milliseconds: int) -> None:
    with Redis.from_url(shop.redis_url) as redis:
        redis.client_pause(milliseconds, all=True)


def test_slow_beyond_patience(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    passed, end = faultless
    with row("Redis silent for 2.5 s") as told:
        for at, when in spread_over(passed, points=10):
            strike(shop, at, when, lambda: pause(shop, PAUSE_MILLISECONDS))
            time.sleep(PAUSE_MILLISECONDS / 1000)
            carried_to_the_end(shop)
            told.note(f"{when} {passed[at].name} (effect {at})", judge(shop, faultless=end))


def test_slow_beyond_the_lease(shop: Shop, faultless: tuple[list[Passed], Ending]) -> None:
    """The lease runs out while its holder waits; nobody is restarted, and it goes on by itself."""
    passed, end = faultless
    with row("Redis silent for longer than a lease") as told:
        for at, when in spread_over(passed, points=20):
            slowed(told, shop, at, when, f"{when} {passed[at].name} (effect {at})", end)


def slowed(told: Row, shop: Shop, at: int, when: When, name: str, end: Ending) -> None:
    assert strike(shop, at, when, lambda: pause(shop, 500)) == 0
    told.note(name, judge(shop, faultless=end))
