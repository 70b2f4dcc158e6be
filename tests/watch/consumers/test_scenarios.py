"""Stories of consumer groups, judged scan by scan. A scan every 30 s, an SLO of 300 s, four partitions
at 100 messages a second unless said. Times are minutes; an event at minute t is told by t plus so many."""

from __future__ import annotations

from changes.excuses import ChangeLease, Effect
from changes.incident import Severity
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import BEGAN, Group, Reader, World, members_on
from watch.lag_figures import LagSettings
from watch.lag_states import LagState, verdicts
from watch.rule import Tuned


def busy(
    *, hosts: tuple[str, ...] = ("host-7",), behind: float = 50.0, scan_seconds: float = 30.0
) -> World:
    world = World(scan_seconds=scan_seconds)
    world.topic("orders")
    world.group("payments", reads={"orders": 4}, hosts=hosts, behind=behind)
    return world


def test_a_healthy_group_says_nothing_for_an_hour() -> None:
    lookout = Lookout().watch(busy().scans(until=60))
    assert lookout.fired == []
    assert lookout.betweens == {}
    assert lookout.unseen == {}


def test_a_tiny_growth_of_lag_is_no_trouble() -> None:
    world = busy()
    lookout = Lookout().watch(world.scans(until=10))
    for lag in (11, 12, 12, 14, 15, 15, 16, 17, 18, 19):
        world.follow("payments", behind=lag)
        lookout.watch(world.scans(until=world.seconds / 60 + 0.5, scan_now=False))
    assert lookout.fired == []


def test_a_killed_consumer_is_told_within_three_minutes_and_once() -> None:
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    lookout = Lookout().watch(world.scans(until=70))
    assert lookout.posts() == [("consumer_lag/stopped/group payments", 12.5)]
    assert lookout.firing()[0].finding.severity is Severity.WARN
    first = Lookout()
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    first.watch(world.scans(until=13))
    finding = first.firing()[0].finding
    assert finding.words == (
        "payments stopped: 72,200 behind, oldest unread 3 min; last commit 12:10 by host-7"
    )
    assert finding.why_not == "nobody reads: more brokers will not help"
    assert finding.proposal == ""
    assert finding.never_excused
    assert finding.trend is not None
    assert finding.trend.lines[0].name == "payments"


def test_a_deadlocked_member_is_told_within_four_minutes_by_its_name_only() -> None:
    world = World()
    world.topic("orders", partitions=6)
    world.group("payments", reads={"orders": 6}, hosts=("host-1", "host-2", "host-3"))
    world.at(10, lambda: world.freeze("payments", ("orders", 1), ("orders", 4)))
    lookout = Lookout().watch(world.scans(until=40))
    assert lookout.posts() == [("consumer_lag/stalled/group payments", 12.5)]
    finding = lookout.firing()[0].finding
    assert "stalled on orders-1, orders-4 (2 of 6 partitions)" in finding.words
    assert [line for line in finding.lines if " on host-" in line] == [
        "consumer-2 on host-2: orders-1, orders-4"
    ]
    assert finding.why_not == "host-2 stand still: more brokers will not help"


def test_a_poison_partition_names_its_owner_and_offers_no_brokers() -> None:
    world = busy(hosts=("host-1", "host-2", "host-3", "host-4"))
    world.at(10, lambda: world.freeze("payments", ("orders", 2)))
    lookout = Lookout().watch(world.scans(until=30))
    assert lookout.posts() == [("consumer_lag/stalled/group payments", 12.5)]
    finding = lookout.firing()[0].finding
    assert "payments stalled on orders-2 (1 of 4 partitions)" in finding.words
    assert finding.lines[0] == "consumer-3 on host-3: orders-2"
    assert finding.why_not == "one partition is frozen: more brokers will not help"
    assert finding.proposal == ""


