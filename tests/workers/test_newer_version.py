"""A worker or ticker that meets an entry of a newer Ottla leaves it alone and serves the others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from ledger import keys
from ledger.replies import names
from tests.workers.conftest import Floor
from workers.ticker import beat

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


def from_the_future(floor: Floor, request_id: str) -> dict[Any, Any]:
    key = keys.request(request_id)
    floor.ledger._redis.hset(key, mapping={"format": "99", "state": "pondering", "body": b"?"})
    return dict(floor.ledger._redis.hgetall(key))


async def test_a_tick_leaves_it_as_it_is_and_says_so(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    newer = floor.ask(SIX)
    stored = from_the_future(floor, newer.id)
    with caplog.at_level(logging.ERROR):
        assert await floor.tick(newer) == "written by another version of Ottla"
    assert f"{newer.id} was written by another version of Ottla" in caplog.text
    assert floor.ledger._redis.hgetall(keys.request(newer.id)) == stored
    assert floor.ledger.claim(f"request:{newer.id}", seconds=5), "the lease was given back"


async def test_the_ticker_queues_the_others(floor: Floor) -> None:
    newer, other = floor.ask(SIX), floor.ask(SIX, because="another")
    from_the_future(floor, newer.id)
    floor.ledger._redis.delete("rq:queue:ottla")
    floor.clock.advance(60)
    beat(floor.ledger, reconcile=True, now=floor.clock())
    queued = names(floor.ledger._redis.lrange("rq:queue:ottla", 0, -1))
    assert any(other.id in job for job in queued)


async def test_one_at_the_head_of_a_line_keeps_its_place(floor: Floor) -> None:
    """It may be running in the newer version: whoever is behind it must not start."""
    newer, other = floor.ask(SIX), floor.ask(SIX.with_(brokers=9))
    for request in (newer, other):
        await floor.tick(request)
        floor.approve(request)
    from_the_future(floor, newer.id)
    for _ in range(5):
        await floor.tick(other)
        floor.cluster.advance(30)
    assert floor.now(other).state is State.QUEUED
    assert floor.cluster.count("update_broker_count") == 0


async def test_a_request_on_another_line_runs_to_its_end(floor: Floor) -> None:
    """The entry is of a cluster that this worker also serves."""
    elsewhere = floor.ask(SIX.with_(cluster="payments-lab"))
    other = floor.ask(SIX)
    from_the_future(floor, elsewhere.id)
    await floor.tick(other)
    floor.approve(other)
    assert (await floor.until_ended(other)).state is State.DONE
