"""The Kafka port: what aiokafka's metadata says, and the requests of `wire`.

The surprising truth: Kafka answers a batch as a whole with yes and each part with its own no. Parts
that were refused come back in words; a whole that was refused, or a broker that is silent, raises
after everything else that could be done was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TypeVar

from changes.facts import Broker, BrokerRates, Partition, Reassignment, ReplicaLists, Throttles
from changes.ports import Unreachable
from cluster.errors import KafkaRefuses, kafka_words
from cluster.kafka_configs import (
    BROKER,
    DYNAMIC_BROKER,
    DYNAMIC_TOPIC,
    LISTS,
    RATES,
    TOPIC,
    Configs,
    add_operations,
    alteration,
    dynamic,
    lists_from,
    rate_operations,
    rates_from,
    remove_operations,
    resource,
    sweep_operations,
)
from cluster.wire import Wire
from cluster.wire_codec import Row
from cluster.wire_messages import (
    ALTER_PARTITION_REASSIGNMENTS,
    DESCRIBE_CONFIGS,
    DESCRIBE_LOG_DIRS,
    ELECT_LEADERS,
    INCREMENTAL_ALTER_CONFIGS,
    LIST_PARTITION_REASSIGNMENTS,
)

TIMEOUT_MS = 10_000
"""How long Kafka itself may work on a request; below the wire's own bound, so that it answers."""
RESOURCES_PER_REQUEST_MAX = 500
NO_ERROR, UNKNOWN_TOPIC, NO_ELECTION_NEEDED, PREFERRED = 0, 3, 84, 0

Key = tuple[str, int]
T = TypeVar("T")


