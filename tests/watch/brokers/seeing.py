"""Rounds of the watch as tests like them: a healthy cluster, and whatever a test makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from changes.facts import (
    Broker,
    BrokerLoad,
    ClusterRef,
    MskCluster,
    MskOperation,
    Partition,
    Reassignment,
    TopicSettings,
)
from changes.incident import Finding
from changes.lag import GroupRead, LagScan
from watch.history import History
from watch.rule import Looked, Rule, Tuned
from watch.seen import Seen

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
REF = ClusterRef(name="orders", arn="arn:orders", region="eu-west-1", environment="test")
GIB = 1024**3
AZS = ("az1", "az2", "az3")


@cache
def brokers_of(number: int, *, zones: int = 3) -> tuple[Broker, ...]:
    return tuple(Broker(broker_id=i + 1, rack=AZS[i % zones]) for i in range(number))


def msk_of(**fields: Any) -> MskCluster:
    usual: dict[str, Any] = {
        "arn": REF.arn,
        "name": REF.name,
        "cluster_type": "PROVISIONED",
        "state": "ACTIVE",
        "current_version": "K1",
        "instance_type": "kafka.m5.large",
        "broker_count": 3,
        "az_ids": AZS,
        "volume_gib": 1000,
        "kafka_version": "3.8.x.kraft",
    }
    return MskCluster(**{**usual, **fields})


def led(
    counts: Mapping[int, int],
    *,
    topic: str = "orders",
    copies: int = 3,
    size_bytes: int = 0,
    among: Sequence[int] = (),
) -> tuple[Partition, ...]:
    """Partitions of one topic, so many led by each broker, followers taken in turn."""
    ids = list(among or sorted(counts))
    numbers = count()
    return tuple(
        partition_of(topic, next(numbers), replicas_from(ids, broker, copies, turn), size_bytes)
        for broker, many in counts.items()
        for turn in range(many)
    )


@cache
def four_each(number: int) -> tuple[Partition, ...]:
    """Every broker leads four partitions."""
    ids = range(1, number + 1)
    return led(dict.fromkeys(ids, 4), among=ids)


def replicas_from(ids: Sequence[int], leader: int, copies: int, turn: int) -> tuple[int, ...]:
    others = [one for one in ids if one != leader]
    start = turn % len(others) if others else 0
    return (leader, *(others[start:] + others[:start])[: copies - 1])


def partition_of(
    topic: str, number: int, replicas: tuple[int, ...], size_bytes: int = 0, **fields: Any
) -> Partition:
    usual: dict[str, Any] = {
        "topic": topic,
        "partition": number,
        "replicas": replicas,
        "isr": replicas,
        "leader": replicas[0],
        "size_bytes": size_bytes,
    }
    return Partition(**{**usual, **fields})


def moving(*moves: Reassignment) -> tuple[Reassignment, ...]:
    return moves


def move_of(
    topic: str, partition: int, *, to: Iterable[int], away: Iterable[int] = ()
) -> Reassignment:
    return Reassignment(
        topic=topic, partition=partition, replicas=(), adding=tuple(to), removing=tuple(away)
    )


def loads_of(**by_figure: Mapping[int, float | None]) -> tuple[BrokerLoad, ...]:
    """`loads_of(disk_used_percent={1: 40.0})`."""
    ids = sorted({broker for values in by_figure.values() for broker in values})
    return tuple(
        BrokerLoad(
            broker_id=broker, **{name: values.get(broker) for name, values in by_figure.items()}
        )
        for broker in ids
    )


def storage_operation(at: datetime) -> MskOperation:
    return MskOperation(
        arn="arn:op", kind="UPDATE_BROKER_STORAGE", state="UPDATE_COMPLETE", created_at=at
    )


def seen_of(at: datetime = NOW, *, number: int = 3, **parts: Any) -> Seen:
    """A round in which everything was read and nothing is wrong, but for `parts`."""
    everyone = brokers_of(number)
    ids = [one.broker_id for one in everyone]
    partitions = parts["partitions"] if "partitions" in parts else four_each(number)
    copies = {one.topic: len(one.replicas) for one in partitions or ()}
    usual: dict[str, Any] = {
        "brokers": everyone,
        "partitions": partitions,
        "sizes_at": at,
        "reassignments": (),
        "topics": {topic: TopicSettings(min_isr=min(2, many)) for topic, many in copies.items()},
        "msk": msk_of(broker_count=number),
        "operations": (),
        "loads": loads_of(
            disk_used_percent=dict.fromkeys(ids, 40.0),
            cpu_percent=dict.fromkeys(ids, 20.0),
            bytes_in_per_second=dict.fromkeys(ids, 1000.0),
        ),
        "loads_at": at,
        "lag": lag_of(at),
    }
    return Seen(at=at, cluster=REF, scan_seconds=30, **{**usual, **parts})


def lag_of(at: datetime = NOW, **fields: Any) -> LagScan:
    usual: dict[str, Any] = {"at": at, "groups": {}, "ends": {}}
    return LagScan(**{**usual, **fields})


def group_of(committed: Mapping[tuple[str, int], int], **fields: Any) -> GroupRead:
    usual: dict[str, Any] = {"state": "Stable", "kind": "classic", "coordinator": 1}
    return GroupRead(committed=committed, **{**usual, **fields})


def look(rule: Rule[Any], seen: Seen, history: History | None = None, **settings: Any) -> Looked:
    """What the rule says of this round; the round is added to the history first."""
    history = history or History()
    history.add(seen)
    return rule.look(history, seen, seen.at, Tuned(base=rule.Settings(**settings)))


def only(looked: Looked) -> Finding:
    assert len(looked.findings) == 1, looked
    return looked.findings[0]


class Clock:
    """Feeds a rule round by round and keeps what people would be told of: a finding fires once it
    held for its `for_seconds`, and is over once it was gone for its `keep_seconds`."""

    def __init__(self, rule: Rule[Any], *, every: timedelta, **settings: Any) -> None:
        self.rule = rule
        self.every = every
        self.tuned: Tuned[Any] = Tuned(base=rule.Settings(**settings))
        self.history = History()
        self.at = NOW
        self.firing: dict[str, Finding] = {}
        self.fired: list[tuple[float, Finding]] = []
        self.ended: list[tuple[float, str]] = []
        self._since: dict[str, datetime] = {}
        self._gone: dict[str, datetime] = {}

    @property
    def minutes(self) -> float:
        return (self.at - NOW) / timedelta(minutes=1)

    def round(self, seen: Seen) -> Looked:
        assert seen.at == self.at
        self.history.add(seen)
        looked = self.rule.look(self.history, seen, self.at, self.tuned)
        found = {one.key: one for one in looked.findings}
        blind = {one.subject for one in looked.unseen}
        for key in {*found, *self._since, *self.firing}:
            self._move(key, found.get(key), blind)
        self.at += self.every
        return looked

    def _move(self, key: str, finding: Finding | None, blind: set[str]) -> None:
        if finding is None and (key.split("/", 2)[2] in blind or "*" in blind):
            return
        if finding is not None:
            self._gone.pop(key, None)
            if key in self.firing:
                self._louder(key, finding)
            elif finding.phase == "trigger":
                since = self._since.setdefault(key, self.at)
                if (self.at - since).total_seconds() >= finding.for_seconds:
                    self._louder(key, finding)
            return
        self._since.pop(key, None)
        if key in self.firing:
            gone = self._gone.setdefault(key, self.at)
            if (self.at - gone).total_seconds() >= self.firing[key].keep_seconds:
                del self.firing[key]
                self.ended.append((self.minutes, key))

    def _louder(self, key: str, finding: Finding) -> None:
        before = self.firing.get(key)
        self.firing[key] = finding
        if finding.phase == "trigger" and (before is None or finding.severity > before.severity):
            self.fired.append((self.minutes, finding))
