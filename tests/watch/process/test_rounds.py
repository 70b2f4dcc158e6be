"""What a round reads, how often, and what it says of what it could not read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.watch.process.tower import Tower
from watch.rounds import SILENT_ROUNDS_MAX, Rounds, Wants
from watch.seen import Seen

SCAN = 30.0
CALLS_OF_KAFKA = ("brokers", "partitions", "reassignments")


class Looking:
    """Rounds over a tower."""

    def __init__(self, *, period: float = 60) -> None:
        self.tower = Tower()
        self.rounds = Rounds(
            cluster=self.tower.cluster.ref,
            open_ports=self.tower.open,
            metrics_period_seconds=period,
        )
        self.trouble: tuple[str, ...] = ()

    async def look(self, *, scan_seconds: float = SCAN, left_out: str = "") -> Seen:
        wants = Wants(
            scan_seconds=scan_seconds,
            watched=lambda name: name != left_out,
            ladder=(300.0, 150.0, 1800.0),
            trouble=self.trouble,
        )
        return await self.rounds.look(now=self.tower.clock(), mono=self.tower.mono, wants=wants)

    async def looks(self, count: int, *, reading: bool = True, seconds: float = SCAN) -> Seen:
        for _ in range(count):
            self.tower.pass_time(seconds, reading=reading)
            seen = await self.look(scan_seconds=seconds)
        return seen

    def counts(self) -> dict[str, int]:
        calls = ("brokers", "describe", "operations", "loads", "replica_sizes", "topic_settings")
        return {call: self.tower.cluster.count(call) for call in calls}


@pytest.fixture
async def looking() -> AsyncIterator[Looking]:
    found = Looking()
    yield found
    await found.rounds.close()
    assert found.tower.opened == found.tower.closed


async def test_the_first_round_sees_everything(looking: Looking) -> None:
    seen = await looking.look()
    assert not seen.blind
    assert seen.lag is not None
    assert set(seen.lag.groups) == {"payments"}
    assert len(seen.brokers or ()) == 3
    assert seen.msk is not None
    assert seen.operations == ()
    assert len(seen.loads or ()) == 3
    assert seen.loads_at == seen.sizes_at == seen.at
    assert {one.topic: one.size_bytes > 0 for one in seen.partitions or ()}["orders"]
    assert seen.topics["orders"].min_isr == 2


async def test_each_part_is_read_in_its_own_time(looking: Looking) -> None:
    await looking.look()
    seen = await looking.looks(39)
    minutes = 39 * SCAN / 60
    assert looking.tower.offsets.count("scan") == 40
    assert looking.counts() == {
        "brokers": 40,
        "describe": 1 + int(minutes),
        "operations": 1 + int(minutes),
        "loads": 1 + int(minutes),
        "replica_sizes": 3 * (1 + int(minutes / 5)),
        "topic_settings": 1 + int(minutes / 10),
    }
    assert looking.tower.opened == 1, "one connection for all of them"
    assert seen.loads is not None
    assert seen.loads_at is not None
    assert seen.loads_at < seen.at, "carried over with its own time"


async def test_quick_scans_read_placement_every_other_time(looking: Looking) -> None:
    await looking.looks(10, seconds=5)
    assert looking.tower.offsets.count("scan") == 10
    assert looking.counts()["brokers"] == 5


async def test_new_topics_are_asked_about_at_once_and_once(looking: Looking) -> None:
    await looking.look()
    looking.tower.cluster.add_topic("returns", sizes=[1, 1])
    seen = await looking.looks(3)
    assert "returns" in seen.topics
    asked = [call for call in looking.tower.cluster.calls if call[0] == "topic_settings"]
    assert [one[1] for one in asked][1:] == ["['returns']"]
    looking.tower.cluster.delete_topic("returns")
    assert "returns" not in (await looking.looks(22)).topics
    assert looking.counts()["topic_settings"] == 3, "its own ten minutes went on"


async def test_one_rung_a_scan_and_only_of_partitions_somebody_lags_on(looking: Looking) -> None:
    await looking.looks(3)
    assert looking.tower.offsets.count("offsets_at") == 0, "nobody lags"
    seen = await looking.looks(4, reading=False)
    ages = [about for call, about in looking.tower.offsets.asked if call == "offsets_at"]
    assert ages == [300, 150, 1800, 300]
    assert [rung.age_seconds for rung in seen.rungs] == [150, 300, 1800]
    assert set(seen.rungs[0].offsets) == {("orders", partition) for partition in range(4)}
    seen = await looking.looks(1)
    assert not seen.rungs, "nobody lags any more"


async def test_groups_that_are_left_out_are_not_asked_about(looking: Looking) -> None:
    looking.tower.join("tool", at=0, state="Empty")
    looking.tower.pass_time(SCAN)
    seen = await looking.look(left_out="tool")
    assert seen.lag is not None
    assert set(seen.lag.groups) == {"payments"}
    assert looking.tower.offsets.count("offsets_at") == 0


async def test_members_of_groups_in_trouble_each_scan_of_healthy_ones_in_turn(
    looking: Looking,
) -> None:
    looking.tower.join("idle", state="Empty")
    seen = await looking.looks(6)
    asked = [about for call, about in looking.tower.offsets.asked if call == "members"]
    assert asked == [("payments",), ("payments",)], "every fifth scan, and of living groups only"
    looking.trouble = ("payments", "long-gone")
    seen = await looking.looks(1)
    assert seen.members["payments"][0].host == "/10.0.0.1"


async def test_ends_of_committed_readers_only_where_commits_stand_still(looking: Looking) -> None:
    await looking.looks(3)
    assert looking.tower.offsets.count("committed_ends") == 0
    held = looking.tower.offsets.logs["orders", 1]
    held.open_transaction_at = held.end
    seen = await looking.looks(4, reading=False, seconds=10)
    assert looking.tower.offsets.count("committed_ends") == 2, "twice a minute"
    assert seen.stable_ends == {("orders", 1): held.open_transaction_at}, "the others are not held"
    assert not (await looking.looks(1)).stable_ends


# What cannot be read


@pytest.mark.parametrize(
    ("silent", "parts", "still"),
    [
        ("msk", {"msk"}, ("lag", "brokers", "loads")),
        ("metrics", {"metrics", "group lag"}, ("lag", "brokers", "msk")),
        ("scan", {"lag"}, ("brokers", "msk", "loads")),
        ("partitions", {"placement", "sizes"}, ("lag", "msk", "loads")),
        ("reassignments", {"reassignments"}, ("lag", "brokers", "partitions", "msk", "loads")),
        ("replica_sizes", {"sizes"}, ("lag", "brokers", "msk", "loads")),
        ("topic_settings", {"topics"}, ("lag", "brokers", "msk", "loads")),
        ("kafka", {"lag", "placement", "sizes"}, ("msk", "loads")),
    ],
)
async def test_what_is_silent_is_named_and_stops_nothing_else(
    looking: Looking, silent: str, parts: set[str], still: tuple[str, ...]
) -> None:
    await looking.look()
    looking.tower.cluster.silent.add(silent)
    seen = await looking.looks(22)
    assert set(seen.blind) == parts
    assert all("orders-lab" in words for words in seen.blind.values())
    for name in still:
        assert getattr(seen, name) is not None, name
    looking.tower.cluster.silent.clear()
    assert not (await looking.looks(2)).blind


async def test_a_value_that_could_not_be_read_again_is_not_the_old_one(looking: Looking) -> None:
    await looking.look()
    looking.tower.cluster.silent |= {"kafka", "metrics", "msk"}
    seen = await looking.looks(3)
    assert (seen.lag, seen.brokers, seen.partitions, seen.msk, seen.loads) == (None,) * 5
    assert seen.loads_at is None


async def test_one_dead_broker_costs_its_own_sizes_only(looking: Looking) -> None:
    await looking.look()
    looking.tower.cluster.brokers[4] = looking.tower.cluster.brokers[3]
    seen = await looking.looks(1)
    assert seen.partitions is not None
    looking.tower.cluster.kill(2)
    seen = await looking.looks(10)
    assert [one.broker_id for one in seen.brokers or ()] == [1, 3, 3]
    assert any(one.size_bytes for one in seen.partitions or ())


async def test_a_cluster_that_cannot_be_opened_is_tried_less_and_less_often(
    looking: Looking,
) -> None:
    looking.tower.cluster.silent.add("opening")
    seen = await looking.look()
    assert set(seen.blind) >= {"lag", "placement", "msk", "metrics"}
    assert set(seen.blind.values()) == {"reading bootstrap brokers of orders-lab: no answer"}
    looking.tower.cluster.silent.clear()
    looking.tower.pass_time(0.5)
    assert (await looking.look()).blind, "not yet again"
    looking.tower.pass_time(SCAN)
    assert not (await looking.look()).blind


async def test_a_kafka_that_stays_silent_is_opened_afresh(looking: Looking) -> None:
    await looking.look()
    looking.tower.cluster.silent.add("kafka")
    await looking.looks(SILENT_ROUNDS_MAX + 1)
    assert (looking.tower.opened, looking.tower.closed) == (2, 1)
    looking.tower.cluster.silent.clear()
    assert not (await looking.looks(2)).blind
