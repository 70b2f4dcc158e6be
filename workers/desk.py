"""Where one tick of one request is written down: ledger, lease, moment, and the cluster's ports.

The surprising truth: somebody may write a line into the thread while a tick has its effect. What came
of the effect is then saved on top of that line; any other change by somebody else is a `Conflict`,
and the next look at the cluster finds out what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from changes.ports import World
from changes.progress import running, stuck
from changes.request import Request
from ledger import Audit, Conflict, Fence, Work
from workers.lagging import lag_for
from workers.runtime import Runtime

PAUSED_POLLS = 3
NOTES_MAX = 5
"""Lines that may come in between, one after another, before the tick decides again."""


@dataclass(frozen=True)
class Desk:
    """Ledger, lease and moment of one tick."""

    runtime: Runtime
    fence: Fence
    now: datetime

    def save(self, before: Request, after: Request, *, due_seconds: float | None) -> Request:
        """Save what became of the request; a change of state is what the audit records."""
        for _ in range(NOTES_MAX):
            try:
                return self._save(before, after, due_seconds=due_seconds)
            except Conflict:
                stored = self.runtime.ledger.load(after.id)
                if stored is None or not only_noted(before, stored):
                    raise
                before, after = stored, on_top_of(stored, before, after)
        raise Conflict(f"{after.id} gets one line after another; nothing was saved.")

    def poll_seconds(self, request: Request) -> float:
        """Slower while paused: nothing is decided then, only what is in flight is shown."""
        poll = self.runtime.policies.limits(request.cluster).poll_seconds
        return poll if request.paused_by is None else poll * PAUSED_POLLS

    def _save(self, before: Request, after: Request, *, due_seconds: float | None) -> Request:
        audit = None
        if after.state is not before.state:
            words = after.log[-1].text if after.log else after.state.value
            audit = Audit(actor="worker", event=after.state.value, words=words)
        due = None if due_seconds is None else self.now + timedelta(seconds=due_seconds)
        return self.runtime.ledger.save(
            after,
            audit=audit,
            due_at=None if after.state.ended else due,
            work=self._own_next(after, due_seconds) or self._next_in_line(after),
            fence=self.fence,
        )

    def _own_next(self, after: Request, due_seconds: float | None) -> tuple[Work, ...]:
        """What is due at once is queued at once: the ticker would cost half a beat each time."""
        at_once = due_seconds == 0 and not after.state.ended
        return (Work(job="tick", request_id=after.id),) if at_once else ()

    def _next_in_line(self, after: Request) -> tuple[Work, ...]:
        """When a request leaves the line, the one behind it gets its turn at once."""
        if not after.state.ended:
            return ()
        waiting = [i for i in self.runtime.ledger.line(after.cluster) if i != after.id]
        return tuple(Work(job="tick", request_id=i) for i in waiting[:1])


@dataclass(frozen=True)
class Tick(Desk):
    """A desk with the cluster's ports open."""

    world: World


def only_noted(before: Request, stored: Request) -> bool:
    """Was nothing saved since `before` but lines at the end of the thread?"""
    if stored.version == before.version or stored.log[: len(before.log)] != before.log:
        return False
    same = {"version": before.version, "log": before.log, "updated_at": before.updated_at}
    return stored.with_(**same) == before


def on_top_of(stored: Request, before: Request, after: Request) -> Request:
    """What the tick made of the request, with its own lines after those that came in between."""
    return after.with_(log=(*stored.log, *after.log[len(before.log) :]), version=stored.version)


def world_of(tick: Tick, request: Request) -> World:
    """The cluster as a step sees it: with what this run remembers, and when the step began."""
    progress = running(request)
    return World(
        cluster=tick.world.cluster,
        msk=tick.world.msk,
        kafka=tick.world.kafka,
        metrics=tick.world.metrics,
        now=tick.now,
        memory=progress.memory,
        since=progress.step_started_at,
        paused=request.paused_by is not None or stuck(request),
        quiet_since=progress.quiet_since,
        lag=lag_for(tick.runtime.ledger, request),
    )
