"""One call of a survey that fails is asked again; only what stays unread for a while is a reason to deny."""

from __future__ import annotations

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from tests.workers.conftest import Floor

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def test_a_throttled_reading_is_asked_again(floor: Floor) -> None:
    asked = floor.ask(SIX)
    floor.cluster.silent.add("nodes")
    await floor.tick(asked)
    assert floor.now(asked).state is State.PREPARING
    assert floor.ledger.due(floor.cluster.advance(2)) == (asked.id,)
    floor.cluster.silent.clear()
    await floor.tick(asked)
    assert floor.now(asked).state is State.AWAITING_APPROVAL


async def test_a_reading_that_never_comes_denies_and_is_named(floor: Floor) -> None:
    asked = floor.ask(SIX)
    floor.cluster.silent.add("nodes")
    await floor.tick(asked)
    floor.cluster.advance(21)
    await floor.tick(asked)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert denied.verdict is not None
    assert "nodes of orders-lab: no answer" in denied.verdict.reasons[0].message
