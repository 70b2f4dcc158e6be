"""Reads the lag of every group of a cluster in as few requests as Kafka allows.

The surprising truth: a scan of all groups costs no more requests than a scan of one. With B brokers:

1. Cold: metadata of one broker; groups of each (B); committed offsets of all groups at each
   coordinator (B); ends of all partitions at each leader (B). Together 3B + 1.
2. After that: committed offsets (B), groups of a fifth of the brokers in turn, at the same time; then
   ends (B). Together 2B + ⌈B/5⌉. A coordinator of more than 500 groups is asked once more for each
   further 500.
3. Committed offsets are read before ends, so lag is never negative.
4. Some coordinator says that it is not: all brokers list their groups again, what moved is asked for
   where it lives now, all in this scan (at most 2 requests more for each broker).
5. Some leader says that it is not, or a group committed on a topic that is not known: metadata is read
   again, and what has another leader is asked for there, in this scan.
6. A broker that does not answer within two seconds is blind for this scan. Its groups are missing, not
   gone; until it answers, the others are asked for their groups each time, for groups move.
7. Log starts (B more) and metadata (1 more) are read with the second scan and every tenth after that.
8. Some log ends earlier than it did, as that of a topic made anew does: its start is asked for at once.
9. A broker that names a rebalancing group lists its groups in each of the next twenty scans (1 more):
   what lasts seconds would be missed, or be taken for minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from aiokafka.errors import IncompatibleBrokerVersion

from changes.lag import GroupRead, LagScan, Member, TopicPartition
from cluster.errors import kafka_words
from cluster.lag_committed import CommittedRead, Coordinators
from cluster.lag_ends import Ends, EndsRead, ask
from cluster.lag_members import KINDS, Told, questions, told
from cluster.lag_round import Round, everything
from cluster.lag_sight import Sight
from cluster.lag_topics import Plan
from cluster.links import Links
from cluster.wire_cursor import END, READ_COMMITTED, Fetched, Found

START_SCANS = 10
"""Log starts and metadata are read once in as many scans."""
ANSWER_SECONDS_MAX = 2.0
"""In a scan: who is silent for longer is blind."""
QUESTION_SECONDS_MAX = 5.0
"""Beside a scan: old records may have to be looked up in remote storage."""


class LagScanner:
    """The real `changes.lag.Offsets` of one cluster, over `Links` that whoever made them closes.

    `wanted` says of a group's name whether its lag matters; it is asked each time a list is read.
    """

    def __init__(
        self,
        *,
        links: Links,
        cluster: str,
        wanted: Callable[[str], bool] = lambda _: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._sight = Sight(links=links, cluster=cluster)
        self._coordinators = Coordinators(sight=self._sight, wanted=wanted)
        self._ends = Ends(sight=self._sight)
        self._one_at_a_time = asyncio.Lock()
        """Else two questions would share a connection and its limit of requests on their way."""
        self._scans = 0
        self._contradicted = False

    async def scan(self) -> LagScan:
        """Raises `Unreachable` only when no broker was ever reached."""
        async with self._one_at_a_time:
            round_ = self._sight.round(seconds_max=ANSWER_SECONDS_MAX)
            await self._sight.open(round_)
            tenth = self._scans % START_SCANS == 1
            groups = await self._coordinators.read(
                round_, fresh_metadata=tenth or self._contradicted
            )
            at = self._clock()
            missing = self._missing(groups)
            ends = await self._ends.read(round_, some_missing=bool(missing), starts=tenth)
            if tenth:
                self._ends.tidy()
            self._scans += 1
            self._sight.blind = frozenset(round_.blind)
            self._contradicted = bool(round_.blind) or ends.moving
            return self._told(groups, ends, missing=missing, at=at)

    async def members(self, *, groups: Sequence[str]) -> Told:
        async with self._one_at_a_time:
            round_ = self._sight.round(seconds_max=QUESTION_SECONDS_MAX)
            found: dict[str, tuple[Member, ...] | str] = {}
            by_coordinator: dict[tuple[int, str], list[str]] = {}
            for group in dict.fromkeys(groups):
                home = self._coordinators.groups.homes.get(group)
                if home is None:
                    found[group] = "no broker named this group when it was asked last"
                elif home.kind not in KINDS:
                    found[group] = f"members of a group of type {home.kind} are not read"
                else:
                    by_coordinator.setdefault((home.broker_id, home.kind), []).append(group)
            await everything(
                _describe(round_, broker_id, kind, some, found)
                for (broker_id, kind), some in by_coordinator.items()
            )
            return found

    async def offsets_at(
        self, *, moment: datetime, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        milliseconds = max(0, int(moment.timestamp() * 1000))
        leaders = self._sight.leaders
        return await self._ask(lambda: leaders.plan(partitions, timestamp=milliseconds))

    async def committed_ends(
        self, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        leaders = self._sight.leaders
        return await self._ask(
            lambda: leaders.plan(partitions, timestamp=END, isolation=READ_COMMITTED)
        )

    async def _ask(self, plan: Callable[[], Plan]) -> Mapping[TopicPartition, int]:
        async with self._one_at_a_time:
            round_ = self._sight.round(seconds_max=QUESTION_SECONDS_MAX)
            await self._sight.open(round_)
            found = Found({}, {})
            await ask(round_, plan(), found)
            return found.offsets

    def _missing(self, read: CommittedRead) -> frozenset[str]:
        """Known before, and not read: a group that was named for the first time is not missing."""
        homes = self._coordinators.groups.homes
        return frozenset(group for group in read.known - read.fetched.keys() if group in homes)

    def _told(
        self, read: CommittedRead, ends: EndsRead, *, missing: frozenset[str], at: datetime
    ) -> LagScan:
        homes = self._coordinators.groups.homes
        groups = {
            group: _group_read(homes[group].state, homes[group].kind, homes[group].broker_id, one)
            for group, one in read.fetched.items()
            if group in homes
        }
        return LagScan(
            at=at,
            groups=groups,
            ends=ends.offsets,
            end_errors={key: kafka_words(code) for key, code in ends.codes.items()},
            starts=self._ends.starts,
            blind_brokers={**read.trouble, **read.round.blind},
            missing_groups=missing,
            requests=read.round.requests,
        )


def _group_read(state: str, kind: str, coordinator: int, one: Fetched) -> GroupRead:
    return GroupRead(
        state=state,
        kind=kind,
        coordinator=coordinator,
        committed={} if one.code else one.committed,
        error=kafka_words(one.code) if one.code else "",
        errors={key: kafka_words(code) for key, code in one.codes.items()} if one.codes else {},
    )


async def _describe(
    round_: Round,
    broker_id: int,
    kind: str,
    groups: Sequence[str],
    into: dict[str, tuple[Member, ...] | str],
) -> None:
    try:
        for question in questions(kind, groups):
            answer = await round_.ask(broker_id, question)
            into.update(told(kind, answer) if answer else {})
        why = round_.blind.get(broker_id, "it did not mention the group")
    except IncompatibleBrokerVersion as error:
        why = str(error)
    for group in groups:
        into.setdefault(group, f"broker {broker_id} did not tell: {why}")
