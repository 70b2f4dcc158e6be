"""What a request explains to the watch, read off the request alone.

The surprising truth: a request that never started explains nothing, whatever its plan says.
"""

from __future__ import annotations

import re

from changes.change import Change
from changes.excuses import ChangeLease
from changes.lifecycle import State
from changes.moves import ReplicaMove
from changes.request import Request
from changes.steps_throttles import ReplicaStep, bound_ids

AT_WORK = frozenset({State.RUNNING, State.ROLLING_BACK})
SLOT = re.compile(r"<([a-z_]+)(?:\.\.\.)?>")


def explained_by(request: Request) -> ChangeLease | None:
    """None for one that never started, or whose change has no effects."""
    effects = type(request.change).effects
    at_work = request.state in AT_WORK
    if request.progress is None or not effects or not (at_work or request.state.ended):
        return None
    ids = bound_ids(request.progress.memory)
    moves = [move.bound(ids) for move in _moves(request) if move.adding]
    brokers = {b for move in moves for b in (*move.before, *move.after)} | set(ids.values())
    return ChangeLease(
        request_id=request.id,
        cluster=request.cluster,
        title=typed(request.change),
        effects=effects,
        broker_ids=tuple(sorted(b for b in brokers if b >= 0)),  # below zero: not known yet
        topics=tuple(sorted({move.topic for move in moves})),
        started_at=request.progress.started_at,
        ended_at=request.updated_at if request.state.ended else None,
    )


def typed(change: Change) -> str:
    """The change as its usage line has it, with what was asked for filled in."""
    return SLOT.sub(lambda found: _typed_field(change, found[1]), change.usage)


def _typed_field(change: Change, name: str) -> str:
    value = getattr(change, name)
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _moves(request: Request) -> list[ReplicaMove]:
    steps = request.plan.steps if request.plan else ()
    return [move for step in steps if isinstance(step, ReplicaStep) for move in step.moves]
