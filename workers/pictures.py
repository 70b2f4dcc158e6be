"""CloudWatch snapshots of a running change: before, midway, after.

A picture that cannot be had never stops a change: the thread says why there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from changes.ports import Unreachable
from changes.progress import pictured, running
from changes.request import Request
from changes.steps_validate import loads_in_words

if TYPE_CHECKING:
    from workers.ticks import Tick

LEAD_PERIODS = 12
"""Datapoints from before the change that a picture shows, so that there is something to compare."""
METRIC = "KafkaDataLogsDiskUsed"


def take_picture(moment: str) -> Callable[[Tick, Request], Awaitable[Request]]:
    async def take(tick: Tick, request: Request) -> Request:
        title = f"{request.cluster}: disk used per broker, {moment}"
        text, key = await draw(tick, request, title, moment)
        after = pictured(request, moment=moment, text=text, key=key, title=title, now=tick.now)
        return tick.save(request, after, due_seconds=0)

    return take


async def draw(tick: Tick, request: Request, title: str, moment: str) -> tuple[str, str]:
    """The line that says what is shown, and the key of the kept picture (empty without one)."""
    try:
        ids = sorted(broker.broker_id for broker in await tick.world.kafka.brokers())
        loads = await tick.world.metrics.loads(broker_ids=ids)
        line = f"{moment.capitalize()}: {loads_in_words(loads)}"
        content = await tick.world.metrics.picture(
            title=title,
            metrics=[METRIC],
            broker_ids=ids,
            start=running(request).started_at - lead(tick, request),
            end=tick.now,
            marks=running(request).marks,
        )
    except Unreachable as away:
        return f"{moment.capitalize()}: no picture, {away}", ""
    key = await asyncio.to_thread(tick.runtime.ledger.keep_picture, content=content)
    return line, key


def lead(tick: Tick, request: Request) -> timedelta:
    period = tick.runtime.policies.clusters[request.cluster].metrics_period_seconds
    return timedelta(seconds=LEAD_PERIODS * period)
