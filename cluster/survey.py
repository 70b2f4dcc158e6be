"""MSK, Kafka and CloudWatch together, once: the facts that plans, gates and rules are made from.

The surprising truth: what could not be read is part of the result. Without MSK's description, Kafka's
brokers, partitions and running reassignments there are no facts at all; anything else that is missing
is named in `not_seen`, and is never zero.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from changes.facts import BrokerLoad, ClusterFacts, MskNode, Partition, Throttles
from changes.ports import Unreachable, World

T = TypeVar("T")
NAMED_MAX = 5
FIGURES = {
    "cpu_percent": "CPU",
    "disk_used_percent": "disk",
    "bytes_in_per_second": "bytes in",
    "bytes_out_per_second": "bytes out",
}


async def survey(world: World) -> ClusterFacts:
    msk, brokers, partitions, reassignments = await asyncio.gather(
        world.msk.describe(),
        world.kafka.brokers(),
        world.kafka.partitions(),
        world.kafka.reassignments(),
    )
    ids = [broker.broker_id for broker in brokers]
    topics = sorted({partition.topic for partition in partitions})
    missing: list[str] = []
    nodes, throttles, loads, sizes = await asyncio.gather(
        _or(_NO_NODES, missing, world.msk.nodes()),
        _or(Throttles(), missing, world.kafka.throttles(topics=topics, broker_ids=ids)),
        _or(_NO_LOADS, missing, world.metrics.loads(broker_ids=ids)),
        _sizes(world, ids, missing),
    )
    sized = tuple(
        one.with_(size_bytes=sizes.get((one.topic, one.partition), 0)) for one in partitions
    )
    return ClusterFacts(
        taken_at=world.now,
        cluster=world.cluster,
        msk=msk,
        nodes=nodes,
        brokers=brokers,
        partitions=sized,
        reassignments=reassignments,
        throttles=throttles,
        loads=loads,
        not_seen=(
            *sorted(missing),
            *_without_size(partitions, sizes),
            *_without_figures(loads, express=msk.express),
        ),
    )


_NO_NODES: tuple[MskNode, ...] = ()
_NO_LOADS: tuple[BrokerLoad, ...] = ()


async def _or(fallback: T, missing: list[str], reading: Awaitable[T]) -> T:
    """What was read, or the fallback and a sentence."""
    try:
        return await reading
    except Unreachable as error:
        missing.append(str(error))
        return fallback


async def _sizes(
    world: World, broker_ids: Sequence[int], missing: list[str]
) -> Mapping[tuple[str, int], int]:
    """The largest replica stands for the partition: the others are still catching up."""
    none: Mapping[tuple[int, str, int], int] = {}
    found = await asyncio.gather(
        *(_or(none, missing, world.kafka.replica_sizes(broker_ids=[i])) for i in broker_ids)
    )
    largest: dict[tuple[str, int], int] = {}
    for one in found:
        for (_, topic, partition), size in one.items():
            key = (topic, partition)
            largest[key] = max(size, largest.get(key, 0))
    return largest


def _without_size(
    partitions: Sequence[Partition], sizes: Mapping[tuple[str, int], int]
) -> tuple[str, ...]:
    keys = [one.key for one in partitions if (one.topic, one.partition) not in sizes]
    if not keys:
        return ()
    more = f" and {len(keys) - NAMED_MAX} more" if len(keys) > NAMED_MAX else ""
    return (f"no broker told the size of {', '.join(keys[:NAMED_MAX])}{more}",)


def _without_figures(loads: Sequence[BrokerLoad], *, express: bool) -> tuple[str, ...]:
    """Express clusters have no disks to show."""
    sentences = []
    for name, words in FIGURES.items():
        if express and name == "disk_used_percent":
            continue
        ids = [str(load.broker_id) for load in loads if getattr(load, name) is None]
        if ids:
            plural = "brokers" if len(ids) > 1 else "broker"
            sentences.append(f"CloudWatch has no {words} figure of {plural} {', '.join(ids)}")
    return tuple(sentences)
