"""Consumer groups in memory, as the port `changes.lag.Offsets`: what a whole watch is tested over.

Tests write the truth by the verbs (`topic`, `produce`, `group`, `commit`, …) and its fields; `scan`
shows it as the real scanner would: groups of silent brokers are missing, log starts are old.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from changes.lag import NO_OFFSET, GroupRead, LagScan, Member, TopicPartition
from changes.ports import Unreachable
from tests.fakes.clock import FakeClock

START_SCANS = 10


@dataclass
class FakeLog:
    """One partition; records of one moment are kept as one batch, so millions cost little."""

    leader: int
    start: int = 0
    end: int = 0
    open_transaction_at: int | None = None
    """First offset of a transaction that nobody has ended: READ_COMMITTED reads up to here."""
    error: str = ""
    """Why its end cannot be read, when it cannot."""
    times: list[datetime] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    """First offset of the batch written at each of `times`."""

    def append(self, count: int, at: datetime) -> None:
        if count > 0:
            self.times.append(at)
            self.firsts.append(self.end)
            self.end += count

    def first_at(self, moment: datetime) -> int:
        index = bisect_left(self.times, moment)
        if index == len(self.times):
            return NO_OFFSET
        first = max(self.firsts[index], self.start)
        return first if first < self.end else NO_OFFSET


@dataclass
class FakeGroup:
    coordinator: int
    state: str = "Stable"
    kind: str = "classic"
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    errors: dict[TopicPartition, str] = field(default_factory=dict)
    error: str = ""
    members: list[Member] = field(default_factory=list)


class FakeOffsets:
    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        brokers: Sequence[int] = (1, 2, 3),
        wanted: Callable[[str], bool] = lambda _: True,
        start_scans: int = START_SCANS,
    ) -> None:
        self.clock: Callable[[], datetime] = clock or FakeClock()
        self.brokers = list(brokers)
        self.logs: dict[TopicPartition, FakeLog] = {}
        self.groups: dict[str, FakeGroup] = {}
        self.silent_brokers: dict[int, str] = {}
        """Brokers that do not answer, with the words for it."""
        self.gone = False
        """No broker was ever reached: every call raises `Unreachable`."""
        self.calls: list[str] = []
        self._wanted = wanted
        self._start_scans = start_scans
        self._starts: dict[TopicPartition, int] = {}
        self._seen: dict[str, int] = {}
        """Groups told before, with their coordinator then."""
        self._scans = 0

    # What tests hold it by

    def topic(self, name: str, *, partitions: int = 1, start: int = 0, end: int = 0) -> None:
        """Leaders in turn; records up to `end` are older than any moment asked for."""
        for number in range(partitions):
            leader = self.brokers[(len(self.logs)) % len(self.brokers)]
            self.logs[name, number] = FakeLog(leader=leader, start=start, end=max(start, end))

    def delete_topic(self, name: str) -> None:
        """Kafka deletes what groups committed on it, too."""
        for key in [key for key in self.logs if key[0] == name]:
            del self.logs[key]
            for group in self.groups.values():
                group.committed.pop(key, None)

    def produce(
        self, topic: str, partition: int, count: int, *, at: datetime | None = None
    ) -> None:
        """Records with the timestamp of now, or of `at`."""
        self.logs[topic, partition].append(count, at or self.clock())

    def group(
        self,
        name: str,
        *,
        state: str = "Stable",
        kind: str = "classic",
        coordinator: int | None = None,
        members: Sequence[Member] = (),
    ) -> FakeGroup:
        home = coordinator or self.brokers[len(self.groups) % len(self.brokers)]
        made = FakeGroup(coordinator=home, state=state, kind=kind, members=list(members))
        self.groups[name] = made
        return made

    def commit(self, group: str, topic: str, partition: int, offset: int) -> None:
        self.groups[group].committed[topic, partition] = offset

    def follow(self, group: str, topic: str, *, behind: int = 0) -> None:
        """The group commits on every partition of a topic, that many records before the end."""
        for (name, partition), log in self.logs.items():
            if name == topic:
                self.commit(group, topic, partition, max(log.start, log.end - behind))

    def delete_group(self, name: str) -> None:
        del self.groups[name]

    # The port

    async def scan(self) -> LagScan:
        self._asked("scan")
        if self._scans % self._start_scans == 0:
            self._starts = {key: log.start for key, log in self._readable()}
        self._scans += 1
        keys: dict[str, list[TopicPartition]] = {}
        for key in self.logs:
            keys.setdefault(key[0], []).append(key)
        told = {
            name: self._read(group, keys)
            for name, group in self.groups.items()
            if self._wanted(name) and group.coordinator not in self.silent_brokers
        }
        missing = {
            name
            for name, before in self._seen.items()
            if name not in told and (name in self.groups or before in self.silent_brokers)
        }
        self._seen = {
            **{name: self._seen[name] for name in missing},
            **{name: one.coordinator for name, one in told.items()},
        }
        topics = {topic for one in self.groups.values() for topic, _ in one.committed}
        brokers = len(self.brokers)
        return LagScan(
            at=self.clock(),
            groups=told,
            ends={k: log.end for k, log in self._readable() if k[0] in topics and not log.error},
            end_errors=self._end_errors(topics),
            starts={key: start for key, start in self._starts.items() if key in self.logs},
            blind_brokers=dict(self.silent_brokers),
            missing_groups=frozenset(missing),
            requests=2 * brokers + ceil(brokers / 5),
        )

    async def members(self, *, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...] | str]:
        self._asked("members", *groups)
        return {name: self._members(name) for name in groups}

    async def offsets_at(
        self, *, moment: datetime, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._asked("offsets_at", moment.isoformat())
        wanted = set(partitions)
        return {
            key: log.first_at(moment)
            for key, log in self._readable()
            if key in wanted and not log.error
        }

    async def committed_ends(
        self, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._asked("committed_ends")
        wanted = set(partitions)
        return {
            key: log.end if log.open_transaction_at is None else log.open_transaction_at
            for key, log in self._readable()
            if key in wanted and not log.error
        }

    # Inside

    def _asked(self, *what: str) -> None:
        self.calls.append(" ".join(what))
        if self.gone:
            raise Unreachable("reading offsets: no broker was reached (the test wants it so)")

    def _readable(self) -> list[tuple[TopicPartition, FakeLog]]:
        """Logs whose leader answers."""
        return [(k, log) for k, log in self.logs.items() if log.leader not in self.silent_brokers]

    def _read(self, group: FakeGroup, keys: Mapping[str, Sequence[TopicPartition]]) -> GroupRead:
        """Partitions of a topic that it commits on elsewhere are there, with `NO_OFFSET`."""
        topics = {topic for topic, _ in group.committed}
        every = {key: NO_OFFSET for topic in topics for key in keys.get(topic, ())}
        every |= group.committed
        return GroupRead(
            state=group.state,
            kind=group.kind,
            coordinator=group.coordinator,
            committed={}
            if group.error
            else {key: one for key, one in every.items() if key not in group.errors},
            error=group.error,
            errors=dict(group.errors),
        )

    def _end_errors(self, topics: set[str]) -> dict[TopicPartition, str]:
        said = {key: log.error for key, log in self._readable() if key[0] in topics and log.error}
        unknown = {
            key: "no such topic or partition"
            for group in self.groups.values()
            for key in group.committed
            if key not in self.logs
        }
        return {**said, **unknown}

    def _members(self, name: str) -> tuple[Member, ...] | str:
        group = self.groups.get(name)
        if group is None:
            return "no broker named this group when it was asked last"
        silent = self.silent_brokers.get(group.coordinator)
        if silent is not None:
            return f"broker {group.coordinator} did not tell: {silent}"
        return tuple(group.members)
