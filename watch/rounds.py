"""What is read how often, and one round of it: everything that is due, at once, each with its time-out.

1. Every scan: offsets of all groups; then, of partitions on which anybody lags, one rung of the ladder
   of ages; then the members of groups in trouble, and now and then of healthy ones. Where commits
   stand still, twice a minute, the ends that committed readers see.
2. Beside it, every scan (every other one when scans are quick): brokers, partitions, reassignments.
3. MSK's word each minute, CloudWatch's figures each of their periods, sizes every five minutes,
   topics' settings every ten and for new topics at once.

The surprising truth: no failure ends a round. What could not be read is missing in `Seen` and named
in `blind`; the rest is as good as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from changes.excuses import ChangeLease
from changes.facts import (
    BrokerLoad,
    ClusterRef,
    MskCluster,
    MskOperation,
    TopicSettings,
)
from changes.lag import LagScan, Member, Offsets, TopicPartition
from changes.ports import KafkaReading, Metrics, MskReading, Unreachable
from watch.lagging import lagging, of_groups, standing
from watch.placement import Placement, Sizes, placement_of, sized, sizes_of
from watch.reading import Part
from watch.seen import Rung, Seen
from watch.witnesses import pairs_to_ask

READ_SECONDS_MAX = 20.0
"""For one part of a round; the clients' own time-outs are shorter, this one is for their mistakes."""
MSK_SECONDS = 60.0
STABLE_ENDS_SECONDS = 30.0
SIZES_SECONDS = 300.0
GROUP_LAG_SECONDS = 150.0
"""CloudWatch's word for the lag of a few groups: a second witness, paid for by the metric. Twice in the
five minutes for which it must differ, so that no single figure of it ever calls anybody."""
TOPICS_SECONDS = 600.0
QUICK_SCAN_SECONDS = 15.0
"""Scans quicker than this read placement every other time: metadata is the largest answer of all."""
OPEN_AGAIN_SECONDS_MAX = 60.0
MEMBERS_GROUPS_MAX = 50
"""Groups in trouble whose members are asked for in one round, worst first."""
ROLL_CALL_SCANS = 5
ROLL_CALL_GROUPS = 100
"""Every fifth scan so many healthy groups are asked for theirs, in turn: who owned what must be known
before a group is gone."""
SILENT_ROUNDS_MAX = 10
"""After so many rounds without any answer of Kafka its addresses are asked for afresh."""


class Ports(Protocol):
    """The reading half of one cluster's ports."""

    @property
    def msk(self) -> MskReading: ...
    @property
    def kafka(self) -> KafkaReading: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def offsets(self) -> Offsets: ...


OpenPorts = Callable[[], AbstractAsyncContextManager[Ports]]


@dataclass(frozen=True)
class Wants:
    """What the settings in force ask of a round."""

    scan_seconds: float
    watched: Callable[[str], bool]
    """Is this group looked at?"""
    ladder: Sequence[float]
    """Ages in seconds to probe, one a scan."""
    trouble: Sequence[str] = ()
    """Groups whose members are wanted."""
    leases: tuple[ChangeLease, ...] = ()


class Msk(NamedTuple):
    cluster: MskCluster
    operations: tuple[MskOperation, ...]


