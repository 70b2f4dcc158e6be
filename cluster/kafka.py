"""The Kafka port: what aiokafka's metadata says, and the requests of `wire`.

The surprising truth: Kafka answers a batch as a whole with yes and each part with its own no. Parts
that were refused come back in words; a whole that was refused, or a broker that is silent, raises
after everything else that could be done was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from changes.facts import (
    Broker,
    BrokerRates,
    Partition,
    Reassignment,
    ReplicaLists,
    Throttles,
    TopicSettings,
)
from cluster.errors import all_of, kafka_words, must
from cluster.kafka_configs import Configs
from cluster.kafka_throttles import KafkaThrottles
from cluster.kafka_topics import topic_settings
from cluster.wire import Wire
from cluster.wire_messages import (
    ALTER_PARTITION_REASSIGNMENTS,
    DESCRIBE_LOG_DIRS,
    ELECT_LEADERS,
    LIST_PARTITION_REASSIGNMENTS,
)

TIMEOUT_MS = 10_000
"""How long Kafka itself may work on a request; below the wire's own bound, so that it answers."""
NO_ERROR, NO_ELECTION_NEEDED, PREFERRED = 0, 84, 0

Key = tuple[str, int]


class KafkaByWire:
    """One cluster's Kafka; `cluster` is its name, for sentences."""

    def __init__(self, *, wire: Wire, cluster: str) -> None:
        self._wire = wire
        self._cluster = cluster
        self._throttles = KafkaThrottles(wire=wire, cluster=cluster)

    async def brokers(self) -> tuple[Broker, ...]:
        metadata = await self._wire.metadata()
        found = [
            Broker(broker_id=broker_id, rack=rack or "", host=host, port=port)
            for broker_id, host, port, rack in metadata.brokers
        ]
        return tuple(sorted(found, key=lambda broker: broker.broker_id))

    async def partitions(self) -> tuple[Partition, ...]:
        """A topic being created or deleted may have no partitions to show; the next look has."""
        metadata = await self._wire.metadata()
        found = [
            Partition(
                topic=topic,
                partition=partition,
                replicas=tuple(replicas),
                isr=tuple(isr),
                leader=None if leader < 0 else leader,
            )
            for _, topic, _, partitions in metadata.topics
            for _, partition, leader, replicas, isr, *_ in partitions
        ]
        return tuple(sorted(found, key=lambda one: (one.topic, one.partition)))

    async def replica_sizes(
        self, *, broker_ids: Sequence[int] | None = None
    ) -> Mapping[tuple[int, str, int], int]:
        if broker_ids is None:
            broker_ids = [broker.broker_id for broker in await self.brokers()]
        sizes: dict[tuple[int, str, int], int] = {}
        for found in await all_of(self._sizes_on(broker_id) for broker_id in broker_ids):
            sizes.update(found)
        return sizes

    async def reassignments(self) -> tuple[Reassignment, ...]:
        answer = await self._wire.ask_controller(
            LIST_PARTITION_REASSIGNMENTS, {"timeout_ms": TIMEOUT_MS, "topics": None}
        )
        must(f"listing reassignments of {self._cluster}", answer)
        return tuple(
            Reassignment(
                topic=topic["name"],
                partition=one["partition_index"],
                replicas=tuple(one["replicas"]),
                adding=tuple(one["adding_replicas"]),
                removing=tuple(one["removing_replicas"]),
            )
            for topic in answer["topics"]
            for one in topic["partitions"]
        )

    async def throttles(self, *, topics: Sequence[str], broker_ids: Sequence[int]) -> Throttles:
        return await self._throttles.read(topics=topics, broker_ids=broker_ids)

    async def topic_settings(self, *, topics: Sequence[str]) -> Mapping[str, TopicSettings]:
        return await topic_settings(wire=self._wire, topics=topics)

    async def reassign(self, *, targets: Mapping[Key, tuple[int, ...] | None]) -> Mapping[Key, str]:
        if not targets:
            return {}
        topics = [
            {
                "name": topic,
                "partitions": [
                    {"partition_index": number, "replicas": _listed(targets[topic, number])}
                    for number in numbers
                ],
            }
            for topic, numbers in by_topic(targets).items()
        ]
        answer = await self._wire.ask_controller(
            ALTER_PARTITION_REASSIGNMENTS, {"timeout_ms": TIMEOUT_MS, "topics": topics}
        )
        must(f"reassigning partitions of {self._cluster}", answer)
        said = {
            (topic["name"], one["partition_index"]): (one["error_code"], one["error_message"])
            for topic in answer["responses"]
            for one in topic["partitions"]
        }
        return refused(targets, said)

    async def elect_preferred_leaders(self, *, partitions: Sequence[Key]) -> Mapping[Key, str]:
        if not partitions:
            return {}
        asked = [{"topic": t, "partitions": numbers} for t, numbers in by_topic(partitions).items()]
        row = {"election_type": PREFERRED, "topic_partitions": asked, "timeout_ms": TIMEOUT_MS}
        answer = await self._wire.ask_controller(ELECT_LEADERS, row)
        must(f"electing preferred leaders of {self._cluster}", answer)
        said = {
            (topic["topic"], one["partition_id"]): (one["error_code"], one["error_message"])
            for topic in answer["replica_election_results"]
            for one in topic["partition_result"]
        }
        return refused(partitions, said, fine=(NO_ERROR, NO_ELECTION_NEEDED))

    async def set_broker_rates(self, *, rates: Mapping[int, BrokerRates]) -> None:
        await self._throttles.set_rates(rates)

    async def change_throttled_replicas(
        self, *, add: Mapping[str, ReplicaLists], remove: Mapping[str, ReplicaLists]
    ) -> None:
        """Added first, then taken away."""
        if add:
            await self._throttles.add(add)
        if remove:
            await self._throttles.remove(remove)

    async def throttle_settings(self, *, topic: str) -> Configs:
        """What is set, as text, empty lists included: to prove that nothing was left behind."""
        return await self._throttles.settings(topic)

    async def _sizes_on(self, broker_id: int) -> Mapping[tuple[int, str, int], int]:
        """Future logs (a move between disks of one broker) are not replicas yet."""
        answer = await self._wire.ask_broker(broker_id, DESCRIBE_LOG_DIRS, {"topics": None})
        for result in (answer, *answer["results"]):
            must(f"reading log directories of broker {broker_id} of {self._cluster}", result)
        return {
            (broker_id, topic["name"], one["partition_index"]): one["partition_size"]
            for result in answer["results"]
            for topic in result["topics"]
            for one in topic["partitions"]
            if not one["is_future_key"]
        }


def by_topic(keys: Iterable[Key]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for topic, partition in keys:
        found.setdefault(topic, []).append(partition)
    return found


def refused(
    asked: Iterable[Key],
    said: Mapping[Key, tuple[int, str | None]],
    *,
    fine: tuple[int, ...] = (NO_ERROR,),
) -> dict[Key, str]:
    """The partitions asked for that got a no, in words; silence about one is a no, too."""
    return {
        key: kafka_words(*said[key]) if key in said else "Kafka did not answer for it"
        for key in asked
        if key not in said or said[key][0] not in fine
    }


def _listed(target: tuple[int, ...] | None) -> list[int] | None:
    return None if target is None else list(target)
