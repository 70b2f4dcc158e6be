"""The independent judge between any planner and the cluster: it shares no code with them, on purpose.

The surprising truth: Kafka itself accepts a list that names a broker three times, and runs it. So
whatever wrote the plan, a person, a tool or our own planner, these few plain loops read it last.
"""

from __future__ import annotations

from collections.abc import Sequence

from changes.placement.model import Partition, Placement


def judge(before: Placement, after: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """Everything wrong with the plan, a sentence each; empty means accepted."""
    if len(after) != len(before.partitions):
        return (
            f"The plan has {len(after)} replica lists for {len(before.partitions)} partitions; "
            "it must have one for each, in the same order.",
        )
    racks = {broker.broker_id: broker.rack for broker in before.brokers}
    sentences = []
    for partition, replicas in zip(before.partitions, after, strict=True):
        sentences.extend(_wrong_list(partition, replicas, racks))
    sentences.extend(_too_full(before, after))
    return tuple(sentences)


def _wrong_list(
    partition: Partition, replicas: tuple[int, ...], racks: dict[int, str]
) -> list[str]:
    name = f"{partition.topic}-{partition.partition}"
    sentences = []
    for broker in sorted(set(replicas)):
        times = replicas.count(broker)
        if times > 1:
            sentences.append(
                f"{name} lists broker {broker} {times} times; a broker can hold one replica of it."
            )
    unknown = sorted({broker for broker in replicas if broker not in racks})
    for broker in unknown:
        kept = broker in partition.replicas
        sentences.append(
            f"{name} {'still lists' if kept else 'would go to'} broker {broker}, which is not in the "
            f"cluster; bring it back or name one of {_some(racks)}."
        )
    if len(replicas) != len(partition.replicas):
        sentences.append(
            f"{name} would have {len(replicas)} replicas instead of {len(partition.replicas)}; "
            "a move must not change the replication factor."
        )
    if not unknown and replicas != partition.replicas:
        sentences.extend(_lost_racks(name, partition.replicas, replicas, racks))
    return sentences


def _lost_racks(
    name: str, old: tuple[int, ...], new: tuple[int, ...], racks: dict[int, str]
) -> list[str]:
    had = {racks[broker] for broker in old if broker in racks}
    gets = {racks[broker] for broker in new}
    if len(gets) >= len(had):
        return []
    return [
        f"{name} is on {len(had)} racks ({', '.join(sorted(had))}) and would be on {len(gets)} "
        f"({', '.join(sorted(gets))}); a move must keep the rack spread."
    ]


def _too_full(before: Placement, after: Sequence[tuple[int, ...]]) -> list[str]:
    used = {broker.broker_id: 0 for broker in before.brokers}
    planned = {broker.broker_id: 0 for broker in before.brokers}
    for partition, replicas in zip(before.partitions, after, strict=True):
        for now in partition.replicas:
            if now in used:
                used[now] += partition.size_bytes
        for then in replicas:
            if then in planned:
                planned[then] += partition.size_bytes
    sentences = []
    for broker in before.brokers:
        end = planned[broker.broker_id]
        if end > broker.capacity_bytes > 0 and end > used[broker.broker_id]:
            sentences.append(
                f"Broker {broker.broker_id} would hold {end} bytes and has room for "
                f"{broker.capacity_bytes}; leave it less or give it more storage."
            )
    return sentences


def _some(racks: dict[int, str]) -> str:
    ids = sorted(racks)
    shown = ", ".join(str(broker) for broker in ids[:6])
    return shown if len(ids) <= 6 else f"{shown} and {len(ids) - 6} more"
