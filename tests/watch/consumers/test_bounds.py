"""What twenty thousand entries cost: counted, and with generous bounds on time and memory."""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest

from changes.facts import TopicSettings
from changes.lag import GroupRead, LagScan
from ledger.rings import FRAME_BYTES_MAX, Frame
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import BEGAN, CLUSTER, Reader, World
from watch.frame_tables import Layout, entries_table
from watch.frames import pack, unpack
from watch.lag_figures import Figures, LagSettings
from watch.lag_history import LagHistory, Sample
from watch.lag_states import LagState, verdicts
from watch.lag_table import state_of
from watch.rule import Tuned
from watch.rules.abandoned import Abandoned
from watch.seen import Seen

GROUPS, PER_GROUP = 2000, 10


def scan(
    number: int,
    *,
    groups: int = GROUPS,
    partitions: int = 2000,
    frozen: int = 0,
    state: str = "Stable",
) -> Seen:
    """A busy cluster; the first `frozen` groups have not committed since the first scan."""
    at = BEGAN + timedelta(seconds=30 * number)
    places = [(f"topic-{place // 20}", place % 20) for place in range(partitions)]
    ends = dict.fromkeys(places, 10**9 + number * 3000)
    reads = {}
    for group in range(groups):
        own = [places[(group * PER_GROUP + one) % partitions] for one in range(PER_GROUP)]
        moved = 0 if group < frozen else number * 3000
        committed = dict.fromkeys(own, 10**9 + moved - 50)
        stands = state if group < frozen else "Stable"
        reads[f"group-{group}"] = GroupRead(
            state=stands, kind="classic", coordinator=1, committed=committed
        )
    starts = dict.fromkeys(places, number // 10)
    lag = LagScan(at=at, groups=reads, ends=ends, starts=starts)
    return Seen(at=at, cluster=CLUSTER, scan_seconds=30.0, lag=lag)


def restored(frames: list[Frame]) -> tuple[LagHistory, Seen]:
    """As a restart does it; and the newest round."""
    history = LagHistory()
    rounds: list[Seen] = []
    for frame in frames:
        seen = unpack(frame)
        assert isinstance(seen, Seen)
        history.add(seen)
        rounds[:] = [seen]
    return history, rounds[0]


def cpu_seconds(began: float) -> float:
    return time.process_time() - began


def test_most_entries_are_decided_by_one_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted: only what is in trouble reaches the table."""
    judged: list[Figures] = []

    def counted(it: Figures) -> LagState:
        judged.append(it)
        return state_of(it)

    monkeypatch.setattr("watch.lag_states.state_of", counted)
    history = LagHistory()
    for number in range(12):
        seen = scan(number, groups=300, frozen=3)
        history.add(seen)
    found = verdicts(history, seen, seen.at, Tuned(LagSettings()))
    assert sum(one.state is LagState.STALLED for one in found.values()) == 3
    assert len(judged) == 3 * PER_GROUP
    assert verdicts(history, seen, seen.at, Tuned(LagSettings())) is found
    assert len(judged) == 3 * PER_GROUP


def test_who_stands_still_is_judged_without_a_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted: slopes go through all scans that are kept, and rules with other settings judge again."""
    read: list[int] = []

    def counted(history: LagHistory, slot: int) -> tuple[Sample, ...]:
        read.append(slot)
        return samples_at(history, slot)

    samples_at = LagHistory.samples_at
    monkeypatch.setattr(LagHistory, "samples_at", counted)
    history = LagHistory()
    week = TopicSettings(compacted=False, retention_ms=7 * 86_400_000)
    for number in range(30):
        seen = scan(number, groups=30, frozen=30)
        starts = dict.fromkeys(seen.lag.ends, 0) if seen.lag else {}
        topics = {topic: week for topic, _ in starts}
        seen = replace(seen, lag=seen.lag and replace(seen.lag, starts=starts), topics=topics)
        history.add(seen)
    for slo_seconds in (300.0, 600.0):
        tuned = Tuned(LagSettings(slo_seconds=slo_seconds))
        found = verdicts(history, seen, seen.at, tuned)
        assert {one.state for one in found.values()} == {LagState.STALLED}
    assert read == []


def test_findings_are_made_only_for_what_is_in_trouble() -> None:
    lookout = Lookout()
    for number in range(8):
        lookout.look(scan(number, groups=2000, partitions=500, frozen=5, state="Empty"))
    assert len(lookout.said) == 5
    assert lookout.betweens == {}
    assert lookout.unseen == {}


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [500, 5000])
def test_forty_scans_of_twenty_thousand_entries_take_32_mib(partitions: int) -> None:
    """A quarter of both, since counting memory is slow."""
    history = LagHistory()
    gc.collect()
    tracemalloc.start()
    for number in range(42):
        history.add(scan(number, groups=500, partitions=partitions))
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(history.samples("group-7", *history.entries("group-7")[0])) == 40
    assert used <= 8 * 2**20


