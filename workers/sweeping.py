"""Throttles that ended changes left on a cluster: found by what the ledger remembers, and taken away.

Nothing is touched while a change is at work or any partition moves. The surprising truth: a change
that starts in the very same moment loses nothing by it, since it looks after its throttles on every
look (`changes.steps_replicas`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from changes.leftovers import Leftovers, left_by, throttled, touched
from changes.ports import Unreachable, World
from changes.request import Request
from ledger import Audit, Conflict
from workers.runtime import Runtime

log = logging.getLogger(__name__)

ENDED_WITHIN = timedelta(days=7)
"""A late effect comes within minutes; a broker that was away comes back within days."""
REQUESTS_MAX = 50
TRIES = 3


async def swept(own: Runtime, name: str) -> str:
    """One look at one cluster; what was found, in words."""
    cluster = own.policies.clusters.get(name)
    if cluster is None:
        return f"{name} does not stand in clusters.yaml"
    ended = lately_ended(own, name)
    if not ended:
        return "no change has set a throttle lately"
    if own.ledger.at_work(name):
        return "a change is at work"
    try:
        async with own.open_world(cluster=cluster, now=own.clock()) as world:
            return await sweep_world(own, world, ended)
    except Unreachable as away:
        log.warning("throttles left on %s could not be looked for: %s", name, away)
        return f"could not be looked at: {away}"


def lately_ended(own: Runtime, name: str) -> tuple[Request, ...]:
    """Ended requests of this cluster that had set a throttle, newest first."""
    since = own.clock() - ENDED_WITHIN
    found = own.ledger.requests(cluster=name, limit=REQUESTS_MAX)
    return tuple(r for r in found if r.state.ended and throttled(r) and r.updated_at >= since)


async def sweep_world(own: Runtime, world: World, ended: Sequence[Request]) -> str:
    if await world.kafka.reassignments():
        return "partitions are moving"
    known = frozenset(b.broker_id for b in await world.kafka.brokers())
    there = frozenset(p.topic for p in await world.kafka.partitions())
    found: list[str] = []
    for request in ended:
        topics, brokers = touched(request)
        present = await world.kafka.throttles(
            topics=sorted(topics & there), broker_ids=sorted(brokers & known)
        )
        left = left_by(request, present)
        if left.words and not own.ledger.at_work(request.cluster):
            await take_away(world, left)
            tell(own, request, left)
            found.append(f"{request.id}: {left.words}")
    return "; ".join(found) or "nothing is left behind"


async def take_away(world: World, left: Leftovers) -> None:
    if left.lists:
        await world.kafka.change_throttled_replicas(add={}, remove=left.lists)
    if left.rates:
        await world.kafka.set_broker_rates(rates=left.rates)


def tell(own: Runtime, request: Request, left: Leftovers) -> None:
    """In the request's own thread and in the audit: something was done to a cluster in its name."""
    text = f"Left behind by {request.id} and taken away now: {left.words}"
    log.warning("%s: %s", request.cluster, text)
    for _ in range(TRIES):
        stored = own.ledger.load(request.id)
        if stored is None:
            return
        said = stored.said(now=own.clock(), text=text, calls="requester")
        try:
            own.ledger.save(said, audit=Audit(actor="worker", event="swept", words=text))
            return
        except Conflict:
            continue
    log.error("%s could not be told in its thread: it was saved by others each time", request.id)
