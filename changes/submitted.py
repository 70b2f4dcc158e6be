"""Which moves were submitted, to notice when somebody cancels one of them.

The surprising truth: Kafka forgets. A cancelled move looks like one that was never begun, so what was
submitted is remembered once the submission was answered. A move that is lost is told and submitted
again; after `SUBMITTED_MAX` times somebody clearly wants it not to happen, and the change stops instead
of fighting (rebalancing handbook, lesson 15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from changes.moves import MovesSeen, ReplicaMove
from changes.ports import Json
from changes.steps import Broken, Memory

SUBMITTED_MAX = 3
KEY = "submitted"


def submitted(
    memory: Mapping[str, Json], batch: Iterable[ReplicaMove], *, open_moves: MovesSeen
) -> Memory:
    """What is remembered after a submission was answered; ended moves are forgotten."""
    present = {m.key for m in (*open_moves.waiting, *open_moves.moving)}
    times = {key: count for key, count in _times(memory).items() if key in present}
    return {KEY: {**times, **{m.key: times.get(m.key, 0) + 1 for m in batch}}}


def submitted_times(memory: Mapping[str, Json], move: ReplicaMove) -> int:
    return _times(memory).get(move.key, 0)


def lost_moves(seen: MovesSeen, memory: Mapping[str, Json]) -> tuple[ReplicaMove, ...]:
    return tuple(m for m in seen.waiting if submitted_times(memory, m))


def lost_in_words(lost: Sequence[ReplicaMove]) -> str:
    if not lost:
        return ""
    return f"somebody cancelled the move of {_names(lost)}; it will be submitted again"


def cancelled_again(move: ReplicaMove) -> Broken:
    return Broken(
        words=f"the move of {move.key} was cancelled by somebody else {SUBMITTED_MAX} times; "
        "agree with them first, then ask again"
    )


def _names(lost: Sequence[ReplicaMove]) -> str:
    first = ", ".join(m.key for m in lost[:3])
    return f"{first} and {len(lost) - 3} more" if len(lost) > 3 else first


def _times(memory: Mapping[str, Json]) -> dict[str, int]:
    found = memory.get(KEY)
    if not isinstance(found, dict):
        return {}
    return {key: times for key, times in found.items() if isinstance(times, int)}
