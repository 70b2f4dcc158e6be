"""CloudWatch snapshots of a running change: before, midway, after.

A picture that cannot be had never stops a change: the thread says why there is none. The surprising
truth: the first one is drawn when the first thing has been asked for already, so that nobody's click
waits for a drawing. It still shows the time before: it ends at the start, and its figures are those
that were read right before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from changes.ports import Unreachable
from changes.progress import LOADS_BEFORE, pictured, running
from changes.request import Request
from changes.steps_validate import loads_in_words
from workers.desk import Tick

LEAD_PERIODS = 12
"""Datapoints from before the change that a picture shows, so that there is something to compare."""
METRIC = "KafkaDataLogsDiskUsed"
START_MARK = "start"


class Window(NamedTuple):
    """The time a picture shows, and what is marked in it."""

    start: datetime
    end: datetime
    marks: tuple[tuple[datetime, str], ...]


def take_picture(moment: str) -> Callable[[Tick, Request], Awaitable[Request]]:
    async def take(tick: Tick, request: Request) -> Request:
        title = f"{request.cluster}: disk used per broker, {moment}"
        text, key = await draw(tick, request, title, moment)
        after = pictured(request, moment=moment, text=text, key=key, title=title, now=tick.now)
        return tick.save(request, after, due_seconds=tick.poll_seconds(request))

    return take


async def draw(tick: Tick, request: Request, title: str, moment: str) -> tuple[str, str]:
    """The line that says what is shown, and the key of the kept picture (empty without one)."""
    shown = window(tick, request, moment)
    try:
        ids = sorted(broker.broker_id for broker in await tick.world.kafka.brokers())
        line = f"{moment.capitalize()}: {await figures(tick, request, ids, moment)}"
        content = await tick.world.metrics.picture(
            title=title,
            metrics=[METRIC],
            broker_ids=ids,
            start=shown.start,
            end=shown.end,
            marks=shown.marks,
        )
    except Unreachable as away:
        return f"{moment.capitalize()}: no picture, {away}", ""
    key = await asyncio.to_thread(tick.runtime.ledger.keep_picture, content=content)
    return line, key


def window(tick: Tick, request: Request, moment: str) -> Window:
    """From some datapoints before the start until now; the first picture ends at the start."""
    progress = running(request)
    start = progress.started_at - lead(tick, request)
    if moment == "before":
        return Window(start, progress.started_at, ((progress.started_at, START_MARK),))
    return Window(start, tick.now, progress.marks)


async def figures(tick: Tick, request: Request, broker_ids: Sequence[int], moment: str) -> str:
    """The brokers' loads in words: before the start as they were read then, else as they are."""
    before = running(request).memory.get(LOADS_BEFORE)
    if moment == "before" and isinstance(before, str):
        return before
    return loads_in_words(await tick.world.metrics.loads(broker_ids=broker_ids))


def lead(tick: Tick, request: Request) -> timedelta:
    period = tick.runtime.policies.clusters[request.cluster].metrics_period_seconds
    return timedelta(seconds=LEAD_PERIODS * period)
