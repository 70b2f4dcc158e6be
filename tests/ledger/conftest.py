"""A ledger on a real, empty Redis, and requests to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from redis import Redis

from changes.request import Request
from ledger import Ledger, connect
from tests.ledger.toys import NOW, PERSON, PolishBrokers
from tests.redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]


class Opens(Protocol):
    def __call__(self, *, cluster: str = ..., because: str = ...) -> Request: ...


@pytest.fixture
def ledger(redis_url: str) -> Iterator[Ledger]:
    ledger = connect(redis_url)
    yield ledger
    ledger.close()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """Beside the ledger: to look at what is really stored, or to spoil it."""
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def opens(ledger: Ledger) -> Opens:
    """Open a request; each has another reason, so none counts as the same wish again."""
    asked = iter(range(1_000_000))

    def open_one(*, cluster: str = "orders", because: str = "") -> Request:
        return ledger.open_request(
            change=PolishBrokers(cluster=cluster, times=3),
            requester=PERSON,
            channel="C-KAFKA",
            asked_in="C-KAFKA",
            because=because or f"reason {next(asked)}",
            now=NOW,
        )

    return open_one
