"""What is remembered of offsets: who comes and goes, gaps, and clocks that jump."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from changes.lag import NO_OFFSET
from tests.watch.consumers.world import BEGAN, Reader, World
from watch.lag_history import ABSENT_SCANS, LagHistory
from watch.seen import Seen


def busy() -> World:
    world = World()
    world.topic("orders")
    world.group("payments", reads={"orders": 4})
    return world


def watched(world: World, *, until: float) -> LagHistory:
    history = LagHistory()
    for seen in world.scans(until=until):
        history.add(seen)
    return history


def moved(seen: Seen, seconds: float) -> Seen:
    assert seen.lag is not None
    by = timedelta(seconds=seconds)
    return replace(seen, at=seen.at + by, lag=replace(seen.lag, at=seen.lag.at + by))


def test_forty_scans_are_kept_oldest_first() -> None:
    history = watched(busy(), until=60)
    samples = history.samples("payments", "orders", 3)
    assert len(samples) == 40
    assert samples == tuple(sorted(samples))
    assert samples[-1].at == (BEGAN + timedelta(minutes=60)).timestamp()
    assert (samples[-1].end - samples[-1].committed, samples[-1].start) == (50, 0)
    assert samples[-1].end - samples[0].end == 39 * 3000
    assert [end for _, end in history.end_samples("orders", 3)] == [one.end for one in samples]


def test_what_was_not_read_is_a_gap_and_not_a_zero() -> None:
    world = busy()
    history = watched(world, until=5)
    world.groups["payments"].errors = {("orders", 1): "not authorised"}
    for seen in world.scans(until=6, scan_now=False):
        history.add(seen)
    world.groups["payments"].errors = {}
    for seen in world.scans(until=7, scan_now=False):
        history.add(seen)
    whole, torn = (history.samples("payments", "orders", number) for number in (0, 1))
    assert len(whole) - len(torn) == 2
    assert min(one.committed for one in torn) > 900_000
    assert len(history.entries("payments")) == 4


def test_an_end_that_was_not_read_is_unknown() -> None:
    world = World()
    world.topic("orders", partitions=2, brokers=(1, 2))
    world.group("payments", reads={"orders": 2})
    history = watched(world, until=5)
    world.blind_brokers = {2: "silent"}
    for seen in world.scans(until=5.5, scan_now=False):
        history.add(seen)
    assert history.samples("payments", "orders", 1)[-1].end == -1
    assert len(history.end_samples("orders", 1)) == len(history.end_samples("orders", 0)) - 1


def test_never_committed_is_not_a_gap() -> None:
    world = busy()
    world.groups["payments"].readers["orders", 0] = Reader(NO_OFFSET, None)
    history = watched(world, until=5)
    assert {one.committed for one in history.samples("payments", "orders", 0)} == {NO_OFFSET}


def test_deleted_groups_leave_after_three_scans_and_their_places_hold_no_past() -> None:
    world = busy()
    world.group("gone", reads={"orders": 4})
    history = watched(world, until=5)
    del world.groups["gone"]
    for seen in world.scans(until=6, scan_now=False):
        history.add(seen)
    assert set(history.groups()) == {"payments", "gone"}
    for seen in world.scans(until=6.5, scan_now=False):
        history.add(seen)
    assert history.groups() == ("payments",)
    assert history.entries("gone") == ()
    world.group("new", reads={"orders": 4})
    for seen in world.scans(until=7, scan_now=False):
        history.add(seen)
    assert len(history.samples("new", "orders", 2)) == 1
    assert len(history.samples("payments", "orders", 2)) == 15


def test_groups_of_a_silent_broker_are_not_gone() -> None:
    world = busy()
    world.group("far", reads={"orders": 4}, broker=2)
    history = watched(world, until=5)
    world.blind_brokers = {2: "silent"}
    for seen in world.scans(until=20, scan_now=False):
        history.add(seen)
    assert set(history.groups()) == {"payments", "far"}
    assert len(history.samples("far", "orders", 0)) > 0


def test_nobody_is_gone_while_a_broker_is_silent_even_if_nobody_names_them() -> None:
    """A scanner that has just started does not know whom the silent broker coordinates."""
    world = busy()
    world.group("far", reads={"orders": 4}, broker=2)
    history = watched(world, until=5)
    world.blind_brokers = {2: "silent"}
    for seen in world.scans(until=20, scan_now=False):
        assert seen.lag is not None
        history.add(replace(seen, lag=replace(seen.lag, missing_groups=frozenset())))
    assert "far" in history.groups()


def test_a_broker_that_is_silent_for_hours_does_not_keep_every_job_in_memory() -> None:
    """Of the groups it coordinates none is forgotten, also by a scanner that never knew them."""
    world = World(scan_seconds=60)
    world.topic("orders", partitions=1)
    world.group("payments", reads={"orders": 1})
    world.group("far", reads={"orders": 1}, broker=2)
    history = watched(world, until=1)
    world.blind_brokers = {2: "silent"}
    most = 0
    for number in range(12 * 60):
        world.group(f"job-{number}", reads={"orders": 1})
        for seen in world.scans(until=world.seconds / 60 + 1, scan_now=False):
            assert seen.lag is not None
            history.add(replace(seen, lag=replace(seen.lag, missing_groups=frozenset())))
        del world.groups[f"job-{number}"]
        most = max(most, len(history.groups()))
    assert {"payments", "far"} <= set(history.groups())
    assert most <= 2 + 1 + ABSENT_SCANS


def test_who_was_silent_is_given_as_many_scans_as_anybody_once_it_speaks() -> None:
    world = busy()
    world.group("far", reads={"orders": 4}, broker=2)
    history = watched(world, until=5)
    world.blind_brokers = {2: "silent"}
    for seen in world.scans(until=20, scan_now=False):
        history.add(seen)
    world.blind_brokers = {}
    del world.groups["far"]
    left = []
    for seen in world.scans(until=22, scan_now=False):
        history.add(seen)
        left.append("far" in history.groups())
    assert left == [True] * (ABSENT_SCANS - 1) + [False] * 2


def test_a_partition_that_takes_the_place_of_another_has_its_own_past() -> None:
    world = busy()
    world.topic("old", partitions=1)
    world.topic("new", partitions=1, end=5)
    world.groups["payments"].readers["old", 0] = Reader(999_950)
    history = watched(world, until=5)
    del world.groups["payments"].readers["old", 0]
    for seen in world.scans(until=5.5, scan_now=False):
        history.add(seen)
    world.groups["payments"].readers["new", 0] = Reader(0)
    for seen in world.scans(until=6.5, scan_now=False):
        history.add(seen)
    assert len(history.end_samples("new", 0)) == 2
    assert len(history.end_samples("orders", 0)) == 14


def test_a_deleted_topic_leaves_with_its_offsets() -> None:
    world = busy()
    world.topic("old", partitions=2)
    world.group("both", reads={"orders": 4, "old": 2})
    history = watched(world, until=5)
    assert ("old", 1) in history.partitions()
    for number in range(2):
        del world.groups["both"].readers["old", number]
    for seen in world.scans(until=6, scan_now=False):
        history.add(seen)
    assert history.end_samples("old", 1) == ()
    assert set(history.entries("both")) == {("orders", number) for number in range(4)}
    assert ("old", 1) not in history.partitions()


def test_a_partition_that_comes_later_has_its_own_past() -> None:
    world = busy()
    history = watched(world, until=5)
    world.topic("extra", partitions=1)
    world.groups["payments"].readers["extra", 0] = Reader(999_950)
    for seen in world.scans(until=6, scan_now=False):
        history.add(seen)
    assert len(history.samples("payments", "extra", 0)) == 2
    assert len(history.samples("payments", "orders", 0)) == 13


def test_an_older_scan_is_left_out_with_a_remark() -> None:
    world = busy()
    history = watched(world, until=5)
    before = history.samples("payments", "orders", 0)
    late = next(iter(world.scans(until=6, scan_now=False)))
    history.add(moved(late, -60))
    assert history.samples("payments", "orders", 0) == before
    assert history.remark == "a scan was left out: it is 30 s older than the newest one"
    history.add(late)
    assert history.remark == ""
    assert len(history.samples("payments", "orders", 0)) == len(before) + 1


def test_a_clock_that_went_back_for_good_is_believed() -> None:
    world = busy()
    history = watched(world, until=5)
    for number, seen in enumerate(world.scans(until=8, scan_now=False)):
        history.add(moved(seen, -3600))
        if number == 2:
            assert "history of offsets begins again" in history.remark
    samples = history.samples("payments", "orders", 0)
    assert len(samples) == 4
    assert samples == tuple(sorted(samples))


def test_no_rate_is_drawn_across_a_jump_forward() -> None:
    world = busy()
    history = watched(world, until=5)
    for seen in world.scans(until=7, scan_now=False):
        history.add(moved(seen, 3600))
    assert history.unbroken_from == (BEGAN + timedelta(minutes=65.5)).timestamp()


def test_states_are_kept_where_they_changed() -> None:
    world = busy()
    for minute in range(1, 50):
        state = "PreparingRebalance" if minute % 2 else "Stable"
        world.at(minute, lambda state=state: world.state("payments", state))  # type: ignore[misc]
    history = watched(world, until=60)
    states = history.states("payments")
    assert len(states) == 40
    assert states[-1] == ((BEGAN + timedelta(minutes=49)).timestamp(), "PreparingRebalance")


def test_the_last_members_are_remembered_when_they_are_gone() -> None:
    world = busy()
    world.at(5, lambda: world.leave("payments"))
    history = watched(world, until=10)
    owners = history.owners("payments")
    assert owners is not None
    assert [one.host for one in owners.members] == ["/host-1"]
    assert history.owners("nobody") is None


def test_nothing_is_known_of_strangers() -> None:
    history = LagHistory()
    assert history.groups() == ()
    assert history.samples("x", "y", 0) == ()
    assert history.end_samples("y", 0) == ()
    assert history.states("x") == ()
