"""What must still be true for an approved plan to run.

Each one compares itself with new facts and answers with sentences; no sentence means it holds. A
plan whose preconditions all hold is carried out exactly as it was approved; otherwise the votes are
void, the sentences are shown, and a new plan is asked for. Growth of data inside a tolerance, lag,
CPU and small topics the plan does not touch are harmless on purpose (`preconditions_placement`).
What passes by itself is no difference either: it only holds the start (`readiness`).
"""

from __future__ import annotations

from collections.abc import Mapping

from changes.facts import ClusterFacts
from changes.tagged import Tagged

SHOWN_MAX = 5
"""Differences named one by one before "and N more": a card is read on a phone."""


class Precondition(Tagged):
    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        raise NotImplementedError(f"{type(self).__name__} must say what it compares")


class MskIsUnchanged(Precondition):
    """Everything MSK says of the cluster as approved; every accepted update changes its version.

    What an older Ottla did not write down is not compared.
    """

    current_version: str
    broker_count: int
    instance_type: str
    kafka_version: str = ""
    volume_gib: int | None = None
    az_ids: tuple[str, ...] = ()
    rebalancing: str | None = None

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        now = facts.msk
        found = []
        if now.broker_count != self.broker_count:
            found.append(f"MSK has {now.broker_count} brokers, it had {self.broker_count}")
        if now.instance_type != self.instance_type:
            found.append(f"brokers are {now.instance_type}, they were {self.instance_type}")
        if self.kafka_version and now.kafka_version != self.kafka_version:
            found.append(f"brokers run Kafka {now.kafka_version}, they ran {self.kafka_version}")
        if self.volume_gib is not None and now.volume_gib != self.volume_gib:
            found.append(f"each broker has {now.volume_gib} GiB, it had {self.volume_gib} GiB")
        if self.az_ids and set(now.az_ids) != set(self.az_ids):
            found.append(f"the AZs are {', '.join(now.az_ids)}, they were {', '.join(self.az_ids)}")
        if self.rebalancing and now.rebalancing != self.rebalancing:
            found.append(f"rebalancing is {now.rebalancing or 'off'}, it was {self.rebalancing}")
        if not found and now.current_version != self.current_version:
            found.append("somebody changed the cluster in MSK since this was planned")
        return tuple(found)


class BrokersAre(Precondition):
    """The brokers Kafka knows, with their racks."""

    racks: Mapping[int, str]

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        now = {broker.broker_id: broker.rack for broker in facts.brokers}
        gone = [f"broker {i} is not there any more" for i in self.racks if i not in now]
        new = [f"broker {i} is new" for i in now if i not in self.racks]
        moved = [
            f"broker {i} is in {now[i] or 'no AZ'}, it was in {rack or 'no AZ'}"
            for i, rack in self.racks.items()
            if i in now and now[i] != rack
        ]
        return tuple(gone + new + moved)


class ReplicasAre(Precondition):
    """The partitions the plan touches still have the replica lists it starts from."""

    replicas: Mapping[str, tuple[int, ...]]
    """By `topic-partition`, preferred leader first."""

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        now = {partition.key: partition.replicas for partition in facts.partitions}
        found = []
        for key, before in self.replicas.items():
            if key not in now:
                found.append(f"{key} does not exist any more")
            elif now[key] != before:
                found.append(f"{key} has replicas {list(now[key])}, it had {list(before)}")
        return shortened(found)


class DataIsAbout(Precondition):
    """The bytes to move have not outgrown what the duration and the disks were computed from."""

    bytes_by_topic: Mapping[str, int]
    """Bytes of one replica of the partitions the plan touches, summed by topic."""
    partitions: tuple[str, ...]
    growth_max: float = 0.5
    slack_bytes: int = 64 * 1024 * 1024
    """Small topics double in minutes; that hurts nobody."""

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        touched = set(self.partitions)
        now: dict[str, int] = {}
        for partition in facts.partitions:
            if partition.key in touched:
                now[partition.topic] = now.get(partition.topic, 0) + partition.size_bytes
        return shortened(
            [
                f"topic {topic} grew from {before / 1e9:.1f} GB to {now[topic] / 1e9:.1f} GB"
                for topic, before in self.bytes_by_topic.items()
                if now.get(topic, 0) > before * (1 + self.growth_max) + self.slack_bytes
            ]
        )


def shortened(sentences: list[str]) -> tuple[str, ...]:
    """The first few sentences, and how many more there are."""
    more = len(sentences) - SHOWN_MAX
    return tuple(sentences[:SHOWN_MAX]) + ((f"and {more} more",) if more > 0 else ())
