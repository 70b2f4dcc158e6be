"""Every state, event and move of a request; nothing else knows which state follows which.

The surprising truth: `failed` is only reached through `rolling_back`, so that throttles and running
reassignments are always cleaned up first, and `needs_attention` is for outcomes nobody can know yet.
What was stopped by a person ends *rolled back*, what broke by itself ends *failed*; both are cleaned
up the same way. A pause is no state: a paused request is still the one that runs on its cluster.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    PREPARING = "preparing"
    AWAITING_APPROVAL = "awaiting approval"
    QUEUED = "queued"
    RUNNING = "running"
    ROLLING_BACK = "rolling back"
    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DENIED = "denied"
    NEEDS_ATTENTION = "needs attention"

    @property
    def ended(self) -> bool:
        return self in ENDED


class Event(StrEnum):
    PREPARED_ALLOWED = "prepared: allowed"
    PREPARED_NEEDS_APPROVALS = "prepared: needs approvals"
    PREPARED_DENIED = "prepared: denied"
    QUORUM_REACHED = "quorum reached"
    VOTED_AGAINST = "voted against"
    VOTE_WITHDRAWN = "vote withdrawn"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    STARTED = "started"
    DRIFTED = "drifted"
    STEPS_FINISHED = "steps finished"
    STEP_BROKE = "step broke"
    ABORTED = "aborted"
    OUTCOME_UNKNOWN = "outcome unknown"
    CLEANED_UP = "cleaned up"
    UNDONE = "undone"


class Move(NamedTuple):
    to: State
    by: str
    """Who may cause it: person, approver, requester, worker, policy or clock."""


MOVES: dict[State, dict[Event, Move]] = {
    State.PREPARING: {
        Event.PREPARED_ALLOWED: Move(State.QUEUED, "policy"),
        Event.PREPARED_NEEDS_APPROVALS: Move(State.AWAITING_APPROVAL, "policy"),
        Event.PREPARED_DENIED: Move(State.DENIED, "policy"),
        Event.CANCELLED: Move(State.CANCELLED, "requester"),
        Event.EXPIRED: Move(State.EXPIRED, "clock"),
    },
    State.AWAITING_APPROVAL: {
        Event.QUORUM_REACHED: Move(State.QUEUED, "approver"),
        Event.VOTED_AGAINST: Move(State.REJECTED, "approver"),
        Event.CANCELLED: Move(State.CANCELLED, "requester"),
        Event.EXPIRED: Move(State.EXPIRED, "clock"),
    },
    State.QUEUED: {
        Event.STARTED: Move(State.RUNNING, "worker"),
        Event.DRIFTED: Move(State.AWAITING_APPROVAL, "worker"),
        Event.VOTE_WITHDRAWN: Move(State.AWAITING_APPROVAL, "approver"),
        Event.PREPARED_DENIED: Move(State.DENIED, "policy"),
        Event.CANCELLED: Move(State.CANCELLED, "requester"),
        Event.EXPIRED: Move(State.EXPIRED, "clock"),
    },
    State.RUNNING: {
        Event.STEPS_FINISHED: Move(State.DONE, "worker"),
        Event.STEP_BROKE: Move(State.ROLLING_BACK, "worker"),
        Event.ABORTED: Move(State.ROLLING_BACK, "requester, approver"),
        Event.OUTCOME_UNKNOWN: Move(State.NEEDS_ATTENTION, "worker"),
    },
    State.ROLLING_BACK: {
        Event.CLEANED_UP: Move(State.FAILED, "worker"),
        Event.UNDONE: Move(State.ROLLED_BACK, "worker"),
        Event.OUTCOME_UNKNOWN: Move(State.NEEDS_ATTENTION, "worker"),
    },
}

ENDED = frozenset(state for state in State if state not in MOVES)


class IllegalMove(Exception):
    """A programming error: the caller offered an event the state does not know."""


def may(state: State, event: Event) -> bool:
    return event in MOVES.get(state, {})


def after(state: State, event: Event) -> State:
    """The state that follows; `IllegalMove` when the table has no such move."""
    if not may(state, event):
        raise IllegalMove(f"{event.value!r} cannot happen to a request that is {state.value!r}")
    return MOVES[state][event].to
