"""Which broker leads what, as metadata last said, and what to ask each leader.

The surprising truth: questions hardly change from scan to scan. As long as metadata and the topics that
groups commit on are the same, the very same bytes are sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from changes.lag import TopicPartition
from cluster.wire_cursor import READ_UNCOMMITTED, Topics, read_list_offsets, write_list_offsets
from cluster.wire_offsets import LIST_OFFSETS
from cluster.wire_requests import Ready

PARTITIONS_PER_REQUEST_MAX = 25_000
"""About 700 kB of answer."""
NOBODY = -1
"""Leads what has no leader."""

Plan = Mapping[int, Sequence[Ready]]
"""Requests by broker."""


class Leaders:
    """Metadata as a scan needs it. `keys` are shared with the readers of answers."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[int, int]] = {}
        self._plans: dict[int, tuple[frozenset[str], Plan]] = {}
        """By timestamp, with the topics it was made for."""
        self.keys = Topics(lambda topic: self._topics.get(topic, ()))

    def learn(self, metadata: Any) -> None:
        """aiokafka's Metadata."""
        self._topics = {
            topic: {partition: leader for _, partition, leader, *_ in partitions}
            for code, topic, _, partitions in metadata.topics
            if not code
        }
        self._plans.clear()
        for keys in self.keys.values():
            keys.know(self._topics.get(keys.topic, ()))

    def leader_of(self, key: TopicPartition) -> int | None:
        """None = metadata does not know it."""
        return self._topics.get(key[0], {}).get(key[1])

    def strangers(self, topics: Collection[str]) -> set[TopicPartition]:
        """Of these topics, what answers named and metadata did not."""
        return {
            key
            for keys in self.keys.values()
            if len(keys) > len(keys.uncommitted) and keys.topic in topics
            for key in keys.values()
            if key not in keys.uncommitted
        }

    def leaderless(self, topics: Iterable[str]) -> set[TopicPartition]:
        return {
            (topic, partition)
            for topic in topics
            for partition, leader in self._topics.get(topic, {}).items()
            if leader == NOBODY
        }

    def forget_all_but(self, topics: Collection[str]) -> None:
        """Topics come and go; only these are still of interest."""
        for raw, keys in list(self.keys.items()):
            if keys.topic not in topics:
                del self.keys[raw]
            elif len(keys) > len(keys.uncommitted):
                keys.clear()
                keys.know(self._topics.get(keys.topic, ()))

    def standing_plan(self, topics: frozenset[str], *, timestamp: int) -> Plan:
        """For every partition of these topics; made once for as long as nothing changes."""
        made_for, plan = self._plans.get(timestamp, (None, {}))
        if made_for != topics:
            every = [
                (topic, one) for topic in sorted(topics) for one in self._topics.get(topic, ())
            ]
            plan = self.plan(every, timestamp=timestamp)
            self._plans[timestamp] = (topics, plan)
        return plan

    def plan(
        self,
        partitions: Iterable[TopicPartition],
        *,
        timestamp: int,
        isolation: int = READ_UNCOMMITTED,
    ) -> Plan:
        """One question to each leader, cut where its answer would grow too large. What has no
        leader is left out."""
        by_leader: dict[int, list[TopicPartition]] = {}
        for key in dict.fromkeys(partitions):
            leader = self.leader_of(key)
            if leader is not None and leader != NOBODY:
                by_leader.setdefault(leader, []).append(key)
        return {
            leader: [self._question(part, timestamp, isolation) for part in _cut(keys)]
            for leader, keys in by_leader.items()
        }

    def _question(self, keys: Sequence[TopicPartition], timestamp: int, isolation: int) -> Ready:
        by_topic: dict[str, list[int]] = {}
        for topic, partition in keys:
            by_topic.setdefault(topic, []).append(partition)
        body = write_list_offsets(by_topic, timestamp=timestamp, isolation=isolation)
        return Ready(LIST_OFFSETS, body, partial(read_list_offsets, topics=self.keys))


def _cut(keys: Sequence[TopicPartition]) -> Iterable[Sequence[TopicPartition]]:
    for start in range(0, len(keys), PARTITIONS_PER_REQUEST_MAX):
        yield keys[start : start + PARTITIONS_PER_REQUEST_MAX]
