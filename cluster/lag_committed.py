"""The first half of a scan: what every group has committed, wherever it lives by now.

The surprising truth: committed offsets and lists of groups are asked for at the same time, so what a
list says of groups that come, move or go is known only when the offsets were asked of the old place.
What an answer contradicts is mended in the same scan, what is merely new waits for the next one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion

from changes.lag import REBALANCING
from cluster.errors import kafka_words
from cluster.lag_groups import ANSWER_BYTES_MAX, LIST, Groups
from cluster.lag_round import IN_FLIGHT_MAX, Round, everything
from cluster.lag_sight import Sight
from cluster.wire_cursor import Fetched
from cluster.wire_offsets import FIND_COORDINATOR
from cluster.wire_requests import Ask

LIST_SCANS = 5
"""Every broker lists its groups once in as many scans."""
RESTLESS_SCANS = 20
"""Ten minutes at a look every 30 s: as long as rebalances are counted together."""
SINGLES_IN_FLIGHT_MAX = 64
"""Of a broker that is asked for each group by itself (Kafka below 3.0)."""
NOT_COORDINATOR = 16


@dataclass
class CommittedRead:
    """What one scan has read of groups so far."""

    round: Round
    known: frozenset[str]
    """Groups known before it began."""
    fetched: dict[str, Fetched] = field(default_factory=dict)
    unnamed: dict[str, int] = field(default_factory=dict)
    """Groups that a broker named before and names no more, with that broker."""
    trouble: dict[int, str] = field(default_factory=dict)
    """Brokers that answer, but not to this, with the reason."""

    def has(self, group: str) -> bool:
        found = self.fetched.get(group)
        return found is not None and found.code != NOT_COORDINATOR


class Coordinators:
    """Reads committed offsets of all groups; remembers between scans where each lives."""

    def __init__(self, *, sight: Sight, wanted: Callable[[str], bool]) -> None:
        self.groups = Groups(keys=sight.leaders.keys, wanted=wanted)
        self._sight = sight
        self._turn = 0
        self._restless: dict[int, int] = {}
        """Brokers that named a wanted group which rebalances, with how many scans more they list every time."""

    async def read(self, round_: Round, *, fresh_metadata: bool) -> CommittedRead:
        """Cold, lists come before what they name; else everything at once."""
        self._sight.leaders.keys.committed.clear()
        read = CommittedRead(round_, frozenset(self.groups.homes))
        due = self._due()
        if not self.groups.listed:
            await everything(self._list(read, broker_id) for broker_id in due)
            due = ()
        work: list[Any] = [self._fetch_standing(read, one) for one in self.groups.brokers()]
        work += [self._list(read, broker_id) for broker_id in due]
        if fresh_metadata:
            self.groups.hope_again()
            work.append(self._sight.refresh(round_))
        await everything(work)
        await self._mend(read)
        return read

    def _due(self) -> tuple[int, ...]:
        """Who lists its groups in this scan: some in turn, those whose list is not known, and those that
        lately coordinated a rebalance, which lasts seconds and would be missed or seen for minutes. When
        a broker was silent all do, for its groups move."""
        brokers = self._sight.brokers()
        if self._sight.blind:
            return brokers
        share = ceil(len(brokers) / LIST_SCANS)
        turn = {brokers[(self._turn + one) % len(brokers)] for one in range(share)}
        self._turn += share
        restless = {one for one in self._restless if one in brokers}
        self._restless = {one: left - 1 for one, left in self._restless.items() if left > 1}
        return tuple(sorted(turn | restless | (set(brokers) - self.groups.listed)))

    async def _list(self, read: CommittedRead, broker_id: int) -> None:
        try:
            answer = await read.round.ask(broker_id, LIST)
        except IncompatibleBrokerVersion as error:
            read.trouble[broker_id] = f"it cannot list its groups with their states: {error}"
            return
        if answer is None:
            return
        code, rows = answer
        if code:
            read.trouble[broker_id] = f"it does not list its groups: {kafka_words(code)}"
            self.groups.listed.discard(broker_id)
        else:
            read.unnamed.update(dict.fromkeys(self.groups.learn(broker_id, rows), broker_id))
            if any(row.state in REBALANCING and row.group in self.groups.homes for row in rows):
                self._restless[broker_id] = RESTLESS_SCANS

    async def _fetch_standing(self, read: CommittedRead, broker_id: int) -> None:
        await self._fetch(read, broker_id, lambda: self.groups.standing_plan(broker_id))

    async def _fetch_some(self, read: CommittedRead, broker_id: int, groups: list[str]) -> None:
        await self._fetch(read, broker_id, lambda: self.groups.plan(broker_id, sorted(groups)))

    async def _fetch(
        self, read: CommittedRead, broker_id: int, plan: Callable[[], Sequence[Any]]
    ) -> None:
        """Planned anew, each group by itself, when the broker is too old for many at once."""
        single = self.groups.is_single(broker_id)
        in_flight = SINGLES_IN_FLIGHT_MAX if single else IN_FLIGHT_MAX
        try:
            answers = await read.round.ask_all(broker_id, plan(), in_flight=in_flight)
        except IncompatibleBrokerVersion as error:
            if single:
                read.trouble[broker_id] = f"it cannot tell committed offsets: {error}"
                return
            self.groups.must_be_single(broker_id)
            await self._fetch(read, broker_id, plan)
            return
        for answer in answers:
            read.fetched.update({one.group: one for one in answer.groups})
            if answer.size_bytes > ANSWER_BYTES_MAX and len(answer.groups) > 1:
                entries = {one.group: len(one.committed) for one in answer.groups}
                self.groups.outgrown(broker_id, entries)

    async def _mend(self, read: CommittedRead) -> None:
        """Find groups that are not where they were asked for, and read them where they are."""
        moved = [one.group for one in read.fetched.values() if one.code == NOT_COORDINATOR]
        if moved:
            work = (self._list(read, broker_id) for broker_id in self._sight.brokers())
            await everything(work)
        homeless = self._homeless(read)
        await self._find(read, homeless)
        if moved or homeless or self._sight.blind:
            await self._fetch_unread(read)
        self._forget_deleted(read)

    def _homeless(self, read: CommittedRead) -> set[str]:
        """Groups not read yet whose broker is gone, or names them no more while no other does."""
        brokers = set(self._sight.brokers())
        gone = self.groups.at(set(self.groups.brokers()) - brokers)
        unnamed = {
            group
            for group, broker_id in read.unnamed.items()
            if (home := self.groups.homes.get(group)) and home.broker_id == broker_id
        }
        return {group for group in gone | unnamed if not read.has(group)}

    async def _find(self, read: CommittedRead, groups: set[str]) -> None:
        """Ask any broker who coordinates these; a group that nobody coordinates stays missing."""
        seeing = [one for one in self._sight.brokers() if one not in read.round.blind]
        if not groups or not seeing:
            return
        question = Ask(FIND_COORDINATOR, {"key_type": 0, "coordinator_keys": sorted(groups)})
        try:
            answer = await read.round.ask(random.choice(seeing), question)
        except IncompatibleBrokerVersion:
            return  # Kafka 2.8: the lists of the next scans will name them
        found = {
            one["key"]: one["node_id"]
            for one in (answer["coordinators"] if answer else ())
            if not one["error_code"] and one["key"] in groups
        }
        if set(found.values()) - set(self._sight.brokers()):
            await self._sight.refresh(read.round)
        for group, broker_id in found.items():
            self.groups.move(group, broker_id)

    async def _fetch_unread(self, read: CommittedRead) -> None:
        brokers = set(self._sight.brokers())
        by_broker: dict[int, list[str]] = {}
        for group, home in self.groups.homes.items():
            if home.broker_id in brokers and not read.has(group):
                by_broker.setdefault(home.broker_id, []).append(group)
        await everything(map(partial(self._fetch_some, read), by_broker.keys(), by_broker.values()))

    def _forget_deleted(self, read: CommittedRead) -> None:
        """Named no more, and nothing committed, says a broker that does coordinate it."""
        gone = [
            group
            for group in read.unnamed
            if (one := read.fetched.get(group)) and not (one.code or one.committed or one.codes)
        ]
        self.groups.forget(gone)
        for group in gone:
            del read.fetched[group]