class KafkaByWire:
    """One cluster's Kafka; `cluster` is its name, for sentences."""

    def __init__(self, *, wire: Wire, cluster: str) -> None:
        self._wire = wire
        self._cluster = cluster

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
        self._must("listing reassignments", answer)
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
        lists = {t: lists_from(c) for t, c in (await self._topic_configs(topics)).items()}
        found = await all_of(self._broker_configs(broker_id) for broker_id in broker_ids)
        rates = {i: rates_from(c) for i, c in zip(broker_ids, found, strict=True)}
        return Throttles(
            brokers={i: one for i, one in rates.items() if one != BrokerRates()},
            topics={t: one for t, one in lists.items() if one != ReplicaLists()},
        )

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
        self._must("reassigning partitions", answer)
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
        self._must("electing preferred leaders", answer)
        said = {
            (topic["topic"], one["partition_id"]): (one["error_code"], one["error_message"])
            for topic in answer["replica_election_results"]
            for one in topic["partition_result"]
        }
        return refused(partitions, said, fine=(NO_ERROR, NO_ELECTION_NEEDED))

    async def set_broker_rates(self, *, rates: Mapping[int, BrokerRates]) -> None:
        """Each broker is told by itself. A silent one is named when all others were told."""
        await all_of(self._set_rates(broker_id, one) for broker_id, one in rates.items())

    async def change_throttled_replicas(
        self, *, add: Mapping[str, ReplicaLists], remove: Mapping[str, ReplicaLists]
    ) -> None:
        """Add, then take away; a topic deleted meanwhile has nothing left to take away."""
        if add:
            present = await self._topic_configs(sorted(add))
            await self._alter(
                {t: add_operations(lists, present.get(t, {})) for t, lists in add.items()}
            )
        if remove:
            present = await self._topic_configs(sorted(remove))
            await self._alter({t: remove_operations(remove[t], c) for t, c in present.items()})
            present = await self._topic_configs(sorted(remove))
            await self._alter({t: sweep_operations(c) for t, c in present.items()})

    async def _sizes_on(self, broker_id: int) -> Mapping[tuple[int, str, int], int]:
        """Future logs (a move between disks of one broker) are not replicas yet."""
        answer = await self._wire.ask_broker(broker_id, DESCRIBE_LOG_DIRS, {"topics": None})
        for result in (answer, *answer["results"]):
            self._must(f"reading log directories of broker {broker_id}", result)
        return {
            (broker_id, topic["name"], one["partition_index"]): one["partition_size"]
            for result in answer["results"]
            for topic in result["topics"]
            for one in topic["partitions"]
            if not one["is_future_key"]
        }

    async def _topic_configs(self, topics: Sequence[str]) -> Mapping[str, Configs]:
        """Throttle lists set on each topic; a topic that does not exist is left out."""
        found: dict[str, Configs] = {}
        for part in chunks(topics):
            row = _describe([resource(TOPIC, topic, LISTS) for topic in part])
            answer = await self._wire.ask_any(DESCRIBE_CONFIGS, row)
            for result in answer["results"]:
                if result["error_code"] != UNKNOWN_TOPIC:
                    topic = result["resource_name"]
                    self._must(f"reading throttles of topic {topic}", result)
                    found[topic] = dynamic(result, DYNAMIC_TOPIC)
        return found

    async def _broker_configs(self, broker_id: int) -> Configs:
        row = _describe([resource(BROKER, broker_id, RATES)])
        answer = await self._wire.ask_broker(broker_id, DESCRIBE_CONFIGS, row)
        (result,) = answer["results"]
        self._must(f"reading throttle rates of broker {broker_id}", result)
        return dynamic(result, DYNAMIC_BROKER)

    async def _set_rates(self, broker_id: int, rates: BrokerRates) -> None:
        row = _alter_row([alteration(BROKER, broker_id, rate_operations(rates))])
        answer = await self._wire.ask_broker(broker_id, INCREMENTAL_ALTER_CONFIGS, row)
        self._must(f"setting throttle rates of broker {broker_id}", answer["responses"][0])

    async def _alter(self, operations: Mapping[str, Sequence[Row]]) -> None:
        """Change topics that have something to change; the refused ones are named together."""
        no = []
        for part in chunks([topic for topic, some in operations.items() if some]):
            row = _alter_row([alteration(TOPIC, topic, operations[topic]) for topic in part])
            answer = await self._wire.ask_controller(
                INCREMENTAL_ALTER_CONFIGS, row, code_of=_first_code
            )
            no += [
                f"{one['resource_name']}: {kafka_words(one['error_code'], one['error_message'])}"
                for one in answer["responses"]
                if one["error_code"] != NO_ERROR
            ]
        if no:
            raise KafkaRefuses(f"changing throttled replicas of {self._cluster}: {'; '.join(no)}")

    def _must(self, doing: str, answer: Row) -> None:
        """Raise what a whole answer, or a part that stands for it, says is wrong."""
        code = answer.get("error_code", NO_ERROR)
        if code != NO_ERROR:
            words = kafka_words(code, answer.get("error_message"))
            raise KafkaRefuses(f"{doing} of {self._cluster}: {words}")


async def all_of(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """All of them to their end, then the first failure: one silent broker stops no other."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    silent = [str(one) for one in results if isinstance(one, Unreachable)]
    for one in results:
        if isinstance(one, BaseException) and not isinstance(one, Unreachable):
            raise one
    if silent:
        raise Unreachable("; ".join(silent))
    return [one for one in results if not isinstance(one, BaseException)]


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


def chunks(topics: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(topics), RESOURCES_PER_REQUEST_MAX):
        yield topics[start : start + RESOURCES_PER_REQUEST_MAX]


def _listed(target: tuple[int, ...] | None) -> list[int] | None:
    return None if target is None else list(target)


def _describe(resources: list[Row]) -> Row:
    return {"resources": resources, "include_synonyms": False, "include_documentation": False}


def _alter_row(resources: list[Row]) -> Row:
    return {"resources": resources, "validate_only": False}


def _first_code(answer: Row) -> int:
    code: int = answer["responses"][0]["error_code"] if answer["responses"] else NO_ERROR
    return code
