"""Reads, sets and takes away replication throttles.

The surprising truth: Kafka says yes to a change of settings before its brokers know of it, and every
broker answers from what it knows itself. So each change here waits until the brokers show it: whoever
looks next sees what was done, or the one who takes away would overlook what was just added.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from changes.facts import BrokerRates, ReplicaLists, Throttles
from changes.ports import Unreachable
from cluster.errors import KafkaRefuses, all_of, kafka_words, must
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
    description,
    dynamic,
    holds,
    lacks,
    lists_from,
    rate_operations,
    rates_from,
    remove_operations,
    resource,
    sweep_operations,
)
from cluster.wire import Wire
from cluster.wire_codec import Row
from cluster.wire_messages import DESCRIBE_CONFIGS, INCREMENTAL_ALTER_CONFIGS

log = logging.getLogger(__name__)

RESOURCES_PER_REQUEST_MAX = 500
NO_ERROR, UNKNOWN_TOPIC = 0, 3
SHOWN_SECONDS_MAX = 5.0
LOOK_SECONDS = 0.1

TopicConfigs = Mapping[str, Configs]


class KafkaThrottles:
    def __init__(self, *, wire: Wire, cluster: str) -> None:
        self._wire = wire
        self._cluster = cluster

    async def read(self, *, topics: Sequence[str], broker_ids: Sequence[int]) -> Throttles:
        lists = {t: lists_from(c) for t, c in (await self._topics(topics)).items()}
        found = await all_of(self._broker(broker_id) for broker_id in broker_ids)
        rates = {i: rates_from(c) for i, c in zip(broker_ids, found, strict=True)}
        return Throttles(
            brokers={i: one for i, one in rates.items() if one != BrokerRates()},
            topics={t: one for t, one in lists.items() if one != ReplicaLists()},
        )

    async def settings(self, topic: str) -> Configs:
        return (await self._topics([topic])).get(topic, {})

    async def set_rates(self, rates: Mapping[int, BrokerRates]) -> None:
        """Each broker is told by itself. A silent one is named when all others were told."""
        await all_of(self._set_rates_of(broker_id, one) for broker_id, one in rates.items())

    async def add(self, lists: Mapping[str, ReplicaLists]) -> None:
        kraft = await self._wire.kraft()
        present = await self._topics(sorted(lists))
        operations = {
            topic: add_operations(wanted, present.get(topic, {}), kraft=kraft)
            for topic, wanted in lists.items()
        }
        await self._alter(operations)
        await self._until_topics(
            sorted(lists), lambda seen: all(holds(c, lists[t]) for t, c in seen.items())
        )

    async def remove(self, lists: Mapping[str, ReplicaLists]) -> None:
        """A topic deleted meanwhile has nothing left to take away."""
        present = await self._topics(sorted(lists))
        await self._alter({t: remove_operations(lists[t], c) for t, c in present.items()})
        await self._until_topics(
            sorted(present), lambda seen: all(lacks(c, lists[t]) for t, c in seen.items())
        )
        left = {t: sweep_operations(c) for t, c in (await self._topics(sorted(present))).items()}
        await self._alter(left)
        await self._until_topics(
            sorted(t for t, some in left.items() if some),
            lambda seen: not any(sweep_operations(c) for c in seen.values()),
        )

    async def _set_rates_of(self, broker_id: int, rates: BrokerRates) -> None:
        row = _alteration([alteration(BROKER, broker_id, rate_operations(rates))])
        answer = await self._wire.ask_broker(broker_id, INCREMENTAL_ALTER_CONFIGS, row)
        doing = f"setting throttle rates of broker {broker_id} of {self._cluster}"
        must(doing, answer["responses"][0])

        async def shown() -> bool:
            return rates_from(await self._broker(broker_id)) == rates

        await self._until(shown, what=f"broker {broker_id}")

    async def _alter(self, operations: Mapping[str, Sequence[Row]]) -> None:
        """Change topics that have something to change; the refused ones are named together."""
        no = []
        for part in chunks([topic for topic, some in operations.items() if some]):
            row = _alteration([alteration(TOPIC, topic, operations[topic]) for topic in part])
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

    async def _until_topics(
        self, topics: Sequence[str], shown: Callable[[TopicConfigs], bool]
    ) -> None:
        """Until every broker that answers shows it."""
        if not topics:
            return

        async def everywhere() -> bool:
            looks = (self._topics(topics, broker_id=i) for i in self._wire.broker_ids())
            seen = await asyncio.gather(*looks, return_exceptions=True)
            for one in seen:
                if isinstance(one, BaseException) and not isinstance(one, Unreachable):
                    raise one
            return all(shown(one) for one in seen if not isinstance(one, BaseException))

        await self._until(everywhere, what="some broker")

    async def _until(self, shown: Callable[[], Awaitable[bool]], *, what: str) -> None:
        """Kafka has accepted the change; a broker that is this late is a sight for the log only."""
        try:
            async with asyncio.timeout(SHOWN_SECONDS_MAX):
                while not await shown():  # noqa: ASYNC110 - brokers wake nobody
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            late = f"{what} of {self._cluster} does not show a changed throttle"
            log.warning("%s after %g s; Kafka accepted it", late, SHOWN_SECONDS_MAX)

    async def _topics(self, topics: Sequence[str], *, broker_id: int | None = None) -> TopicConfigs:
        """Throttle lists set on each topic; a topic that does not exist is left out."""
        found: dict[str, Configs] = {}
        for part in chunks(topics):
            row = description([resource(TOPIC, topic, LISTS) for topic in part])
            answer = await (
                self._wire.ask_any(DESCRIBE_CONFIGS, row)
                if broker_id is None
                else self._wire.ask_broker(broker_id, DESCRIBE_CONFIGS, row)
            )
            for result in answer["results"]:
                if result["error_code"] != UNKNOWN_TOPIC:
                    topic = result["resource_name"]
                    must(f"reading throttles of topic {topic} of {self._cluster}", result)
                    found[topic] = dynamic(result, DYNAMIC_TOPIC)
        return found

    async def _broker(self, broker_id: int) -> Configs:
        row = description([resource(BROKER, broker_id, RATES)])
        answer = await self._wire.ask_broker(broker_id, DESCRIBE_CONFIGS, row)
        (result,) = answer["results"]
        must(f"reading throttle rates of broker {broker_id} of {self._cluster}", result)
        return dynamic(result, DYNAMIC_BROKER)


def chunks(topics: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(topics), RESOURCES_PER_REQUEST_MAX):
        yield topics[start : start + RESOURCES_PER_REQUEST_MAX]


def _alteration(resources: list[Row]) -> Row:
    return {"resources": resources, "validate_only": False}


def _first_code(answer: Row) -> int:
    code: int = answer["responses"][0]["error_code"] if answer["responses"] else NO_ERROR
    return code
