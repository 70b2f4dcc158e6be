"""Brokers in memory that answer a scanner in Kafka's own bytes, and misbehave on request.

They stand where `Links` does: what is asked is decoded from its bytes, what is answered is encoded from
its description and read by the scanner's own readers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError

from changes.lag import NO_OFFSET, TopicPartition
from cluster.lag_scan import LagScanner
from cluster.wire_codec import Row, decode, encode
from cluster.wire_messages import Api
from cluster.wire_offsets import ALL, OFFSET_FETCH, OFFSET_FETCH_ONE

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
NEWEST = {2: (0, 11), 9: (0, 10), 10: (0, 6), 15: (0, 6), 16: (0, 5), 69: (0, 1)}
METADATA, NOT_COORDINATOR, NOT_LEADER, NO_SUCH = "Metadata", 16, 6, 3


@dataclass
class Group:
    coordinator: int
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    state: str = "Stable"
    kind: str = "classic"
    protocol: str = "consumer"
    error: int = 0
    partition_errors: dict[TopicPartition, int] = field(default_factory=dict)
    members: list[Row] = field(default_factory=list)


@dataclass
class Log:
    leader: int
    start: int = 0
    end: int = 100
    stable_end: int | None = None
    by_time: int = NO_OFFSET


class ScriptedBrokers:
    """The truth, and the `Links` to it."""

    def __init__(self, *, brokers: int = 3) -> None:
        self.brokers = list(range(1, brokers + 1))
        self.groups: dict[str, Group] = {}
        self.logs: dict[TopicPartition, Log] = {}
        self.versions: dict[int, dict[int, tuple[int, int]]] = {}
        """By broker, when it is not as new as the others."""
        self.silent: set[int] = set()
        self.broken: Counter[int] = Counter()
        """How often the next requests to a broker lose their connection."""
        self.list_errors: dict[int, int] = {}
        self.nonsense: set[int] = set()
        """Brokers whose answers end early."""
        self.asked: list[tuple[str, int]] = []
        """Every request that arrived: its name and its broker."""
        self.sizes: list[tuple[str, int]] = []
        """Of every question for committed offsets: how many groups."""
        self.after: dict[str, Callable[[], None]] = {}
        """Run once, after the first request of this name was answered."""
        self.bootstraps = 0
        self.bootstrap_error: Exception | None = None
        self._seen: tuple[int, ...] = ()
        self.cluster = SimpleNamespace(update_metadata=self._learn)

    def topic(self, name: str, *, partitions: int = 3) -> None:
        for number in range(partitions):
            self.logs[name, number] = Log(leader=self.brokers[number % len(self.brokers)])

    def group(self, name: str, *, at: int, **offsets: int) -> Group:
        """Committed on partition 0 of each topic named."""
        made = Group(coordinator=at, committed={(t, 0): one for t, one in offsets.items()})
        self.groups[name] = made
        return made

    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.asked)

    # As Links

    def broker_ids(self) -> tuple[int, ...]:
        return self._seen

    async def bootstrap(self, *, seconds_max: float = 30.0) -> Any:
        del seconds_max
        self.bootstraps += 1
        if self.bootstrap_error:
            raise self.bootstrap_error
        self.asked.append((METADATA, 0))
        metadata = self._metadata()
        self._learn(metadata)
        return metadata

    async def send(self, broker_id: int, request: Any, *, lane: Any, seconds_max: float) -> Any:
        del lane
        if broker_id not in self.brokers:
            raise NodeNotReadyError("no connection to it")
        name, row, read = self._read(broker_id, request)
        self.asked.append((name, broker_id))
        await asyncio.sleep(0)
        if broker_id in self.silent:
            raise RequestTimedOutError(f"no answer within {seconds_max:g} s")
        if self.broken[broker_id]:
            self.broken[broker_id] -= 1
            raise KafkaConnectionError("closed")
        answer = read(self._answer(broker_id, name, row))
        self.after.pop(name, lambda: None)()
        return answer

    def _learn(self, metadata: Any) -> None:
        self._seen = tuple(broker_id for broker_id, *_ in metadata.brokers)

    def _read(self, broker_id: int, request: Any) -> tuple[str, Any, Callable[[Any], Any]]:
        if type(request).__name__ == "MetadataRequest":
            return METADATA, None, lambda answer: answer
        sent = request.prepare({**NEWEST, **self.versions.get(broker_id, {})})
        api = _described(sent.api, sent.version)
        how: Any = {"version": sent.version, "flexible": api.flexible(sent.version)}
        row = decode(api.request, BytesIO(sent.encode()), **how)

        def read(answer: Row) -> Any:
            raw = encode(api.response, answer, **how)
            raw = raw[:-1] if broker_id in self.nonsense else raw
            return sent.RESPONSE_TYPE.decode(BytesIO(raw))

        return api.name, row, read

    # What they say

    def _answer(self, broker_id: int, name: str, row: Row) -> Any:
        if name == METADATA:
            return self._metadata()
        answer: Row = getattr(self, f"_{name}")(broker_id, row)
        return {"throttle_time_ms": 0, **answer}

    def _metadata(self) -> Any:
        topics: dict[str, list[tuple[int, int, int]]] = {}
        for (topic, partition), log in self.logs.items():
            topics.setdefault(topic, []).append((0, partition, log.leader))
        return SimpleNamespace(
            brokers=[(one, f"b-{one}", 9092, None) for one in self.brokers],
            topics=[(0, topic, False, rows) for topic, rows in topics.items()],
        )

    def _ListGroups(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        del row
        rows = [
            {
                "group_id": name,
                "protocol_type": one.protocol,
                "group_state": one.state,
                "group_type": one.kind,
            }
            for name, one in self.groups.items()
            if one.coordinator == broker_id
        ]
        code = self.list_errors.get(broker_id, 0)
        return {"error_code": code, "groups": [] if code else rows}

    def _OffsetFetch(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        if "group_id" in row:
            self.sizes.append(("one", 1))
            one = self._committed(broker_id, row["group_id"])
            return {"topics": one["topics"], "error_code": one["error_code"]}
        self.sizes.append(("many", len(row["groups"])))
        return {"groups": [self._committed(broker_id, one["group_id"]) for one in row["groups"]]}

    def _committed(self, broker_id: int, name: str) -> Row:
        group = self.groups.get(name)
        code = group.error if group else 0
        if group and group.coordinator != broker_id:
            code = NOT_COORDINATOR
        offsets = group.committed if group and not code else {}
        errors = group.partition_errors if group else {}
        topics: dict[str, list[Row]] = {}
        for (topic, partition), offset in offsets.items():
            one = {
                "partition_index": partition,
                "committed_offset": offset,
                "committed_leader_epoch": -1,
                "metadata": "",
                "error_code": errors.get((topic, partition), 0),
            }
            topics.setdefault(topic, []).append(one)
        rows = [{"name": topic, "partitions": some} for topic, some in topics.items()]
        return {"group_id": name, "topics": rows, "error_code": code}

    def _ListOffsets(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        return {
            "topics": [
                {
                    "name": topic["name"],
                    "partitions": [
                        self._offset(broker_id, topic["name"], one, row["isolation_level"])
                        for one in topic["partitions"]
                    ],
                }
                for topic in row["topics"]
            ]
        }

    def _offset(self, broker_id: int, topic: str, asked: Row, isolation: int) -> Row:
        log = self.logs.get((topic, asked["partition_index"]))
        code = NO_SUCH if log is None else NOT_LEADER if log.leader != broker_id else 0
        offset = NO_OFFSET
        if log and not code:
            end = log.end if not isolation or log.stable_end is None else log.stable_end
            offset = {-1: end, -2: log.start}.get(asked["timestamp"], log.by_time)
        return {
            "partition_index": asked["partition_index"],
            "error_code": code,
            "timestamp": -1,
            "offset": offset,
            "leader_epoch": 0,
        }

    def _FindCoordinator(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        del broker_id
        return {"coordinators": [self._found(key) for key in row["coordinator_keys"]]}

    def _found(self, key: str) -> Row:
        group = self.groups.get(key)
        home = group.coordinator if group else self.brokers[0]
        known = home in self.brokers
        return {
            "key": key,
            "node_id": home if known else -1,
            "host": "",
            "port": -1,
            "error_code": 0 if known else 15,
            "error_message": None,
        }

    def _DescribeGroups(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        return {"groups": [self._described(broker_id, name) for name in row["groups"]]}

    def _described(self, broker_id: int, name: str) -> Row:
        group = self.groups.get(name, Group(coordinator=broker_id, state="Dead"))
        return {
            "error_code": 0 if group.coordinator == broker_id else NOT_COORDINATOR,
            "group_id": name,
            "group_state": group.state,
            "protocol_type": group.protocol,
            "protocol_data": "range",
            "members": group.members,
            "authorized_operations": -(2**31),
        }

    def _ConsumerGroupDescribe(self, broker_id: int, row: Row) -> Row:  # noqa: N802 - Kafka's name
        del broker_id
        return {
            "groups": [
                {
                    "error_code": 0,
                    "error_message": None,
                    "group_id": name,
                    "group_state": "Stable",
                    "group_epoch": 1,
                    "assignment_epoch": 1,
                    "assignor_name": "uniform",
                    "members": self.groups[name].members,
                    "authorized_operations": -(2**31),
                }
                for name in row["group_ids"]
            ]
        }


def _described(api: Api, version: int) -> Api:
    """The whole description: a request may have narrowed its versions."""
    if api.key == OFFSET_FETCH.key:
        return OFFSET_FETCH if version >= OFFSET_FETCH.version_min else OFFSET_FETCH_ONE
    return next(one for one in ALL if one.key == api.key)


def scanner_of(brokers: Any, **more: Any) -> LagScanner:
    return LagScanner(links=brokers, cluster="orders-prod", clock=lambda: NOW, **more)


def three(*, brokers: int = 3) -> ScriptedBrokers:
    """orders and paid with 3 partitions; a at broker 1, b at 2, c at 3."""
    scripted = ScriptedBrokers(brokers=brokers)
    scripted.topic("orders")
    scripted.topic("paid")
    scripted.group("a", at=1, orders=10)
    scripted.group("b", at=2, orders=20, paid=5)
    scripted.group("c", at=3, paid=30)
    return scripted


async def past_the_second(scripted: ScriptedBrokers, **more: Any) -> LagScanner:
    """A scanner that reads metadata by itself no more for a while: the second scan does."""
    scanner = scanner_of(scripted, **more)
    for _ in range(2):
        await scanner.scan()
    scripted.asked.clear()
    return scanner
