"""What must still be true of where everything lies, beyond the partitions a plan moves.

The rule, since a busy cluster gets a new topic every day:

- A topic the plan touches: any other partition count, replication factor or replica list is relevant.
- Any other topic (new, deleted, grown by partitions, moved by hand): relevant only when it puts, or
  put, more than `SHARE_MAX` of a broker's mean bytes on any one broker; below that the balance people
  approved is not changed by it.

Growth of data, leaders and in-sync replicas are never looked at here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from changes.facts import BrokerRates, ClusterFacts, Partition, ReplicaLists, Throttles
from changes.preconditions import Precondition, shortened

SHARE_MAX = 0.05
DIGEST_LETTERS = 16


class TopicsAre(Precondition):
    """Every topic lies as it did, but for small ones that the plan does not touch."""

    placement: Mapping[str, str]
    """Topic → digest of its partitions with their replica lists."""
    touched: tuple[str, ...]
    heavy: tuple[str, ...]
    """Topics that held more than the share on some broker when this was planned."""

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        now = by_topic(facts.planned_partitions)
        weighty = {*self.touched, *self.heavy, *heavy_topics(facts)}
        return shortened(
            [
                said
                for topic in sorted({*self.placement, *now} & weighty)
                if (said := self._difference(topic, now.get(topic, ())))
            ]
        )

    def _difference(self, topic: str, now: Sequence[Partition]) -> str:
        if topic not in self.placement:
            return f"topic {topic} is new and large enough to change the balance"
        if not now:
            return f"topic {topic} was deleted"
        if digest(now) == self.placement[topic]:
            return ""
        return f"topic {topic} has other partitions or replicas than when this was planned"


class NoNewThrottles(Precondition):
    """Nobody throttled the brokers or topics since: their limit would be overwritten for a while."""

    brokers: Mapping[int, BrokerRates]
    topics: Mapping[str, ReplicaLists]

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        now = facts.throttles
        found = [
            f"somebody throttled replication of broker {broker_id} since this was planned"
            for broker_id, rates in now.brokers.items()
            if rates not in (BrokerRates(), self.brokers.get(broker_id, BrokerRates()))
        ]
        found += [
            f"somebody lists throttled replicas of topic {topic} since this was planned"
            for topic, lists in now.topics.items()
            if more(lists, self.topics.get(topic, ReplicaLists()))
        ]
        return shortened(found)


def topics_are(facts: ClusterFacts, *, touched: Iterable[str]) -> TopicsAre:
    return TopicsAre(
        placement={t: digest(found) for t, found in by_topic(facts.planned_partitions).items()},
        touched=tuple(sorted(set(touched))),
        heavy=heavy_topics(facts),
    )


def no_new_throttles(throttles: Throttles) -> NoNewThrottles:
    return NoNewThrottles(brokers=dict(throttles.brokers), topics=dict(throttles.topics))


def by_topic(partitions: Iterable[Partition]) -> dict[str, list[Partition]]:
    found: dict[str, list[Partition]] = {}
    for partition in partitions:
        found.setdefault(partition.topic, []).append(partition)
    return found


def digest(partitions: Sequence[Partition]) -> str:
    listed = sorted((p.partition, p.replicas) for p in partitions)
    return hashlib.sha256(repr(listed).encode()).hexdigest()[:DIGEST_LETTERS]


def heavy_topics(facts: ClusterFacts) -> tuple[str, ...]:
    """Topics with more than the share of a broker's mean bytes on some broker."""
    on: dict[tuple[str, int], int] = {}
    for partition in facts.planned_partitions:
        for broker_id in partition.replicas:
            key = (partition.topic, broker_id)
            on[key] = on.get(key, 0) + partition.size_bytes
    limit = SHARE_MAX * sum(on.values()) / max(1, len(facts.brokers))
    return tuple(sorted({topic for (topic, _), held in on.items() if held > limit}))


def more(now: ReplicaLists, before: ReplicaLists) -> bool:
    """Does it list something that was not listed? Entries taken away harm nobody."""
    return bool(set(now.leader) - set(before.leader) or set(now.follower) - set(before.follower))
