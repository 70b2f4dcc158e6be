"""Replica moves: what is to move where, how far each one is, and which come next.

The surprising truth: brokers that do not exist yet have no ids. MSK alone gives them, so a plan
names them by provisional negative ids with their AZ, and the ids are bound once Kafka knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from changes.facts import Partition, Reassignment
from changes.placement.batches import INTERNAL_TOPICS
from changes.tagged import Value


class ReplicaMove(Value):
    """One partition's replica list, before and after; preferred leader first."""

    topic: str
    partition: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    size_bytes: int = 0

    @property
    def key(self) -> str:
        return f"{self.topic}-{self.partition}"

    @property
    def adding(self) -> tuple[int, ...]:
        return tuple(b for b in self.after if b not in self.before)

    @property
    def removing(self) -> tuple[int, ...]:
        return tuple(b for b in self.before if b not in self.after)

    @property
    def bytes_moved(self) -> int:
        return self.size_bytes * len(self.adding)

    @property
    def changes_leader(self) -> bool:
        return self.before[:1] != self.after[:1]

    def bound(self, ids: Mapping[int, int]) -> ReplicaMove:
        """The same move with real ids in place of provisional ones."""
        return self.with_(after=tuple(ids.get(b, b) for b in self.after))


MoveState = Literal["waiting", "moving", "done", "gone", "foreign", "changed"]


def state_of(
    move: ReplicaMove, partition: Partition | None, running: Reassignment | None
) -> MoveState:
    """How far one (bound) move is, from the cluster's truth alone.

    Metadata is answered by any broker and may be a moment old. So a list of exactly the old and the new
    replicas is a move that is just ending, and a list with the old replicas in another order is one
    that was cancelled: neither is somebody else's work.
    """
    if partition is None:
        return "gone"
    if running is not None:
        target = tuple(b for b in running.replicas if b not in running.removing)
        return "moving" if set(target) == set(move.after) else "foreign"
    if partition.replicas == move.after:
        return "done"
    if set(partition.replicas) == set(move.before):
        return "waiting"
    # Kafka shrinks the list in one step, so until then it holds all of both. One replica more than before
    # (somebody raised the replication factor) is not ours, and waiting for its end would never end.
    ending = set(partition.replicas) == {*move.before, *move.after}
    return "moving" if ending and len(partition.replicas) > len(move.after) else "changed"


class MovesSeen(Value):
    """All moves of a step, sorted by how far they are."""

    waiting: tuple[ReplicaMove, ...] = ()
    moving: tuple[ReplicaMove, ...] = ()
    done: tuple[ReplicaMove, ...] = ()
    gone: tuple[ReplicaMove, ...] = ()
    foreign: tuple[ReplicaMove, ...] = ()
    changed: tuple[ReplicaMove, ...] = ()

    @property
    def complete(self) -> bool:
        return not (self.waiting or self.moving or self.foreign or self.changed)


def sort_moves(
    moves: Iterable[ReplicaMove],
    partitions: Sequence[Partition],
    reassignments: Sequence[Reassignment],
) -> MovesSeen:
    by_key = {p.key: p for p in partitions}
    running = {r.key: r for r in reassignments}
    sorted_: dict[str, list[ReplicaMove]] = {}
    for move in moves:
        state = state_of(move, by_key.get(move.key), running.get(move.key))
        sorted_.setdefault(state, []).append(move)
    return MovesSeen(**{state: tuple(found) for state, found in sorted_.items()})


def next_batch(seen: MovesSeen, *, per_call: int, in_flight_max: int) -> tuple[ReplicaMove, ...]:
    """Which waiting moves to submit now: refilled as others finish, internal topics alone."""
    room = min(per_call, in_flight_max - len(seen.moving))
    ordinary = [m for m in seen.waiting if m.topic not in INTERNAL_TOPICS]
    if ordinary:
        return tuple(ordinary[: max(0, room)])
    return tuple(seen.waiting[:1]) if not seen.moving else ()
