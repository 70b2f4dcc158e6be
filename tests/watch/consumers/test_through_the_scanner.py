"""Groups as the real scanner tells of them: what it does not ask for in every scan must not mislead rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.facts import Partition, TopicSettings
from cluster.lag_scan import LagScanner
from tests.cluster.scripted_brokers import ScriptedBrokers, past_the_second, three
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import BEGAN, CLUSTER
from watch.lag_figures import LagSettings
from watch.lag_states import verdicts
from watch.rule import Tuned
from watch.seen import Seen
from watch.view import troubled

SCAN_SECONDS = 30
WRITTEN = 3_000
"""Messages a partition gets between two scans."""

MEMBER = {
    "member_id": "m-1",
    "group_instance_id": None,
    "client_id": "payments",
    "client_host": "/10.0.0.7",
    "member_metadata": b"",
    "member_assignment": b"",
}


class Scanned:
    """Scripted brokers, the scanner that asks them, and the rules that look at what it read. Members of
    groups in trouble are asked for in the scan after, as the watch does."""

    def __init__(self, *, brokers: int) -> None:
        self.scripted = ScriptedBrokers(brokers=brokers)
        self.look = Lookout()
        self._now = BEGAN
        self._trouble: tuple[str, ...] = ()
        links: Any = self.scripted
        self._scanner = LagScanner(links=links, cluster="x", clock=lambda: self._now)

    async def scan(self, *, second: float) -> None:
        self._now = BEGAN + timedelta(seconds=second)
        lag = await self._scanner.scan()
        members = await self._scanner.members(groups=self._trouble)
        placed = tuple(
            Partition(
                topic=t, partition=p, replicas=(one.leader,), isr=(one.leader,), leader=one.leader
            )
            for (t, p), one in self.scripted.logs.items()
        )
        settings = {"orders": TopicSettings(compacted=False)}
        seen = Seen(
            at=self._now,
            cluster=CLUSTER,
            scan_seconds=SCAN_SECONDS,
            lag=lag,
            members={name: one for name, one in members.items() if not isinstance(one, str)},
            partitions=placed,
            topics=settings,
        )
        self.look.look(seen)
        found = verdicts(self.look.history.lag, seen, seen.at, Tuned(LagSettings()))
        self._trouble = troubled(found)

    def work(self) -> None:
        """Everybody keeps up."""
        for log in self.scripted.logs.values():
            log.end += WRITTEN
        for group in self.scripted.groups.values():
            group.committed = {key: log.end - 50 for key, log in self.scripted.logs.items()}

    def kinds(self) -> list[str]:
        return [one.finding.kind for one in self.look.fired]


async def rebalancing(*, brokers: int, begins: list[float], lasts: float) -> list[str]:
    """One group rebalances at these seconds; what is told of it."""
    stage = Scanned(brokers=brokers)
    stage.scripted.topic("orders", partitions=brokers)
    for number in range(2 * brokers):
        stage.scripted.group(f"g{number}", at=number % brokers + 1, orders=10).members = [MEMBER]
    for second in range(0, 1_800, SCAN_SECONDS):
        moving = any(begin <= second < begin + lasts for begin in begins)
        stage.scripted.groups["g0"].state = "PreparingRebalance" if moving else "Stable"
        stage.work()
        await stage.scan(second=second)
    return stage.kinds()


@pytest.mark.slow
@pytest.mark.parametrize("brokers", [3, 6, 12])
async def test_a_storm_of_rebalances_is_told_whatever_its_phase(brokers: int) -> None:
    """Scenario 7. Each lasts a look, so one that falls between two looks is seen by nobody."""
    told = 0
    for phase in range(0, 150, 30):
        begins = [612.0 + phase + 80 * number for number in range(6)]
        told += "rebalances often" in await rebalancing(brokers=brokers, begins=begins, lasts=35)
    assert told >= 3


@pytest.mark.slow
@pytest.mark.parametrize("brokers", [3, 10])
async def test_a_rolling_deploy_is_not_one_long_rebalance(brokers: int) -> None:
    for phase in range(0, 150, 30):
        begins = [612.0 + phase + 75 * number for number in range(3)]
        assert await rebalancing(brokers=brokers, begins=begins, lasts=40) == []


@pytest.mark.slow
@pytest.mark.parametrize("brokers", [3, 5, 12])
async def test_a_consumer_that_is_killed_is_told_once_whoever_listed_its_group_when(
    brokers: int,
) -> None:
    """Its group is empty 45 s later; a list that is older still says that members are there."""
    for phase in range(0, 150, 30):
        stage = Scanned(brokers=brokers)
        stage.scripted.topic("orders", partitions=brokers)
        group = stage.scripted.group("payments", at=1, orders=10)
        group.members = [MEMBER]
        killed = 600.0 + phase
        for second in range(0, 1_200, SCAN_SECONDS):
            if second >= killed + 45:
                group.state, group.members = "Empty", []
            committed = group.committed
            stage.work()
            group.committed = committed if second >= killed else group.committed
            await stage.scan(second=second)
        assert stage.kinds() == ["stopped"]
        assert stage.look.fired[0].minute <= killed / 60 + 3.5


async def test_the_storm_of_a_group_nobody_looks_at_costs_nothing() -> None:
    scripted = three()
    scripted.groups["a"].state = "PreparingRebalance"
    scanner = await past_the_second(scripted, wanted=lambda group: group != "a")
    for _ in range(5):
        await scanner.scan()
    assert scripted.counts()["ListGroups"] == 5


async def test_a_quiet_cluster_is_asked_for_its_groups_in_turn_again_after_a_storm() -> None:
    stage = Scanned(brokers=5)
    stage.scripted.topic("orders", partitions=5)
    stage.scripted.group("g", at=1, orders=10)
    await stage.scan(second=0)
    stage.scripted.groups["g"].state = "PreparingRebalance"
    for number in range(1, 6):
        await stage.scan(second=30 * number)
    stage.scripted.groups["g"].state = "Stable"
    asked = []
    for number in range(6, 40):
        before = stage.scripted.counts()["ListGroups"]
        await stage.scan(second=30 * number)
        asked.append(stage.scripted.counts()["ListGroups"] - before)
    assert max(asked) <= 2, "its own list and the one whose turn it is"
    assert asked[-5:] == [1] * 5


@pytest.mark.parametrize(
    ("start", "end", "unseen_scans"),
    [(900_000, 1_000, 0), (900_000, 1_000, 2), (600, 1_000, 0), (600, 1_000, 2), (600, 1_000, 5)],
)
async def test_a_topic_that_was_made_anew_lost_nothing(
    start: int, end: int, unseen_scans: int
) -> None:
    """The old log began at `start`; the new one ends at `end`, and some of it is read. In between the
    topic may be gone for some scans."""
    stage = Scanned(brokers=3)
    stage.scripted.topic("orders", partitions=3)
    stage.scripted.topic("paid", partitions=3)
    group = stage.scripted.group("payments", at=1, orders=0)
    for log in stage.scripted.logs.values():
        log.start, log.end = start, 1_000_000
    stage.work()
    orders = {key: log for key, log in stage.scripted.logs.items() if key[0] == "orders"}
    for number in range(48):
        if number == 24 - unseen_scans:
            for key in orders:
                del stage.scripted.logs[key]
        stage.work()
        if number == 24:
            for log in orders.values():
                log.start, log.end = 0, end
            stage.scripted.logs.update(orders)
            group.committed |= dict.fromkeys(orders, 500)
        await stage.scan(second=30 * number)
    assert stage.kinds() == []