@dataclass
class Rounds:
    """Reads one cluster. Everything it remembers is the newest value of each part."""

    cluster: ClusterRef
    open_ports: OpenPorts
    metrics_period_seconds: float
    _ports: Ports | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _open_at: float = 0.0
    _open_tries: int = 0
    _silent_rounds: int = 0
    _probes: int = 0
    _scans: int = 0
    _ids: tuple[int, ...] = ()
    """Brokers that Kafka named last."""
    _called: str = ""
    """The last group of the last roll call."""
    _rungs: dict[float, Rung] = field(default_factory=dict)
    _settings: dict[str, TopicSettings] = field(default_factory=dict)
    _asked_topics: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        every = self.metrics_period_seconds
        self._lag: Part[LagScan] = Part("lag", 0, READ_SECONDS_MAX)
        self._rung: Part[Rung] = Part("rungs", 0, READ_SECONDS_MAX)
        self._members: Part[Mapping[str, tuple[Member, ...] | str]] = Part(
            "members", 0, READ_SECONDS_MAX
        )
        self._stable: Part[Mapping[TopicPartition, int]] = Part(
            "stable ends", STABLE_ENDS_SECONDS, READ_SECONDS_MAX
        )
        self._group_lag: Part[Mapping[tuple[str, str], tuple[datetime, float]]] = Part(
            "group lag", GROUP_LAG_SECONDS, READ_SECONDS_MAX
        )
        self._placement: Part[Placement] = Part("placement", 0, READ_SECONDS_MAX)
        self._msk: Part[Msk] = Part("msk", MSK_SECONDS, READ_SECONDS_MAX)
        self._loads: Part[tuple[BrokerLoad, ...]] = Part("metrics", every, READ_SECONDS_MAX)
        self._sizes: Part[Sizes] = Part("sizes", SIZES_SECONDS, READ_SECONDS_MAX)
        self._topics: Part[int] = Part("topics", TOPICS_SECONDS, READ_SECONDS_MAX)

    @property
    def _parts(self) -> tuple[Part[object], ...]:
        parts = (self._lag, self._rung, self._members, self._stable, self._group_lag)
        return (*parts, self._placement, self._msk, self._loads, self._sizes, self._topics)  # type: ignore[return-value]

    async def look(self, *, now: datetime, mono: float, wants: Wants) -> Seen:
        """One round; never raises for what a cluster does."""
        ports = await self._opened(mono)
        if ports is not None:
            await asyncio.gather(
                self._read_offsets(ports, wants, now=now, mono=mono),
                self._read_placement(ports, wants, now=now, mono=mono),
                self._read_msk(ports, now=now, mono=mono),
            )
            await self._open_afresh_when_silent(mono)
        return self._seen(now, wants)

    async def close(self) -> None:
        self._ports = None
        await self._stack.aclose()

    async def _opened(self, mono: float) -> Ports | None:
        """The ports; None = not now, and every part says why."""
        if self._ports is not None or mono < self._open_at:
            return self._ports
        try:
            async with asyncio.timeout(2 * READ_SECONDS_MAX):
                self._ports = await self._stack.enter_async_context(self.open_ports())
            self._open_tries = 0
        except (Unreachable, TimeoutError) as away:
            words = str(away) or f"opening {self.cluster.name} took too long"
            self._later(mono, words)
        return self._ports

    def _later(self, mono: float, words: str) -> None:
        """Tries further and further apart: a cluster that comes back is not met by a storm."""
        self._open_at = mono + min(OPEN_AGAIN_SECONDS_MAX, 2.0**self._open_tries)
        self._open_tries = min(self._open_tries + 1, 10)
        for part in self._parts:
            part.forget(words)

    async def _open_afresh_when_silent(self, mono: float) -> None:
        silent = bool(self._lag.words and self._placement.words)
        self._silent_rounds = self._silent_rounds + 1 if silent else 0
        if self._silent_rounds >= SILENT_ROUNDS_MAX:
            self._silent_rounds = 0
            await self.close()
            self._open_at = mono

    async def _read_offsets(
        self, ports: Ports, wants: Wants, *, now: datetime, mono: float
    ) -> None:
        before = self._lag.value
        scan = await self._lag.read(ports.offsets.scan, now=now, mono=mono)
        if scan is None:
            self._rungs.clear()
            return
        self._lag.value = scan = of_groups(scan, wants.watched)
        await self._probe(ports.offsets, scan, wants, now=now, mono=mono)
        await self._read_members(ports.offsets, scan, wants, now=now, mono=mono)
        await self._read_stable(ports.offsets, scan, standing(before, scan), now=now, mono=mono)
        await self._read_group_lag(ports.metrics, scan, now=now, mono=mono)

    async def _read_group_lag(
        self, metrics: Metrics, scan: LagScan, *, now: datetime, mono: float
    ) -> None:
        if self._group_lag.due(mono):
            pairs = pairs_to_ask(scan)
            await self._group_lag.read(lambda: metrics.group_lag(pairs=pairs), now=now, mono=mono)

    async def _read_members(
        self, offsets: Offsets, scan: LagScan, wants: Wants, *, now: datetime, mono: float
    ) -> None:
        groups = [name for name in wants.trouble if name in scan.groups][:MEMBERS_GROUPS_MAX]
        groups += [name for name in self._roll_call(scan) if name not in groups]
        if groups:
            await self._members.read(lambda: offsets.members(groups=groups), now=now, mono=mono)
        else:
            self._members.value, self._members.words = {}, ""

    def _roll_call(self, scan: LagScan) -> Sequence[str]:
        self._scans += 1
        if self._scans % ROLL_CALL_SCANS != 1:
            return ()
        stable = sorted(name for name, group in scan.groups.items() if group.state == "Stable")
        following = [name for name in stable if name > self._called] or stable
        called = following[:ROLL_CALL_GROUPS]
        self._called = called[-1] if called else ""
        return called

    async def _read_stable(
        self,
        offsets: Offsets,
        scan: LagScan,
        still: Sequence[TopicPartition],
        *,
        now: datetime,
        mono: float,
    ) -> None:
        """Only ends that a transaction holds are kept: they are carried over some scans, and any other
        would look held as soon as the log grows."""

        async def ask() -> Mapping[TopicPartition, int]:
            found = await offsets.committed_ends(partitions=still)
            return {place: end for place, end in found.items() if end < scan.ends.get(place, end)}

        if not still:
            self._stable.value, self._stable.words = {}, ""
        elif self._stable.due(mono):
            await self._stable.read(ask, now=now, mono=mono)

    async def _probe(
        self, offsets: Offsets, scan: LagScan, wants: Wants, *, now: datetime, mono: float
    ) -> None:
        """The next rung of the ladder; those of an age nobody asks for any more are dropped."""
        partitions = lagging(scan)
        oldest = now - timedelta(seconds=3 * wants.scan_seconds * max(1, len(wants.ladder)))
        self._rungs = {
            age: rung
            for age, rung in self._rungs.items()
            if partitions and age in wants.ladder and rung.at >= oldest
        }
        if not partitions or not wants.ladder:
            self._rung.words = ""
            return
        age = wants.ladder[self._probes % len(wants.ladder)]
        self._probes += 1

        async def ask() -> Rung:
            moment = now - timedelta(seconds=age)
            found = await offsets.offsets_at(moment=moment, partitions=partitions)
            return Rung(age_seconds=age, at=now, offsets=found)

        rung = await self._rung.read(ask, now=now, mono=mono)
        if rung is not None:
            self._rungs[age] = rung

    async def _read_placement(
        self, ports: Ports, wants: Wants, *, now: datetime, mono: float
    ) -> None:
        quick = wants.scan_seconds < QUICK_SCAN_SECONDS
        self._placement.every_seconds = wants.scan_seconds * (2 if quick else 1)
        if self._placement.due(mono):
            await self._placement.read(lambda: placement_of(ports.kafka), now=now, mono=mono)
        placed = self._placement.value
        if placed is not None:
            self._ids = tuple(broker.broker_id for broker in placed.brokers)
        # CloudWatch answers for brokers that Kafka cannot name just now.
        reading = [self._read_loads(ports.metrics, self._ids, now=now, mono=mono)]
        if placed is not None:
            topics = {partition.topic for partition in placed.partitions}
            reading.append(self._read_sizes(ports.kafka, self._ids, now=now, mono=mono))
            reading.append(self._read_topics(ports.kafka, topics, now=now, mono=mono))
        elif self._sizes.due(mono):
            self._sizes.forget(self._placement.words)
        await asyncio.gather(*reading)

    async def _read_loads(
        self, metrics: Metrics, ids: Sequence[int], *, now: datetime, mono: float
    ) -> None:
        if not ids:
            self._loads.forget("no broker is known yet whose figures could be read")
        elif self._loads.due(mono):
            await self._loads.read(lambda: metrics.loads(broker_ids=ids), now=now, mono=mono)

    async def _read_sizes(
        self, kafka: KafkaReading, ids: Sequence[int], *, now: datetime, mono: float
    ) -> None:
        if self._sizes.due(mono):
            await self._sizes.read(lambda: sizes_of(kafka, ids), now=now, mono=mono)

    async def _read_topics(
        self, kafka: KafkaReading, topics: set[str], *, now: datetime, mono: float
    ) -> None:
        """All of them when it is time, else the new ones; each is asked for once in between."""
        if self._topics.due(mono):
            self._asked_topics.clear()
        new = sorted(topics - self._asked_topics)
        self._asked_topics &= topics
        if not new:
            return
        self._asked_topics |= set(new)

        async def ask() -> int:
            found = await kafka.topic_settings(topics=new)
            kept = {**self._settings, **found}
            self._settings = {name: one for name, one in kept.items() if name in topics}
            return len(found)

        # New topics do not put off the reading of all.
        next_at = 0.0 if self._topics.due(mono) else self._topics.next_at
        if await self._topics.read(ask, now=now, mono=mono) is not None and next_at:
            self._topics.next_at = next_at

    async def _read_msk(self, ports: Ports, *, now: datetime, mono: float) -> None:
        async def ask() -> Msk:
            cluster, operations = await asyncio.gather(ports.msk.describe(), ports.msk.operations())
            return Msk(cluster, operations)

        if self._msk.due(mono):
            await self._msk.read(ask, now=now, mono=mono)

    def _seen(self, now: datetime, wants: Wants) -> Seen:
        placed, sizes, msk = self._placement.value, self._sizes.value, self._msk.value
        members = self._members.value or {}
        return Seen(
            at=now,
            cluster=self.cluster,
            scan_seconds=wants.scan_seconds,
            lag=self._lag.value,
            rungs=tuple(self._rungs[age] for age in sorted(self._rungs)),
            members={name: one for name, one in members.items() if not isinstance(one, str)},
            stable_ends=self._stable.value or {},
            brokers=placed.brokers if placed else None,
            partitions=sized(placed.partitions, sizes) if placed else None,
            sizes_at=self._sizes.read_at,
            reassignments=placed.reassignments if placed else None,
            topics=dict(self._settings),
            msk=msk.cluster if msk else None,
            operations=msk.operations if msk else None,
            loads=self._loads.value,
            loads_at=self._loads.read_at,
            group_lag=self._group_lag.value,
            leases=wants.leases,
            blind=self._blind(sizes, members),
        )

    def _blind(
        self, sizes: Sizes | None, members: Mapping[str, tuple[Member, ...] | str]
    ) -> Mapping[str, str]:
        blind = {part.name: part.words for part in self._parts if part.words}
        unread = [f"{name}: {one}" for name, one in members.items() if isinstance(one, str)]
        if unread:
            blind["members"] = "; ".join(unread[:3])
        if sizes is not None and sizes.silent:
            blind["sizes"] = sizes.silent
        placed = self._placement.value
        if placed is not None and placed.unread:
            blind["reassignments"] = placed.unread
        return blind