@pytest.mark.slow
def test_a_scan_of_twenty_thousand_is_added_in_40_ms() -> None:
    """Twice the bound is allowed for: the machine is shared. The best of seven counts."""
    history = LagHistory()
    history.add(scan(0))
    times = []
    for number in range(1, 8):
        seen = scan(number)
        began = time.process_time()
        history.add(seen)
        times.append(cpu_seconds(began))
    assert min(times) <= 0.08


@pytest.mark.slow
def test_all_are_judged_afresh_from_frames_within_seconds() -> None:
    """One second is the aim; three are allowed for on a shared machine."""
    frames = [pack(scan(number, frozen=20)) for number in range(40)]
    began = time.process_time()
    history, newest = restored(frames)
    found = verdicts(history, newest, newest.at, Tuned(LagSettings()))
    assert cpu_seconds(began) <= 3.0
    assert sum(one.state is LagState.STALLED for one in found.values()) == 20


@pytest.mark.slow
def test_a_restart_of_a_small_cluster_is_well_under_a_second() -> None:
    frames = [pack(scan(number, groups=30, partitions=100)) for number in range(60)]
    began = time.process_time()
    restored(frames)
    assert cpu_seconds(began) <= 0.5


@pytest.mark.slow
def test_fifty_thousand_groups_in_trouble_do_not_take_minutes() -> None:
    """Everything stops at once: every group is found, and the worst fifty are drawn."""
    lookout = Lookout()
    for number in range(7):
        seen = scan(number, groups=50_000, partitions=2000, frozen=50_000, state="Empty")
        lookout.history.add(seen)
    began = time.process_time()
    lookout.look(seen)
    assert cpu_seconds(began) <= 120
    stopped = [one for key, one in lookout.said.items() if "/stopped/" in key]
    assert len(stopped) == 50_000
    assert sum(one.trend is not None for one in stopped) == 50


@pytest.mark.slow
def test_a_day_of_twenty_thousand_entries_weighs_what_is_allowed() -> None:
    """Frames of one cluster and day, if every one were as large as a busy one."""
    kept = [pack(scan(number, frozen=100)) for number in range(5)]
    body = max(len(frame.body) for frame in kept)
    assert body * 2 * 60 * 24 <= FRAME_BYTES_MAX


def test_a_habit_of_all_clients_is_fifty_groups_and_a_count() -> None:
    """Every group reads three partitions and commits on one: thousands of notes would fill the book."""
    world = World()
    world.topic("orders", partitions=3)
    for number in range(300):
        world.group(f"group-{number:03}", reads={"orders": 1})
        world.groups[f"group-{number:03}"].readers["orders", 1] = Reader(-1, None)
    lookout = Lookout(rules=(Abandoned,)).watch(world.scans(until=12))
    assert len(lookout.fired) == 51
    (others,) = (one.finding for one in lookout.fired if "other groups" in one.key)
    assert others.words == "250 more never committed on some of their partitions"
    assert others.lines[0] == "group-050 never committed on orders-1"
    world.groups["group-299"].error = "its coordinator is away"
    del world.groups["group-298"]
    lookout.watch(world.scans(until=14))
    assert lookout.said[others.key].words.startswith("248 more")
    world.dark = True
    lookout.watch(world.scans(until=30))
    assert [one.ended for one in lookout.fired] == [None] * 51


def with_jobs(number: int) -> Seen:
    """Every look has one group more: a layout of its own."""
    return scan(number, groups=1000 + number, partitions=200)


@pytest.mark.slow
def test_tables_of_the_past_are_not_kept() -> None:
    """Neither those that were made, nor, beyond a few, those that were read."""
    frames = [pack(with_jobs(number)) for number in range(3)]
    gc.collect()
    tracemalloc.start()
    for number in range(3, 18):
        pack(with_jobs(number))
    gc.collect()
    made = tracemalloc.get_traced_memory()[0]
    frames = [pack(with_jobs(number)) for number in range(18)]
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for frame in frames:
        unpack(frame)
    gc.collect()
    read = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert made <= 2**20
    assert read <= 2 * 2**20


def test_a_table_is_made_again_only_when_its_cluster_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several clusters take turns."""
    made: list[int] = []

    def counted(layout: Layout) -> tuple[str, bytes]:
        made.append(len(layout))
        return entries_table(layout)

    monkeypatch.setattr("watch.frames.entries_table", counted)
    names = [f"cluster-{number}" for number in range(9)]
    clusters = [CLUSTER.with_(name=name) for name in names]
    for number in (0, 1, 2):
        for cluster in clusters:
            pack(replace(scan(number, groups=20), cluster=cluster))
    assert made == [1, 20] * len(clusters)
    pack(replace(scan(3, groups=21), cluster=clusters[0]))
    assert made[-1] == 21