def test_a_deploy_is_no_alert() -> None:
    world = busy()
    world.at(
        10, lambda: world.freeze("payments"), lambda: world.state("payments", "PreparingRebalance")
    )
    world.at(10 + 70 / 60, lambda: world.state("payments", "Stable"))
    world.at(10 + 70 / 60, lambda: world.slow("payments", 600))
    world.at(10 + 90 / 60, lambda: world.follow("payments"))
    lookout = Lookout().watch(world.scans(until=30))
    assert lookout.fired == []


def test_a_rebalance_storm_is_told_once_and_is_over_ten_minutes_after_the_last() -> None:
    world = busy()
    for number in range(6):
        world.at(10.2 + number * 1.6, lambda: world.state("payments", "PreparingRebalance"))
        world.at(10.8 + number * 1.6, lambda: world.state("payments", "Stable"))
    lookout = Lookout().watch(world.scans(until=60))
    assert lookout.posts() == [("group_churn/rebalances often/group payments", 15.0)]
    last = 18.5
    assert lookout.fired[0].ended == last + 10.5


def test_a_rebalance_that_does_not_end_is_told_after_three_minutes() -> None:
    world = busy()
    world.at(
        10, lambda: world.freeze("payments"), lambda: world.state("payments", "CompletingRebalance")
    )
    lookout = Lookout().watch(world.scans(until=20))
    churn = [one for one in lookout.posts() if one[0].startswith("group_churn")]
    assert churn == [("group_churn/rebalances long/group payments", 14.0)]
    assert ("consumer_lag/stalled/group payments", 13.5) in lookout.posts()


def test_a_slow_topic_is_silent_for_six_hours_also_over_a_restart() -> None:
    world = World()
    world.topic("audit", partitions=1, per_second=0, end=100)
    world.group("auditor", reads={"audit": 1}, behind=0)

    def message() -> None:
        world.produce("audit", 1)
        world.freeze("auditor")
        world.at(world.seconds / 60 + 2 / 60, lambda: world.follow("auditor", behind=0))

    for turn in range(18):
        # The second before a scan: the scan sees the message unread.
        world.at(turn * 20 + 10 - 1 / 60, message)
    lookout = Lookout().watch(world.scans(until=190))
    again = Lookout().watch(world.scans(until=360, scan_now=False))
    assert lookout.fired == []
    assert again.fired == []
    assert again.unseen == {}


def test_a_planned_reset_is_a_finding_that_its_change_explains() -> None:
    world = busy()
    world.leases = (
        ChangeLease(
            request_id="R-42",
            cluster="orders-prod",
            title="reset offsets of payments",
            effects=(Effect.RESETS_OFFSETS,),
            groups=("payments",),
            started_at=BEGAN,
        ),
    )
    world.at(10, lambda: world.shift("payments", -250_000))
    lookout = Lookout().watch(world.scans(until=12))
    finding = lookout.said["rewind/rewind/group payments"]
    assert not finding.never_excused
    assert "R-42 (reset offsets of payments) sets its offsets" in finding.lines


def test_an_unplanned_reset_is_told_within_a_minute_and_over_when_regained() -> None:
    world = busy()
    world.at(10, lambda: world.shift("payments", -250_000))
    world.at(10, lambda: world.slow("payments", 1000))
    lookout = Lookout().watch(world.scans(until=40))
    told = [one for one in lookout.posts() if one[0].startswith("rewind")]
    assert told == [("rewind/rewind/group payments", 10.5)]
    rewound = next(one for one in lookout.fired if one.key.startswith("rewind"))
    assert "payments went back by " in rewound.finding.words
    assert rewound.ended is not None
    assert 14 <= rewound.ended <= 17


def test_a_short_replay_after_a_rebalance_is_no_rewind() -> None:
    world = busy()
    world.at(10 - 1 / 60, lambda: world.shift("payments", -4000))
    world.at(10 + 1 / 60, lambda: world.follow("payments"))
    lookout = Lookout().watch(world.scans(until=20))
    assert lookout.fired == []


