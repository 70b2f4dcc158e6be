"""The view people are answered from: worst first, nothing missing passed off as zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changes.facts import BrokerLoad
from changes.incident import Family, Finding, Severity
from changes.view import ClusterView
from tests.watch.process.tower import Tower
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import verdicts
from watch.placement import placement_of, sized, sizes_of
from watch.rule import Looked, Tuned
from watch.seen import Seen
from watch.view import troubled, view_of

SCAN = 30.0


class Shown:
    """Twelve looks at a cluster whose consumers may read or not."""

    def __init__(self) -> None:
        self.tower = Tower()
        self.history = History()
        self.seen: Seen | None = None

    async def looks(self, count: int, *, reading: bool = True) -> None:
        for _ in range(count):
            self.tower.pass_time(SCAN, reading=reading)
            placed = await placement_of(self.tower.cluster.kafka)
            sizes = await sizes_of(self.tower.cluster.kafka, [1, 2, 3])
            self.seen = Seen(
                at=self.tower.clock(),
                cluster=self.tower.cluster.ref,
                scan_seconds=SCAN,
                lag=await self.tower.offsets.scan(),
                brokers=placed.brokers,
                partitions=sized(placed.partitions, sizes),
                sizes_at=self.tower.clock(),
                loads=(BrokerLoad(broker_id=1, cpu_percent=20.0),),
            )
            self.history.add(self.seen)

    def view(self, seen: Seen | None = None, **more: object) -> ClusterView:
        now = seen or self.seen
        assert now is not None
        groups = verdicts(self.history.lag, now, now.at, Tuned(LagSettings()))
        arguments = {"forecasts": (), "looked": Looked(), **more}
        return view_of(now, history=self.history.lag, groups=groups, **arguments)  # type: ignore[arg-type]

    def troubled(self) -> tuple[str, ...]:
        assert self.seen is not None
        return troubled(verdicts(self.history.lag, self.seen, self.seen.at, Tuned(LagSettings())))


@pytest.fixture
def shown() -> Shown:
    return Shown()


async def test_a_healthy_group_with_its_pace(shown: Shown) -> None:
    await shown.looks(12)
    (line,) = shown.view().groups
    assert (line.group, line.state, line.kafka_state, line.lag) == ("payments", "ok", "Stable", 0)
    assert line.messages_per_second_in == line.messages_per_second_out == pytest.approx(40, rel=0.1)
    assert (line.worst, line.unread_partitions, line.age_words) == ((), 0, "")
    assert shown.troubled() == ()


async def test_a_group_that_stands_still_comes_first_with_its_worst_partitions(
    shown: Shown,
) -> None:
    shown.tower.join("aaa")
    await shown.looks(3)
    shown.tower.leave()
    await shown.looks(12)
    first, second = shown.view().groups
    assert (first.group, first.state, second.group) == ("payments", "stopped", "aaa")
    assert first.lag == 4 * 10 * 12 * 30
    assert first.worst[0] == ("orders-0", 3600)
    assert first.messages_per_second_out == 0
    assert "6 min" in first.age_words or "5 min" in first.age_words
    assert shown.troubled() == ("payments",)


async def test_brokers_with_what_they_hold_and_nothing_made_up(shown: Shown) -> None:
    await shown.looks(1)
    one, two, _ = shown.view().brokers
    assert (one.broker_id, one.rack, one.cpu_percent) == (1, "use1-az1", 20.0)
    assert two.cpu_percent is None
    assert one.replicas == 24
    assert one.leaders == 8
    assert shown.seen is not None
    assert one.size_bytes == sum(p.size_bytes for p in shown.seen.partitions or ())
    unsized = replace(shown.seen, sizes_at=None)
    assert shown.view(unsized).brokers[0].size_bytes is None


async def test_what_was_not_seen_is_said(shown: Shown) -> None:
    await shown.looks(3)
    assert shown.seen is not None
    later = shown.seen.at + timedelta(seconds=30)
    away = replace(
        shown.seen,
        at=later,
        lag=None,
        brokers=None,
        blind={"lag": "no answer", "metrics": "throttled"},
    )
    shown.history.add(away)
    view = shown.view(away, complaints=("alerts.yaml:3:1: …",), on_call="S0LABKAPPR")
    assert view.blind == (
        "alerts.yaml:3:1: …",
        "consumer groups: no answer",
        "CloudWatch: throttled",
    )
    (line,) = view.groups
    assert (line.state, line.lag, line.unread_partitions) == ("no data", None, 4)
    assert (view.groups_total, view.groups_unread, view.brokers) == (1, 1, ())
    assert view.on_call == "S0LABKAPPR"


async def test_what_rules_say_of_balance_and_growth_becomes_advice(shown: Shown) -> None:
    await shown.looks(1)
    base = Finding(
        rule="imbalance",
        kind="leaders",
        family=Family.BALANCE,
        subject="cluster",
        severity=Severity.WARN,
        words="broker 1 leads 400 of 600",
    )
    found = (
        base,
        base.with_(severity=Severity.CRIT, words="disks fill", proposal="scale brokers 6"),
        base.with_(family=Family.CONSUMERS, words="payments stopped"),
        base.with_(words="one key is hot", why_not="brokers will not help"),
    )
    assert shown.view(looked=Looked(found)).advice == (
        "disks fill; scale brokers 6 would help",
        "broker 1 leads 400 of 600",
        "one key is hot; brokers will not help",
    )


async def test_thousands_of_groups_keep_the_worst_and_count_the_rest(shown: Shown) -> None:
    for number in range(5_100):
        shown.tower.join(f"g{number}")
    await shown.looks(2)
    view = shown.view()
    assert (len(view.groups), view.groups_total) == (5_000, 5_101)
    assert view.groups[0].messages_per_second_in is not None
    assert view.groups[-1].messages_per_second_in is None
