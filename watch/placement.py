"""Where data lies and how much of it: brokers, partitions, running reassignments, sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from changes.facts import Broker, Partition, Reassignment
from changes.lag import TopicPartition
from changes.ports import KafkaReading, Unreachable


class Placement(NamedTuple):
    brokers: tuple[Broker, ...]
    partitions: tuple[Partition, ...]
    reassignments: tuple[Reassignment, ...] | None
    """None = the controller, which alone knows them, did not answer."""
    unread: str = ""
    """Why not, in words."""


class Sizes(NamedTuple):
    by_partition: Mapping[TopicPartition, int]
    silent: str
    """Brokers that did not answer, in words."""


async def placement_of(kafka: KafkaReading) -> Placement:
    """Any broker knows who leads what, so a silent controller costs its own answer only: what is offline
    must be seen just then."""

    async def moving() -> tuple[Reassignment, ...] | str:
        try:
            return await kafka.reassignments()
        except Unreachable as away:
            return str(away)

    brokers, partitions, reassignments = await asyncio.gather(
        kafka.brokers(), kafka.partitions(), moving()
    )
    if isinstance(reassignments, str):
        return Placement(brokers, partitions, None, unread=reassignments)
    return Placement(brokers, partitions, reassignments)


async def sizes_of(kafka: KafkaReading, ids: Sequence[int]) -> Sizes:
    """The largest replica stands for the partition; one silent broker costs its own answer only."""

    async def of(broker_id: int) -> Mapping[tuple[int, str, int], int] | str:
        try:
            return await kafka.replica_sizes(broker_ids=[broker_id])
        except Unreachable as away:
            return str(away)

    found = await asyncio.gather(*(of(broker_id) for broker_id in ids))
    silent = "; ".join(one for one in found if isinstance(one, str))
    if silent and all(isinstance(one, str) for one in found):
        raise Unreachable(silent)
    largest: dict[TopicPartition, int] = {}
    for one in found:
        if not isinstance(one, str):
            for (_, topic, partition), size in one.items():
                place = (topic, partition)
                largest[place] = max(size, largest.get(place, 0))
    return Sizes(largest, silent)


def sized(partitions: tuple[Partition, ...], sizes: Sizes | None) -> tuple[Partition, ...]:
    if sizes is None:
        return partitions
    known = sizes.by_partition
    # Copied without being checked again: they came from the same place, many thousands at a time.
    return tuple(
        one.model_copy(update={"size_bytes": known.get((one.topic, one.partition), 0)})
        for one in partitions
    )
