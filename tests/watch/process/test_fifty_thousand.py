"""Fifty thousand consumer groups from the brokers' bytes to incidents: the scanner, the rules, a real ledger.

Five thousand of them commit on one of two partitions, a habit that is fifty findings and a count. A fifth of all
stop, more than the book of alerts holds. What is worse than that must be told all the same.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from changes.book import ALERTS_MAX, Book
from changes.incident import Family, Severity
from cluster.lag_scan import LagScanner
from ledger.rings import FRAME_BYTES_MAX
from tests.cluster.scripted_brokers import ScriptedBrokers
from tests.watch.process.tower import FakePorts, Tower
from tests.watch.process.watching import NAME, Watching, watching
from watch.cluster_watch import ClusterWatch

__all__ = ["watching"]

GROUPS, TOPICS = 50_000, 500
SCAN = 60
WRITTEN = 3_000
"""Messages a partition gets between two looks."""
STOPPED = 10_500
FULL_WITHIN = 3
"""Looks until all of them count as stopped."""
ALERTS = f"defaults: {{scan_seconds: {SCAN}, rules: {{consumer_lag: {{silent_gaps: 1}}}}}}\n"
NAMED = 50
GROWTH_MIB_MAX = 600


class Crowded(Tower):
    """A tower whose offsets are told by scripted brokers through the real scanner."""

    def __init__(self) -> None:
        super().__init__()
        # One broker lists its groups in every scan; of several each has its turn.
        self.scripted = ScriptedBrokers(brokers=1)
        for number in range(TOPICS):
            partitions = 2 if number % 10 == 0 else 1
            self.scripted.topic(f"topic-{number}", partitions=partitions)
            self.cluster.add_topic(f"topic-{number}", sizes=[10**6] * partitions)
        for number in range(GROUPS):
            offset = {f"topic-{number % TOPICS}": 50}
            self.scripted.group(f"group-{number}", at=1, **offset)
        links: Any = self.scripted
        self.scanner = LagScanner(links=links, cluster=NAME, clock=self.clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakePorts]:
        async with super().open() as ports:
            scanner: Any = self.scanner
            yield replace(ports, offsets=scanner)

    def pass_time(self, seconds: float, *, reading: bool = True) -> None:
        super().pass_time(seconds, reading=reading)
        for log in self.scripted.logs.values():
            log.end += WRITTEN
        for group in self.scripted.groups.values():
            if group.state == "Stable":
                for key in group.committed:
                    group.committed[key] = self.scripted.logs[key].end - 50

    def stop(self, groups: int) -> None:
        """Their members are gone."""
        for number in range(groups):
            self.scripted.groups[f"group-{number}"].state = "Empty"


@pytest.fixture(autouse=True)
def _crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.watch.process.watching.Tower", Crowded)


async def look(watching: Watching, watch: ClusterWatch) -> Book:
    watching.tower.pass_time(SCAN)
    await watch.step()
    assert not watch._complaints.words
    return watching.ledger.watch_book(NAME)


def rss_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.slow
async def test_fifty_thousand_groups_do_not_drown_what_is_worst(watching: Watching) -> None:
    tower = watching.tower
    assert isinstance(tower, Crowded)
    (watching.folder / "alerts.yaml").write_text(ALERTS)
    first, began_mib = watching.process(), rss_mib()
    for _ in range(4):  # three commits make a pace
        book = await look(watching, first)
    assert watching.view.groups_total == GROUPS
    assert Counter(one.finding.kind for one in book.alerts)["never committed"] == NAMED + 1

    tower.stop(STOPPED)
    for _ in range(FULL_WITHIN):
        if len((book := await look(watching, first)).alerts) == ALERTS_MAX:
            break
    assert {one.finding.kind for one in book.alerts} == {"stopped"}
    assert book.left_out >= STOPPED - ALERTS_MAX

    tower.cluster.partitions["topic-7", 0].leader = None
    for _ in range(2):
        book = await look(watching, first)
    assert len(book.alerts) == ALERTS_MAX
    told = {one.family: one for one in watching.ledger.incidents(NAME)}
    assert (len(watching.ledger.incidents(NAME)), set(told)) == (2, {Family.CONSUMERS, Family.DATA})
    assert told[Family.DATA].severity is Severity.CRIT
    assert [one.key for one in told[Family.DATA].firing] == [
        "offline_partitions/offline_partitions/topic topic-7"
    ]
    consumers = told[Family.CONSUMERS]
    assert consumers.severity is Severity.WARN
    assert len(consumers.alerts) + consumers.more >= STOPPED - 1

    watching.kill(first)
    watching.ledger._redis.delete(f"ottla:lease:watch:{NAME}")  # its time is over
    second = watching.process()
    book = await look(watching, second)
    assert book.at == tower.clock()
    after = watching.ledger.open_incidents(NAME)
    assert {one.id for one in after} == {one.id for one in told.values()}
    assert len(watching.ledger.incidents(NAME)) == 2
    assert watching.ledger.frames_size_bytes(NAME) <= FRAME_BYTES_MAX // 10
    assert rss_mib() - began_mib <= GROWTH_MIB_MAX
