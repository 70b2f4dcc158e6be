"""Redis hands over to a replica: the address leads to another server, and old connections to a replica."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from changes.request import Request
from ledger import Ledger, LedgerUnavailable, connect, door
from tests.forwarding import Forwarding
from tests.ledger.toys import NOW, PERSON, PolishBrokers
from tests.redis_server import RedisServer

NUMBERS = count(1)
"""No two wishes are the same; else they would be one."""


@dataclass
class Pair:
    """A primary and its replica behind one address."""

    primary: RedisServer
    replica: RedisServer
    front: Forwarding

    def fails_over(self) -> None:
        with Redis.from_url(self.replica.url) as new, Redis.from_url(self.primary.url) as old:
            new.replicaof("NO", "ONE")
            self.front.behind = self.replica.port
            old.replicaof("127.0.0.1", self.replica.port)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with RedisServer(folders[0]) as primary, RedisServer(folders[1]) as replica:
        with Redis.from_url(replica.url) as second:
            second.replicaof("127.0.0.1", primary.port)
            while second.info("replication")["master_link_status"] != "up":
                pass
        with Forwarding(primary.port) as front:
            yield Pair(primary, replica, front)


def test_the_next_call_finds_the_new_primary(pair: Pair) -> None:
    ledger = connect(pair.front.url)
    first = ask(ledger)
    wait_for_the_replica(pair)
    pair.fails_over()
    with pytest.raises(LedgerUnavailable, match="is a replica and refuses writes"):
        ask(ledger)
    second = ask(ledger)
    assert ledger.load(first.id) is not None
    with Redis.from_url(pair.replica.url) as new:
        assert new.exists(f"ottla:request:{second.id}")
    ledger.close()


def test_who_waits_for_news_hears_it_from_either(pair: Pair) -> None:
    """Told that its server has become a replica, or reading from it as one; as the bot does, it asks again."""
    ledger, other = connect(pair.front.url), connect(pair.front.url)
    heard, away, stop = list[str](), list[str](), threading.Event()

    def follow() -> None:
        while not stop.is_set():
            try:
                for story_id in ledger.follow(stop=stop.is_set, timeout_seconds=30):
                    heard.append(story_id or "")
            except LedgerUnavailable as words:
                away.append(str(words))

    waiting = threading.Thread(target=follow, daemon=True)
    waiting.start()
    first = ask(other)
    until(lambda: first.id in heard)
    wait_for_the_replica(pair)
    pair.fails_over()
    with pytest.raises(LedgerUnavailable):
        ask(other)

    def asked_and_heard() -> bool:
        return ask(other).id in heard

    until(asked_and_heard)
    assert all("replica" in words or "does not answer" in words for words in away), away
    stop.set()
    waiting.join(10)


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(ledger: Ledger) -> Request:
    return ledger.open_request(
        change=PolishBrokers(cluster="orders", times=next(NUMBERS)),
        requester=PERSON,
        channel="C-KAFKA",
        asked_in="C-KAFKA",
        because="",
        now=NOW,
    )


def wait_for_the_replica(pair: Pair) -> None:
    with Redis.from_url(pair.primary.url) as primary:
        assert primary.wait(1, 5_000) == 1


def test_a_name_that_nobody_knows_is_told_from_a_server_that_is_down() -> None:
    ledger = connect("redis://:secret@redis.invalid:6379/0")
    with pytest.raises(
        LedgerUnavailable, match=r"redis\.invalid:6379 has a name that nobody knows"
    ):
        ledger.check()


def test_a_certificate_that_is_not_trusted_says_what_to_give() -> None:
    refused = RedisConnectionError("cannot connect")
    refused.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert "?ssl_ca_certs=/path" in door._why_unavailable(refused)


def test_a_warning_of_redis_is_one_line_a_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker's child opens a ledger of its own for every job."""
    with RedisServer(tmp_path, options=("--appendonly", "no")) as redis:
        for _ in range(3):
            connect(redis.url).check()
    assert sum("keeps no append-only file" in text for text in caplog.messages) == 1


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl"])
def test_a_redis_that_evicts_what_has_a_time_to_live_is_refused(
    tmp_path: Path, policy: str
) -> None:
    """Leases and mutes have one; managed Redis comes with such a policy."""
    options = ("--maxmemory", "100mb", "--maxmemory-policy", policy)
    refused = pytest.raises(LedgerUnavailable, match=f"maxmemory-policy {policy}")
    with RedisServer(tmp_path, options=options) as redis, refused:
        connect(redis.url).check()