def test_a_transaction_marker_is_no_lag() -> None:
    world = World()
    world.topic("orders", partitions=2, per_second=0, end=1001)
    world.group("payments", reads={"orders": 2}, behind=1)
    for markers in (1, 2):
        world.follow("payments", behind=markers)
        world.freeze("payments")
        lookout = Lookout().watch(world.scans(until=world.seconds / 60 + 24 * 60))
        assert lookout.fired == []


def test_an_open_transaction_is_an_info_about_the_partition_and_no_lag() -> None:
    world = World()
    world.topic("orders", partitions=2)
    world.group("payments", reads={"orders": 2}, behind=0)

    def pin() -> None:
        world.logs["orders", 1].stable_end = world.logs["orders", 1].end
        world.slow("payments", 1e9, ("orders", 1))

    def release() -> None:
        world.logs["orders", 1].stable_end = None

    world.at(10, pin)
    world.at(20, release)
    lookout = Lookout().watch(world.scans(until=40))
    assert lookout.posts() == []
    assert [(one.key, one.minute) for one in lookout.fired] == [
        ("open_transaction/open_transaction/partition orders-1", 16.0)
    ]
    assert lookout.fired[0].finding.severity is Severity.INFO
    assert lookout.firing() == []


def test_an_empty_partition_that_was_never_committed_is_nothing() -> None:
    world = busy()
    world.topic("new", partitions=1, per_second=0, end=0)
    world.groups["payments"].readers["new", 0] = Reader(-1, None)
    lookout = Lookout().watch(world.scans(until=60))
    assert lookout.fired == []
    assert lookout.said == {}


def test_a_partition_with_records_that_was_never_committed_is_one_info() -> None:
    world = busy()
    world.topic("new", partitions=1, per_second=0, end=1_000_000, start=900_000)
    world.groups["payments"].readers["new", 0] = Reader(-1, None)
    lookout = Lookout().watch(world.scans(until=60))
    assert [(one.key, one.finding.severity) for one in lookout.fired] == [
        ("abandoned/never committed/group payments", Severity.INFO)
    ]
    assert lookout.fired[0].finding.lines == ("new-0: 100,000 messages in it",)


def test_an_abandoned_topic_is_one_info_and_counts_in_no_alert() -> None:
    world = World()
    world.topic("a")
    world.topic("b")
    world.group("payments", reads={"a": 4, "b": 4})
    world.groups["payments"].members = members_on(["host-1"], [("b", n) for n in range(4)])
    world.freeze("payments", *[("a", n) for n in range(4)])
    lookout = Lookout().watch(world.scans(until=60))
    assert [(one.key, one.finding.severity) for one in lookout.fired] == [
        ("abandoned/abandoned/group payments", Severity.INFO)
    ]
    seen = world.seen()
    verdict = verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))["payments"]
    assert verdict.lag == 200
    assert verdict.age.high_seconds < 300


def partly_blind() -> tuple[World, Lookout]:
    """Groups on two brokers; one of those on broker 2 is in trouble when broker 2 falls silent."""
    world = World()
    world.topic("orders", brokers=(1,))
    for number in range(34):
        world.group(f"far-{number}", reads={"orders": 1}, broker=2)
    world.group("near", reads={"orders": 4}, broker=1)
    world.at(10, lambda: world.stop("far-7"))
    return world, Lookout().watch(world.scans(until=20))


def test_a_silent_broker_neither_ends_nor_repeats_what_was_told_of_its_groups() -> None:
    world, lookout = partly_blind()
    assert [one.key for one in lookout.firing()] == ["consumer_lag/stopped/group far-7"]
    world.blind_brokers = {2: "broker 2 does not answer"}
    lookout.watch(world.scans(until=30, scan_now=False))
    assert [one.key for one in lookout.firing()] == ["consumer_lag/stopped/group far-7"]
    assert len(lookout.fired) == 1
    silent = [subject for rule, subject in lookout.unseen if rule == "consumer_lag"]
    assert len(silent) == 34
    assert "group near" not in silent
    seen = world.seen()
    judged = verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))
    assert judged["far-7"].state is LagState.NO_DATA
    assert judged["far-7"].lag is None
    assert judged["near"].state is LagState.OK
    world.blind_brokers = {}
    lookout.watch(world.scans(until=40, scan_now=False))
    assert len(lookout.fired) == 1
    assert lookout.unseen == {}


