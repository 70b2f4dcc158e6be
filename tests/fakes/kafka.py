"""The Kafka port over a `FakeCluster`; configs are stored as Kafka stores them, as text by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from changes.facts import (
    Broker,
    BrokerRates,
    Partition,
    Reassignment,
    ReplicaLists,
    Throttles,
    TopicSettings,
)
from changes.ports import Unreachable
from cluster.kafka_topics import CLEANUP, MIN_ISR, RETENTION, TIMESTAMPS, settings_from
from tests.fakes.copying import FOLLOWER_LIST, FOLLOWER_RATE, LEADER_LIST, LEADER_RATE

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster


DEFAULTS = {
    MIN_ISR: "2",
    CLEANUP: "delete",
    RETENTION: "604800000",
    TIMESTAMPS: "CreateTime",
}
"""What a topic of MSK has when nobody set anything; `topic_configs` overrides."""


class FakeKafka:
    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._seen: tuple[Partition, ...] | None = None

    async def brokers(self) -> tuple[Broker, ...]:
        self._cluster.called("kafka", "brokers")
        return tuple(
            Broker(broker_id=one.broker_id, rack=one.rack, host=f"b-{one.broker_id}", port=9092)
            for one in self._cluster.brokers.values()
            if one.alive
        )

    async def partitions(self) -> tuple[Partition, ...]:
        truth = self._cluster
        truth.called("kafka", "partitions")
        before, self._seen = self._seen, self._now_true()
        if truth.stale_partitions and before is not None:
            truth.stale_partitions -= 1
            self._seen = before
        return self._seen

    def _now_true(self) -> tuple[Partition, ...]:
        return tuple(
            Partition(
                topic=one.topic,
                partition=one.partition,
                replicas=one.replicas,
                isr=one.isr,
                leader=one.leader,
            )
            for one in self._cluster.partitions.values()
        )

    async def replica_sizes(
        self, *, broker_ids: Sequence[int] | None = None
    ) -> Mapping[tuple[int, str, int], int]:
        self._cluster.called("kafka", "replica_sizes", broker_ids)
        if broker_ids is not None:
            self._must_live(broker_ids, "reading log directories")
        asked = self._cluster.brokers if broker_ids is None else broker_ids
        return {
            (broker_id, one.topic, one.partition): one.bytes_on(broker_id)
            for one in self._cluster.partitions.values()
            for broker_id in one.replicas
            if broker_id in asked and self._cluster.is_alive(broker_id)
        }

    async def reassignments(self) -> tuple[Reassignment, ...]:
        self._cluster.called("kafka", "reassignments")
        return tuple(
            Reassignment(
                topic=one.topic,
                partition=one.partition,
                replicas=one.replicas,
                adding=one.move.adding,
                removing=one.move.removing,
            )
            for one in self._cluster.partitions.values()
            if one.move
        )

    async def throttles(self, *, topics: Sequence[str], broker_ids: Sequence[int]) -> Throttles:
        self._cluster.called("kafka", "throttles", sorted(topics), sorted(broker_ids))
        self._must_live(broker_ids, "reading throttle rates")
        rates = {i: rates_from(self._cluster.broker_configs.get(i, {})) for i in broker_ids}
        lists = {t: lists_from(self._cluster.topic_configs.get(t, {})) for t in topics}
        return Throttles(
            brokers={i: one for i, one in rates.items() if one != BrokerRates()},
            topics={t: one for t, one in lists.items() if one != ReplicaLists()},
        )

    async def topic_settings(self, *, topics: Sequence[str]) -> Mapping[str, TopicSettings]:
        truth = self._cluster
        truth.called("kafka", "topic_settings", sorted(topics))
        known = {topic for topic, _ in truth.partitions}
        return {
            topic: settings_from({**DEFAULTS, **truth.topic_configs.get(topic, {})})
            for topic in topics
            if topic in known
        }

    async def reassign(
        self, *, targets: Mapping[tuple[str, int], tuple[int, ...] | None]
    ) -> Mapping[tuple[str, int], str]:
        truth = self._cluster
        truth.called("kafka", "reassign", *(f"{t}-{p}:{to}" for (t, p), to in targets.items()))
        refused = {key: words for key, to in targets.items() if (words := self._refusal(key, to))}
        for key, to in targets.items():
            if key in refused:
                continue
            if to is None:
                truth.cancel_move(key)
            else:
                truth.begin_move(key, to)
        truth.answered("reassign")
        return refused

    async def elect_preferred_leaders(
        self, *, partitions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], str]:
        truth = self._cluster
        truth.called("kafka", "elect_preferred_leaders", *(f"{t}-{p}" for t, p in partitions))
        refused = {}
        for key in partitions:
            one = truth.partitions.get(key)
            if one is None:
                refused[key] = "no such partition"
            elif one.replicas[0] not in one.isr or not truth.is_alive(one.replicas[0]):
                refused[key] = f"its preferred leader {one.replicas[0]} is not in sync"
            else:
                one.leader = one.replicas[0]
        truth.answered("elect_preferred_leaders")
        return refused

    async def set_broker_rates(self, *, rates: Mapping[int, BrokerRates]) -> None:
        """Living brokers first; a dead one cannot be told and is named, as Kafka wants it."""
        truth = self._cluster
        truth.called("kafka", "set_broker_rates", *(f"{i}:{one}" for i, one in rates.items()))
        for broker_id, one in rates.items():
            if truth.is_alive(broker_id):
                configs = truth.broker_configs.setdefault(broker_id, {})
                put(configs, LEADER_RATE, one.leader_bytes_per_second)
                put(configs, FOLLOWER_RATE, one.follower_bytes_per_second)
                if not configs:
                    del truth.broker_configs[broker_id]
        self._must_live(rates, "setting throttle rates")
        truth.answered("set_broker_rates")

    async def change_throttled_replicas(
        self, *, add: Mapping[str, ReplicaLists], remove: Mapping[str, ReplicaLists]
    ) -> None:
        truth = self._cluster
        truth.called("kafka", "change_throttled_replicas", sorted(add), sorted(remove))
        for topic in {*add, *remove}:
            configs = truth.topic_configs.setdefault(topic, {})
            more, less = add.get(topic, ReplicaLists()), remove.get(topic, ReplicaLists())
            for key, plus, minus in (
                (LEADER_LIST, more.leader, less.leader),
                (FOLLOWER_LIST, more.follower, less.follower),
            ):
                entries = dict.fromkeys((*split(configs.get(key, "")), *plus))
                kept = [entry for entry in entries if entry not in minus]
                put(configs, key, ",".join(kept) or None)
            if not configs:
                del truth.topic_configs[topic]
        truth.answered("change_throttled_replicas")

    def _must_live(self, broker_ids: Iterable[int], doing: str) -> None:
        dead = [str(i) for i in broker_ids if not self._cluster.is_alive(i)]
        if dead:
            name = self._cluster.ref.name
            raise Unreachable(f"{doing} of {name}: no connection to broker {', '.join(dead)}")

    def _refusal(self, key: tuple[str, int], target: tuple[int, ...] | None) -> str:
        one = self._cluster.partitions.get(key)
        if one is None:
            return "no such partition"
        if target is None:
            return "" if one.move else "nothing to cancel: no reassignment is running"
        if not target or len(set(target)) < len(target):
            return "the target names no broker, or one twice"
        unknown = [i for i in target if i not in self._cluster.brokers]
        return f"broker {unknown[0]} is not registered" if unknown else ""


def put(configs: dict[str, str], key: str, value: str | int | None) -> None:
    if value is None:
        configs.pop(key, None)
    else:
        configs[key] = str(value)


def split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def rates_from(configs: Mapping[str, str]) -> BrokerRates:
    leader, follower = configs.get(LEADER_RATE), configs.get(FOLLOWER_RATE)
    return BrokerRates(
        leader_bytes_per_second=int(leader) if leader else None,
        follower_bytes_per_second=int(follower) if follower else None,
    )


def lists_from(configs: Mapping[str, str]) -> ReplicaLists:
    return ReplicaLists(
        leader=split(configs.get(LEADER_LIST, "")), follower=split(configs.get(FOLLOWER_LIST, ""))
    )
