"""The second half of a scan: where the logs end and begin, of every topic that any group commits on.

The surprising truth: all partitions of such a topic are asked for, also those nobody committed on. Then
the question stays the same from scan to scan, and a partition that a group has forgotten shows up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from changes.lag import TopicPartition
from cluster.lag_round import Round, everything
from cluster.lag_sight import Sight
from cluster.lag_topics import NOBODY, Plan
from cluster.wire_cursor import END, START, Found

NO_SUCH, NO_LEADER, NOT_LEADER, FENCED, UNKNOWN_EPOCH = 3, 5, 6, 74, 75
MOVING = frozenset({NO_LEADER, NOT_LEADER, FENCED, UNKNOWN_EPOCH})
"""Soon some leader will be known."""
CONTRADICTED = MOVING | {NO_SUCH}
"""Metadata may know better than when it was asked last."""


@dataclass
class EndsRead:
    """A partition stands in `offsets` or in `codes`."""

    round: Round
    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    codes: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def moving(self) -> bool:
        return not MOVING.isdisjoint(self.codes.values())


class Ends:
    """Remembers between scans the topics that are of interest, starts, and what cannot be helped."""

    def __init__(self, *, sight: Sight) -> None:
        self.starts: Mapping[TopicPartition, int] = {}
        """As they were read last."""
        self._ends: dict[TopicPartition, int] = {}
        """As they were read last, whatever the newest scan could see."""
        self._sight = sight
        self._topics: frozenset[str] = frozenset()
        self._hopeless: frozenset[TopicPartition] = frozenset()
        """Fresh metadata did not help these; it is not asked for in every scan because of them."""

    async def read(self, round_: Round, *, some_missing: bool, starts: bool) -> EndsRead:
        """`some_missing`: groups were not read, so topics of before are still of interest."""
        leaders, read = self._sight.leaders, EndsRead(round_)
        self._topics = frozenset(leaders.keys.committed) | (
            self._topics if some_missing else frozenset()
        )
        if leaders.strangers(self._topics) - self._hopeless:
            await self._sight.refresh(round_)
        await everything([self._ask_ends(read), *([self._ask_starts(round_)] if starts else [])])
        await self._mend(read)
        await self._ask_starts_anew(read)
        for key in leaders.leaderless(self._topics):
            read.codes.setdefault(key, NO_LEADER)
        for key in leaders.strangers(self._topics):
            read.codes.setdefault(key, NO_SUCH)
        self._hopeless = frozenset(key for key, code in read.codes.items() if code in CONTRADICTED)
        return read

    def tidy(self) -> None:
        """Drop what is of interest no more, and hope again for the hopeless."""
        self._sight.leaders.forget_all_but(self._topics)
        self._ends = {key: end for key, end in self._ends.items() if key[0] in self._topics}
        self._hopeless = frozenset()

    async def _ask_ends(self, read: EndsRead) -> None:
        plan = self._sight.leaders.standing_plan(self._topics, timestamp=END)
        await ask(read.round, plan, Found(read.offsets, read.codes))

    async def _ask_starts(self, round_: Round) -> None:
        """What cannot be read keeps the start that was read before: a log's start only grows."""
        found = Found({}, {})
        plan = self._sight.leaders.standing_plan(self._topics, timestamp=START)
        await ask(round_, plan, found)
        topics = self._topics
        kept = {key: start for key, start in self.starts.items() if key[0] in topics}
        self.starts = {**kept, **found.offsets}

    async def _ask_starts_anew(self, read: EndsRead) -> None:
        """A log that ends earlier than before may have been made anew, and what was lost of the old one
        is no loss. Where the answer fails, a start beyond the end is of no log at all."""
        before = self._ends
        shorter = [key for key, end in read.offsets.items() if end < before.get(key, 0)]
        before.update(read.offsets)
        if shorter:
            found = Found({}, {})
            await ask(read.round, self._sight.leaders.plan(shorter, timestamp=START), found)
            starts = {**self.starts, **found.offsets}
            beyond = {key for key in shorter if read.offsets[key] < starts.get(key, 0)}
            self.starts = {key: start for key, start in starts.items() if key not in beyond}

    async def _mend(self, read: EndsRead) -> None:
        """Once, of another leader, where fresh metadata names one."""
        leaders = self._sight.leaders
        refused = {key for key, code in read.codes.items() if code in CONTRADICTED}
        refused |= leaders.leaderless(self._topics)
        if not refused - self._hopeless:
            return
        before = {key: leaders.leader_of(key) for key in refused}
        await self._sight.refresh(read.round)
        moved = [
            key for key in refused if leaders.leader_of(key) not in (before[key], None, NOBODY)
        ]
        again = Found({}, {})
        await ask(read.round, leaders.plan(moved, timestamp=END), again)
        for key in again.offsets:
            read.codes.pop(key, None)
        read.offsets.update(again.offsets)
        read.codes.update(again.codes)


async def ask(round_: Round, plan: Plan, into: Found) -> None:
    """All leaders at once."""

    async def one(broker_id: int, questions: Sequence[Any]) -> None:
        for found in await round_.ask_all(broker_id, questions):
            into.offsets.update(found.offsets)
            into.codes.update(found.codes)

    await everything(one(broker_id, questions) for broker_id, questions in plan.items())