def test_silent_leaders_of_partitions_are_counted_and_end_nothing() -> None:
    world = World()
    world.topic("orders", partitions=4, brokers=(1, 1, 1, 2))
    world.group("payments", reads={"orders": 4})
    lookout = Lookout().watch(world.scans(until=10))
    world.blind_brokers = {2: "broker 2 does not answer"}
    lookout.watch(world.scans(until=20, scan_now=False))
    assert lookout.fired == []
    assert lookout.unseen["consumer_lag", "group payments"] == "1 of 4 partitions unknown"


def test_no_offsets_at_all_leaves_everything_as_it_was() -> None:
    world, lookout = partly_blind()
    world.dark = True
    lookout.watch(world.scans(until=40, scan_now=False))
    assert [one.key for one in lookout.firing()] == ["consumer_lag/stopped/group far-7"]
    assert lookout.unseen["consumer_lag", "*"] == "Kafka does not answer"


def test_groups_whose_coordinator_moved_are_unseen_for_one_scan_only() -> None:
    world = World()
    world.topic("orders")
    for number in range(50):
        world.group(f"group-{number}", reads={"orders": 2})
    lookout = Lookout().watch(world.scans(until=10))
    for one in world.groups.values():
        one.error = "its coordinator moved"
    lookout.watch(world.scans(until=10.5, scan_now=False))
    assert len([1 for rule, _ in lookout.unseen if rule == "consumer_lag"]) == 50
    for one in world.groups.values():
        one.error = ""
    lookout.watch(world.scans(until=20, scan_now=False))
    assert lookout.fired == []
    assert lookout.unseen == {}


def batch(*, minutes: float = 60.0, until: float) -> World:
    """One partition at 100 a second, read to its end once an hour by a job that then leaves."""
    world = World()
    world.topic("orders", partitions=1)
    world.group("nightly", reads={"orders": 1}, behind=0, state="Empty", hosts=())
    world.freeze("nightly")
    world.every(minutes, until=until, do=lambda: world.commit_all("nightly"))
    return world


def test_an_hourly_batch_is_silent_once_three_rounds_are_known() -> None:
    world = batch(until=600)
    lookout = Lookout().watch(world.scans(until=241))
    learned = len(lookout.fired)
    assert learned > 0
    lookout.watch(world.scans(until=600, scan_now=False))
    assert len(lookout.fired) == learned
    assert lookout.firing() == []


def test_a_batch_that_is_late_by_more_than_its_own_jitter_has_stopped() -> None:
    world = batch(until=360)
    lookout = Lookout().watch(world.scans(until=361))
    before = len(lookout.fired)
    lookout.watch(world.scans(until=440, scan_now=False))
    late = lookout.fired[before:]
    assert [one.key for one in late] == ["consumer_lag/stopped/group nightly"]
    assert 420 < late[0].minute <= 423
    assert "it commits every 60 min, give or take 30 s" in late[0].finding.lines


def test_hostile_names_are_told_as_they_are() -> None:
    """Whoever shows a finding escapes it: two who escape would show the escapes."""
    names = ["a:b", "café-🦊", "<@U123>", "`x` *y*", "n" * 200, "line\nbreak", "/x/y"]
    world = World()
    world.topic("orders")
    for name in names:
        world.group(name, reads={"orders": 1})
        world.at(10, lambda name=name: world.stop(name))  # type: ignore[misc]
    lookout = Lookout().watch(world.scans(until=20))
    assert {one.finding.subject for one in lookout.fired} == {f"group {name}" for name in names}
    assert len({one.key for one in lookout.fired}) == len(names)


def test_a_group_without_any_offsets_is_nothing() -> None:
    world = busy()
    world.groups["silent"] = Group()
    lookout = Lookout().watch(world.scans(until=10))
    assert lookout.fired == []
    assert lookout.unseen == {}
