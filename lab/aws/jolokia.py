"""Read a broker's JMX beans over its Jolokia agent, all of them in one POST.

A bean that does not exist is no error: a broker that is not a controller has no controller beans,
and AWS shows 0 for those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

HEAP_POOLS = "java.lang:type=MemoryPool,name=*"
CONNECTIONS = "kafka.server:type=socket-server-metrics,listener=*,networkProcessor=*"


@dataclass(frozen=True)
class Bean:
    """One attribute and the CloudWatch metric it becomes."""

    metric: str
    name: str
    attribute: str = "Value"


def _topic(name: str) -> str:
    return f"kafka.server:type=BrokerTopicMetrics,name={name}"


def _replica(name: str) -> str:
    return f"kafka.server:type=ReplicaManager,name={name}"


def _controller(name: str) -> str:
    return f"kafka.controller:type=KafkaController,name={name}"


# Counters; a rate is the difference of two readings, since Kafka's own one-minute averages lag.
COUNTERS = tuple(
    Bean(name, _topic(name), "Count")
    for name in (
        "BytesInPerSec",
        "BytesOutPerSec",
        "MessagesInPerSec",
        "ReplicationBytesInPerSec",
        "ReplicationBytesOutPerSec",
    )
)
GAUGES = (
    *(
        Bean(name, _replica(name))
        for name in (
            "PartitionCount",
            "LeaderCount",
            "UnderReplicatedPartitions",
            "UnderMinIsrPartitionCount",
        )
    ),
    Bean(
        "NetworkProcessorAvgIdlePercent",
        "kafka.network:type=SocketServer,name=NetworkProcessorAvgIdlePercent",
    ),
    Bean(
        "RequestHandlerAvgIdlePercent",
        "kafka.server:type=KafkaRequestHandlerPool,name=RequestHandlerAvgIdlePercent",
        "OneMinuteRate",
    ),
)
CONTROLLER_GAUGES = tuple(
    Bean(name, _controller(name))
    for name in (
        "ActiveControllerCount",
        "OfflinePartitionsCount",
        "GlobalPartitionCount",
        "GlobalTopicCount",
    )
)


@dataclass(frozen=True)
class BrokerReading:
    """What one broker said; a metric it did not give is absent."""

    counters: Mapping[str, float]
    gauges: Mapping[str, float]


class NotReadable(Exception):
    """The agent did not answer; the caller leaves a gap."""


async def read_broker(
    session: aiohttp.ClientSession, *, host: str, port: int, timeout_seconds: float
) -> BrokerReading:
    """Counters and gauges of one broker."""
    beans = (*COUNTERS, *GAUGES)
    questions = [_question(bean.name, bean.attribute) for bean in beans]
    questions.append(_question("java.lang:type=Memory", "HeapMemoryUsage"))
    questions.append(_question(HEAP_POOLS, "CollectionUsage"))
    questions.append(_question(CONNECTIONS, "connection-count"))
    answers = await _ask(session, host, port, questions, timeout_seconds)
    values = dict(_numbers(beans, answers))
    heap, pools, connections = answers[-3:]
    gauges = {bean.metric: values[bean.metric] for bean in GAUGES if bean.metric in values}
    counters = {bean.metric: values[bean.metric] for bean in COUNTERS if bean.metric in values}
    return BrokerReading(
        counters=counters,
        gauges=gauges | _heap_after_gc(heap, pools) | _connections(connections),
    )


async def read_controller(
    session: aiohttp.ClientSession, *, host: str, port: int, timeout_seconds: float
) -> Mapping[str, float]:
    """The cluster-wide gauges only the controller knows; empty from anybody else."""
    questions = [_question(bean.name, bean.attribute) for bean in CONTROLLER_GAUGES]
    answers = await _ask(session, host, port, questions, timeout_seconds)
    return dict(_numbers(CONTROLLER_GAUGES, answers))


def _question(name: str, attribute: str) -> dict[str, str]:
    return {"type": "read", "mbean": name, "attribute": attribute}


async def _ask(
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    questions: list[dict[str, str]],
    timeout_seconds: float,
) -> list[Any]:
    """The value of each question in order, None where the bean is missing."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    url = f"http://{host}:{port}/jolokia/"
    try:
        async with session.post(url, json=questions, timeout=timeout) as response:
            answers = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as mistake:
        raise NotReadable(f"{url}: {mistake!r}") from mistake
    if not isinstance(answers, list) or len(answers) != len(questions):
        raise NotReadable(f"{url} answered something else than {len(questions)} readings")
    return [answer.get("value") if answer.get("status") == 200 else None for answer in answers]


def _numbers(beans: tuple[Bean, ...], answers: list[Any]) -> Iterator[tuple[str, float]]:
    for bean, value in zip(beans, answers, strict=False):
        # An idle meter answers "NaN" as text.
        if not isinstance(value, int | float) or value != value:
            continue
        # A meter says 0 until its first tick, which would read as a broker without a free thread.
        if value == 0 and bean.attribute == "OneMinuteRate":
            continue
        yield bean.metric, float(value)


def _heap_after_gc(heap: Any, pools: Any) -> dict[str, float]:
    """Percent of the heap in use after the last collection, once the old space was collected."""
    if not isinstance(heap, dict) or not isinstance(pools, dict) or heap.get("max", 0) <= 0:
        return {}
    usages = {name: (entry or {}).get("CollectionUsage") or {} for name, entry in pools.items()}
    old = [use for name, use in usages.items() if "Old Gen" in name or "Tenured" in name]
    if not any(use.get("used", 0) > 0 for use in old):
        return {}
    used = sum(use.get("used", 0) for use in usages.values())
    return {"HeapMemoryAfterGC": 100.0 * used / heap["max"]}


def _connections(answer: Any) -> dict[str, float]:
    if not isinstance(answer, dict) or not answer:
        return {}
    counts = [(entry or {}).get("connection-count") for entry in answer.values()]
    return {"ConnectionCount": float(sum(c for c in counts if isinstance(c, int | float)))}
