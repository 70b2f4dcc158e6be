"""A ledger on a real, empty Redis, for two watch processes that share it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger import Ledger, connect
from tests.redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]


@pytest.fixture
def ledger(redis_url: str) -> Iterator[Ledger]:
    ledger = connect(redis_url)
    yield ledger
    ledger.close()
