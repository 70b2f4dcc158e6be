"""How far a move is, told from metadata that may be a moment old."""

from __future__ import annotations

import pytest

from changes.facts import Partition, Reassignment
from changes.moves import MovesSeen, ReplicaMove, next_batch, state_of

MOVE = ReplicaMove(topic="orders", partition=0, before=(1, 2, 3), after=(4, 2, 3), size_bytes=10)


def at(*replicas: int) -> Partition:
    return Partition(topic="orders", partition=0, replicas=replicas, isr=replicas, leader=1)


def running(*replicas: int, removing: tuple[int, ...]) -> Reassignment:
    return Reassignment(
        topic="orders", partition=0, replicas=replicas, adding=(), removing=removing
    )


@pytest.mark.parametrize(
    ("partition", "reassignment", "state"),
    [
        (None, None, "gone"),
        (at(1, 2, 3), None, "waiting"),
        (at(2, 3, 1), None, "waiting"),  # a cancelled move leaves another order
        (at(4, 1, 2, 3), running(4, 1, 2, 3, removing=(1,)), "moving"),
        (at(4, 1, 2, 3), None, "moving"),  # ended between the two readings
        (at(4, 2, 3), None, "done"),
        (at(5, 1, 2, 3), running(5, 1, 2, 3, removing=(1,)), "foreign"),
        (at(5, 2, 3), None, "changed"),
        (at(4, 1), None, "changed"),
    ],
)
def test_the_state_of_a_move(
    partition: Partition | None, reassignment: Reassignment | None, state: str
) -> None:
    assert state_of(MOVE, partition, reassignment) == state


def many(topic: str, count: int) -> tuple[ReplicaMove, ...]:
    return tuple(MOVE.with_(topic=topic, partition=n) for n in range(count))


def test_a_batch_fills_the_room_there_is() -> None:
    seen = MovesSeen(waiting=many("orders", 30), moving=many("clicks", 6))
    assert len(next_batch(seen, per_call=10, in_flight_max=8)) == 2
    assert len(next_batch(seen, per_call=10, in_flight_max=40)) == 10
    assert next_batch(seen, per_call=10, in_flight_max=6) == ()


def test_internal_topics_go_last_and_alone() -> None:
    offsets = many("__consumer_offsets", 3)
    both = MovesSeen(waiting=(*offsets, *many("orders", 1)))
    assert [m.topic for m in next_batch(both, per_call=10, in_flight_max=20)] == ["orders"]
    alone = MovesSeen(waiting=offsets)
    assert next_batch(alone, per_call=10, in_flight_max=20) == offsets[:1]
    assert (
        next_batch(
            MovesSeen(waiting=offsets[1:], moving=offsets[:1]), per_call=10, in_flight_max=20
        )
        == ()
    )
