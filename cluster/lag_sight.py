"""The brokers of a cluster as a scanner sees them: who is there, who leads what, who was silent.

The surprising truth: metadata is not read on a clock but when an answer contradicts it: a leader that
is none, a topic it does not name, a broker that is silent. And with every tenth scan, for what nobody
contradicts: partitions that were added.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from aiokafka.protocol.metadata import MetadataRequest

from changes.ports import Unreachable
from cluster.lag_round import Round
from cluster.lag_topics import Leaders
from cluster.links import Links

METADATA_TRIES_MAX = 3
BOOTSTRAP_SECONDS_MAX = 5.0
"""When brokers were known once and none answers any more: their addresses may have changed."""


class Sight:
    def __init__(self, *, links: Links, cluster: str) -> None:
        self.leaders = Leaders()
        self.blind: frozenset[int] = frozenset()
        """Brokers that were silent in the last scan."""
        self._links = links
        self._cluster = cluster
        self._known = False

    def round(self, *, seconds_max: float) -> Round:
        return Round(self._links, seconds_max=seconds_max)

    def brokers(self) -> tuple[int, ...]:
        """As of the newest metadata, whoever read it."""
        return self._links.broker_ids()

    async def open(self, round_: Round) -> None:
        """Have metadata; raises `Unreachable` when no broker was ever reached."""
        if not self.brokers():
            await self._bootstrap(round_)
        elif self._known and self.blind.issuperset(self.brokers()):
            with suppress(Unreachable):
                await self._bootstrap(round_, seconds_max=BOOTSTRAP_SECONDS_MAX)
        elif not self._known:
            await self.refresh(round_)
        if not self._known:
            why = "; ".join(f"broker {i}: {words}" for i, words in round_.blind.items())
            raise Unreachable(f"reading metadata of {self._cluster}: {why or 'no broker is known'}")

    async def _bootstrap(self, round_: Round, **bounds: float) -> None:
        """The brokers' addresses come with all metadata, so it is not asked for twice."""
        metadata = await self._links.bootstrap(**bounds)
        round_.requests += 1
        self._learn(metadata)

    async def refresh(self, round_: Round) -> None:
        """From any broker that answers, those that answered last time first. What was known stays
        when none does."""
        ids = list(self.brokers())
        random.shuffle(ids)
        ids.sort(key=lambda broker_id: broker_id in self.blind)
        for broker_id in ids[:METADATA_TRIES_MAX]:
            metadata = await round_.ask(broker_id, MetadataRequest(None))
            if metadata is not None and metadata.brokers:
                self._links.cluster.update_metadata(metadata)
                self._learn(metadata)
                return

    def _learn(self, metadata: Any) -> None:
        self.leaders.learn(metadata)
        self._known = True
