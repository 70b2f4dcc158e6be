"""The table: its order, the cases it decides, and the blind spots of others that it does not have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changes.excuses import Effect
from changes.incident import Severity
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import Reader, World
from watch.lag_figures import LagSettings
from watch.lag_states import TABLE, GroupVerdict, LagState, verdicts
from watch.rule import Tuned
from watch.rules.consumer_lag import ConsumerLag, ConsumerLagSettings


def busy(*, partitions: int = 4, scan_seconds: float = 30.0) -> World:
    world = World(scan_seconds=scan_seconds)
    world.topic("orders", partitions=partitions)
    world.group("payments", reads={"orders": partitions})
    return world


def judged(world: World, lookout: Lookout, group: str = "payments") -> GroupVerdict:
    seen = world.seen()
    return verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))[group]


def states(world: World, *, until: float, group: str = "payments") -> list[LagState]:
    """The group's state in every scan, repeats and the first scans' `unknown` left out."""
    lookout = Lookout(rules=())
    found: list[LagState] = []
    for seen in world.scans(until=until):
        lookout.look(seen)
        state = verdicts(lookout.history.lag, seen, seen.at, Tuned(LagSettings()))[group].state
        if not found or found[-1] is not state:
            found.append(state)
    return found[1:] if found[0] is LagState.UNKNOWN else found


def test_the_rows_stand_in_this_order() -> None:
    assert [row.state.value for row in TABLE] == [
        "no data",
        "rebalancing",
        "never committed",
        "abandoned",
        "lost records",
        "at risk",
        "ok",
        "rewound",
        "unknown",
        "open transaction",
        "between batches",
        "stopped",
        "stalled",
        "catching up",
        "falling behind",
        "over the SLO",
        "ok",
        "unknown",
    ]


def test_a_consumer_that_is_killed_and_comes_back() -> None:
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    world.at(20, lambda: world.state("payments", "Stable"), lambda: world.slow("payments", 300))
    assert states(world, until=30) == [
        LagState.OK,
        LagState.STOPPED,
        LagState.STALLED,
        LagState.CATCHING_UP,
        LagState.OK,
    ]


def test_a_consumer_that_is_too_slow_falls_behind() -> None:
    world = busy()
    world.at(10, lambda: world.slow("payments", 60))
    found = states(world, until=40)
    assert found[0] is LagState.OK
    assert found[-1] is LagState.FALLING_BEHIND
    assert set(found) <= {LagState.OK, LagState.FALLING_BEHIND}


def test_flat_above_the_slo_is_trouble_and_not_fine() -> None:
    """Decided here: an age of 400 s that neither grows nor shrinks matches no row about slopes. It is
    told like a rising one, since it will not mend itself."""
    world = busy()
    world.follow("payments", behind=40_000)
    for reader in world.groups["payments"].readers.values():
        reader.committed -= 40_000
    world.advance(1800)
    lookout = Lookout().watch(world.scans(until=60))
    assert judged(world, lookout).state is LagState.OVER_SLO
    assert [(one.key, one.finding.severity) for one in lookout.fired] == [
        ("consumer_lag/falling behind/group payments", Severity.WARN)
    ]
    words = lookout.fired[0].finding.words
    assert words.startswith(
        "payments stays over its SLO of 5 min: 160,000 behind, oldest unread 7 min"
    )


def test_flat_below_the_slo_is_fine() -> None:
    world = busy()
    world.follow("payments", behind=25_000)
    for reader in world.groups["payments"].readers.values():
        reader.committed -= 25_000
    world.advance(1800)
    lookout = Lookout().watch(world.scans(until=60))
    assert judged(world, lookout).state is LagState.OK
    assert lookout.fired == []


def test_catching_up_keeps_an_alert_and_opens_none() -> None:
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    world.at(30, lambda: world.state("payments", "Stable"), lambda: world.slow("payments", 250))
    lookout = Lookout().watch(world.scans(until=35))
    assert [one.key for one in lookout.firing()] == ["consumer_lag/stopped/group payments"]
    between = lookout.betweens["consumer_lag//group payments"]
    assert between.words.startswith("payments is catching up: ")
    assert "about 8 min to go" in between.words
    lookout.watch(world.scans(until=60, scan_now=False))
    assert len(lookout.fired) == 1
    assert lookout.firing() == []


def test_a_first_look_at_a_consumer_that_catches_up_tells_nobody() -> None:
    """It starts from the earliest record, or the watch does: either way it is on its way."""
    world = busy()
    for reader in world.groups["payments"].readers.values():
        reader.committed, reader.behind, reader.per_second = 500_000, None, 1000
    world.ladder = (150.0, 300.0, 1800.0)
    world.advance(600)
    lookout = Lookout().watch(world.scans(until=13))
    assert lookout.fired == []


# Blind spots of rules that look at windows of commits.


def test_a_first_commit_with_lag_is_not_a_standstill() -> None:
    world = busy()
    for reader in world.groups["payments"].readers.values():
        reader.committed, reader.behind = 500_000, None
    lookout = Lookout().watch(world.scans(until=1.5))
    assert lookout.fired == []
    assert lookout.said == {}


def test_growing_lag_with_a_dip_now_and_then_is_growing_lag() -> None:
    """Lag 1,000 → 2,300 with one dip per three scans is no recovery."""
    world = World()
    world.topic("orders", partitions=1)
    world.group("payments", reads={"orders": 1})
    world.slow("payments", 50)

    def dip() -> None:
        world.groups["payments"].readers["orders", 0].committed += 1500

    for turn in range(1, 30):
        world.at(turn * 1.5 - 0.01, dip)
    lookout = Lookout().watch(world.scans(until=45))
    assert [one.key for one in lookout.fired] == ["consumer_lag/falling behind/group payments"]


def test_small_growing_lag_is_fine_while_it_is_young() -> None:
    world = busy()
    for step in range(9):
        world.at(step * 0.5, lambda step=step: world.follow("payments", behind=11 + step))  # type: ignore[misc]
    assert states(world, until=10) == [LagState.OK]


def test_a_slow_committer_is_seen_within_minutes_not_within_ten_commits() -> None:
    """One commit a minute, then none: told after three of its own gaps."""
    world = busy()
    world.freeze("payments")
    world.every(1, until=30, do=lambda: world.commit_all("payments"))
    lookout = Lookout().watch(world.scans(until=60))
    stalled = [one for one in lookout.posts() if "stalled" in one[0]]
    assert len(stalled) == 1
    assert 32.5 < stalled[0][1] <= 34


def test_a_consumer_that_commits_every_few_minutes_is_given_three_of_its_own_gaps() -> None:
    """Two to five minutes without a rhythm: four more are nothing, fifteen are a standstill."""
    world = busy(partitions=1)
    world.freeze("payments")
    minute = 0.0
    for gap in (2, 4, 3, 5, 2, 4.5, 2.5, 5, 3, 2, 5, 3.5):
        minute += gap
        world.at(minute, lambda: world.commit_all("payments"))
    lookout = Lookout().watch(world.scans(until=minute + 4))
    assert "consumer_lag/stalled/group payments" not in lookout.said
    lookout.watch(world.scans(until=minute + 15, scan_now=False))
    assert "consumer_lag/stalled/group payments" in lookout.said


def test_commits_between_two_scans_do_not_hide_lag() -> None:
    """Commits far more often than ends are read; lag is measured against ends read after commits."""
    world = busy()
    world.at(10, lambda: world.slow("payments", 10))
    lookout = Lookout().watch(world.scans(until=25))
    assert [one.key for one in lookout.firing()] == ["consumer_lag/falling behind/group payments"]


def test_a_dropped_topic_ends_by_itself() -> None:
    world = busy()
    world.topic("old", partitions=2)
    world.group("legacy", reads={"old": 2})
    world.at(5, lambda: world.stop("legacy"))
    lookout = Lookout().watch(world.scans(until=20))
    assert [one.key for one in lookout.firing()] == ["consumer_lag/stopped/group legacy"]
    for number in range(2):
        del world.groups["legacy"].readers["old", number]
    lookout.watch(world.scans(until=30, scan_now=False))
    assert lookout.firing() == []


def test_a_topic_that_is_gone_counts_no_more_though_its_offsets_linger() -> None:
    world = busy()
    world.topic("old", partitions=2)
    world.group("legacy", reads={"old": 2})
    world.at(5, lambda: world.stop("legacy"))
    lookout = Lookout().watch(world.scans(until=20))
    lingering = {("old", 0): 999_000, ("old", 1): 999_000}
    world.groups["legacy"].readers = {}
    for place in lingering:
        del world.logs[place]
    for seen in world.scans(until=30, scan_now=False):
        assert seen.lag is not None
        group = replace(seen.lag.groups["legacy"], committed=lingering)
        groups = {**seen.lag.groups, "legacy": group}
        errors = dict.fromkeys(lingering, "unknown topic")
        lookout.look(replace(seen, lag=replace(seen.lag, groups=groups, end_errors=errors)))
    assert lookout.firing() == []


def test_a_restart_of_the_watch_in_the_middle_of_trouble_tells_no_new_kind() -> None:
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    Lookout().watch(world.scans(until=20))
    fresh = Lookout().watch(world.scans(until=21, scan_now=False))
    assert fresh.fired == []
    fresh.watch(world.scans(until=24, scan_now=False))
    assert [one.key for one in fresh.fired] == ["consumer_lag/stopped/group payments"]


def test_forgotten_groups_wake_nobody() -> None:
    """A group nobody has run for days, with offsets that have not expired yet."""
    world = busy()
    world.group("trial", reads={"orders": 4}, behind=500_000, state="Empty", hosts=())
    world.freeze("trial")
    lookout = Lookout().watch(world.scans(until=60))
    assert lookout.posts() == []
    assert [(one.key, one.finding.severity) for one in lookout.fired] == [
        ("consumer_lag/stopped/group trial", Severity.INFO)
    ]
    assert lookout.fired[0].finding.words.startswith("trial stopped before the watch began: ")


def test_a_stopped_group_whose_records_are_at_risk_has_not_recovered() -> None:
    """Retention comes near long after it was told that nobody reads: that alert stays."""
    world = busy()
    world.at(10, lambda: world.stop("payments"))

    def delete() -> None:
        for log in world.logs.values():
            log.start, log.start_per_second = 900_000, 50

    world.at(20, delete)
    lookout = Lookout().watch(world.scans(until=120))
    assert [one.key for one in lookout.fired] == [
        "consumer_lag/stopped/group payments",
        "data_loss/at risk/group payments",
        "data_loss/lost/group payments",
    ]
    assert lookout.fired[0].ended is None


def test_an_irregular_committer_has_no_rhythm_to_hide_in() -> None:
    world = busy(partitions=1)
    world.freeze("payments")
    for minute in (10, 30, 90, 125, 215):
        world.at(minute, lambda: world.commit_all("payments"))
    lookout = Lookout().watch(world.scans(until=330))
    seen = world.seen()
    settings = LagSettings(silent_gaps=1)
    verdict = verdicts(lookout.history.lag, seen, seen.at, Tuned(settings))["payments"]
    assert verdict.state is LagState.STALLED
    assert verdict.entries[0].cycle is None


def test_an_end_that_was_not_read_a_while_ago_makes_nobody_fine() -> None:
    """The one comparison that spares most entries must not compare with a gap."""
    world = World()
    world.topic("orders", partitions=1, brokers=(2,))
    world.group("payments", reads={"orders": 1})
    world.at(10, lambda: world.stop("payments"))
    world.at(20 - 0.1, lambda: world.blind_brokers.update({2: "silent"}))
    world.at(20 + 0.1, world.blind_brokers.clear)
    found = states(world, until=30)
    assert found == [LagState.OK, LagState.STOPPED, LagState.NO_DATA, LagState.STOPPED]


def test_a_small_rewind_is_one_though_it_is_young() -> None:
    world = busy()
    world.at(10, lambda: world.shift("payments", -9_000))
    lookout = Lookout().watch(world.scans(until=10.5))
    assert [one.key for one in lookout.fired] == ["rewind/rewind/group payments"]
    assert judged(world, lookout).state is LagState.REWOUND


# A jump of the clock.


@pytest.mark.parametrize("seconds", [600, 3600, 86_400])
def test_a_clock_that_jumps_forward_raises_no_alarm(seconds: float) -> None:
    world = busy()
    lookout = Lookout().watch(world.scans(until=20))
    world.clock_off = seconds
    lookout.watch(world.scans(until=40, scan_now=False))
    assert lookout.fired == []


@pytest.mark.parametrize("seconds", [-45, -600, -86_400])
def test_a_clock_that_jumps_back_raises_no_alarm(seconds: float) -> None:
    world = busy()
    lookout = Lookout().watch(world.scans(until=20))
    world.clock_off = seconds
    lookout.watch(world.scans(until=40, scan_now=False))
    assert lookout.fired == []
    assert lookout.unseen == {}


# Settings and excuses.


def test_exceptions_are_for_some_groups() -> None:
    world = busy()
    world.group("reports", reads={"orders": 4})
    for name in ("payments", "reports"):
        world.at(10, lambda name=name: world.slow(name, 60))  # type: ignore[misc]
    lenient = ConsumerLagSettings(slo_seconds=7200)
    off = ConsumerLagSettings(enabled=False)
    for exception in (lenient, off):
        tuned = Tuned(ConsumerLagSettings(), (("rep*", exception),))
        lookout = Lookout(rules=[ConsumerLag], tuned={"consumer_lag": tuned})
        lookout.watch(world.scans(until=world.seconds / 60 + 40))
        assert {one.finding.subject for one in lookout.fired} == {"group payments"}


def test_it_calls_somebody_only_where_it_is_told_to() -> None:
    world = busy()
    world.at(5, lambda: world.stop("payments"))
    tuned = Tuned(ConsumerLagSettings(critical_after_slos=2))
    lookout = Lookout(rules=[ConsumerLag], tuned={"consumer_lag": tuned})
    lookout.watch(world.scans(until=14))
    assert lookout.firing()[0].finding.severity is Severity.WARN
    lookout.watch(world.scans(until=16, scan_now=False))
    assert lookout.firing()[0].finding.severity is Severity.CRIT


def test_far_beyond_its_slo_no_change_explains_it() -> None:
    world = busy()
    world.at(5, lambda: world.freeze("payments"))
    lookout = Lookout().watch(world.scans(until=19))
    assert not lookout.firing()[0].finding.never_excused
    lookout.watch(world.scans(until=22, scan_now=False))
    assert lookout.firing()[0].finding.never_excused
    assert set(ConsumerLag.excused_by) == {Effect.MOVES_LEADERS, Effect.LOADS_BROKERS}


def test_quick_scans_judge_like_slow_ones() -> None:
    world = busy(scan_seconds=10)
    world.at(10, lambda: world.stop("payments"))
    lookout = Lookout().watch(world.scans(until=30))
    assert [key for key, _ in lookout.posts()] == ["consumer_lag/stopped/group payments"]
    assert lookout.posts()[0][1] <= 12.5


def test_a_new_partition_of_a_running_group_is_no_trouble() -> None:
    world = busy()
    lookout = Lookout().watch(world.scans(until=10))
    world.topic("more", partitions=1)
    world.groups["payments"].readers["more", 0] = Reader(1_000_000.0)
    lookout.watch(world.scans(until=30, scan_now=False))
    assert lookout.fired == []
