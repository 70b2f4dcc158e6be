"""The names on the queue: prepare, tick, sweep. Ten lines each; the work is in `ticks`.

`prepare` and `tick` are one thing: what is to be done is decided from the stored request, never from
the name of the job. `sweep` is about a cluster and no request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from changes.ports import Unreachable
from changes.progress import Action, next_action
from changes.request import Request
from cluster.connect import BadAuth
from ledger import Conflict, Fence, LedgerUnavailable, UnreadableEntry
from workers.desk import Desk, Tick
from workers.runtime import CannotStart, Runtime, runtime
from workers.sweeping import swept
from workers.ticks import DO, carry_on, expired, unreachable

log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
"""A killed worker's lease ends by itself; then the next tick goes on (≤ 15 s with the ticker)."""
TICK_SECONDS_MAX = 35.0
"""Then a tick says that the cluster is silent. A call in a thread ends by itself in another 19 s
(`cluster.aws`), and before a minute is over the queue would end the job without a word."""
SWEEP_SECONDS = 60.0
"""As long as the queue lets a job live."""
TRIES = 2
"""A pause or abort that came in between is honoured at once, not when the next tick is due."""


async def prepare(request_id: str) -> str:
    return await run(runtime(), request_id)


async def tick(request_id: str) -> str:
    return await run(runtime(), request_id)


async def sweep(cluster: str) -> str:
    """Take away the throttles that ended changes left on a cluster, should there be any."""
    own = runtime()
    fence = own.ledger.claim(f"sweep:{cluster}", seconds=SWEEP_SECONDS)
    if fence is None:
        return "another worker has it"
    try:
        return await swept(own, cluster)
    finally:
        own.ledger.release(fence)


async def run(own: Runtime, request_id: str) -> str:
    """One tick under the request's lease; a second worker finds it taken and leaves."""
    fence = own.ledger.claim(f"request:{request_id}", seconds=LEASE_SECONDS)
    if fence is None:
        return "another worker has it"
    async with renewed(own, fence, request_id):
        for _ in range(TRIES):
            try:
                return await one_tick(own, fence, request_id)
            except Conflict as conflict:
                log.info("%s was saved by somebody else meanwhile: %s", request_id, conflict)
        return "saved by somebody else; the next tick decides again"


async def one_tick(own: Runtime, fence: Fence, request_id: str) -> str:
    try:
        request = own.ledger.load(request_id)
    except UnreadableEntry as unreadable:
        log.error("left alone: %s", unreadable)
        return "written by another version of Ottla"
    if request is None or request.state.ended:
        return "nothing to do"
    desk = Desk(runtime=own, fence=fence, now=own.clock())
    line = own.ledger.line(request.cluster)
    first = not line or line[0] == request.id
    action = next_action(request, now=desk.now, first_in_line=first)
    if action is Action.EXPIRE:
        expired(desk, request)
    elif action in DO:
        await carry_out(desk, request, action)
    return action.value


async def carry_out(desk: Desk, request: Request, action: Action) -> None:
    """Open the cluster for this tick and do the one thing; a silent cluster is no crash."""
    own = desk.runtime
    cluster = own.policies.clusters.get(request.cluster)
    if cluster is None:
        words = f"{request.cluster} does not stand in clusters.yaml any more"
        unreachable(desk, request, words)
        return
    try:
        async with (
            asyncio.timeout(TICK_SECONDS_MAX),
            own.open_world(cluster=cluster, now=desk.now) as world,
        ):
            tick = Tick(runtime=own, fence=desk.fence, now=desk.now, world=world)
            await carry_on(tick, request, action)
    except (Conflict, LedgerUnavailable, UnreadableEntry):
        raise
    except Exception as error:  # the edge of a tick: whatever it was, people read why nothing moves
        unreachable(desk, own.ledger.load(request.id) or request, in_words(error, request.cluster))


def in_words(error: Exception, cluster: str) -> str:
    """What is told of an error; one that nobody planned is in the worker's log with its trace."""
    if isinstance(error, (Unreachable, CannotStart, BadAuth)):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"{cluster} did not answer within {TICK_SECONDS_MAX:.0f} s"
    log.error("a tick failed", exc_info=error)
    return f"an error of Ottla's own ({type(error).__name__}); the worker's log tells more"


@contextlib.asynccontextmanager
async def renewed(own: Runtime, fence: Fence, request_id: str) -> AsyncIterator[None]:
    """Keep the lease while the tick lives, give it back when it ends."""
    beat = asyncio.create_task(keep_renewing(own, fence, request_id))
    try:
        yield
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
        own.ledger.release(fence)


async def keep_renewing(own: Runtime, fence: Fence, request_id: str) -> None:
    """The claim, and while it is ours what the change explains to the watch."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        with contextlib.suppress(LedgerUnavailable):  # there are two more beats before it runs out
            if await asyncio.to_thread(own.ledger.renew, fence):
                await asyncio.to_thread(own.ledger.renew_change_lease, request_id)
