"""A restart forgets neither rhythms nor rewinds, losses and standstills, however old."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from changes.incident import Severity
from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.test_retention import retention
from tests.watch.consumers.test_scenarios import batch, busy
from tests.watch.consumers.world import World
from watch.frames import pack, unpack
from watch.seen import Seen

pytestmark = pytest.mark.slow


def restarted(before: Lookout, frames: list[Seen], *, with_frames: bool) -> Lookout:
    """Another process: it has the last frames (or none) and the memory that was kept."""
    after = Lookout()
    if with_frames:
        for seen in frames[-60:]:
            read = unpack(pack(seen))
            assert isinstance(read, Seen)
            after.history.add(read)
    after.history.lag.recall(before.history.lag.pack())
    assert after.history.lag.remark == ""
    return after


def told_before(world: World, *, until: float) -> tuple[Lookout, list[Seen]]:
    lookout, frames = Lookout(), []
    for seen in world.scans(until=until):
        lookout.look(seen)
        frames.append(seen)
    return lookout, frames


@pytest.mark.parametrize("with_frames", [True, False])
def test_a_rhythm_is_known_after_a_restart(with_frames: bool) -> None:
    world = batch(until=600)
    before, frames = told_before(world, until=330)
    after = restarted(before, frames, with_frames=with_frames)
    after.watch(world.scans(until=600, scan_now=False))
    assert after.fired == []


@pytest.mark.parametrize("with_frames", [True, False])
def test_a_rewind_is_still_one_after_a_restart(with_frames: bool) -> None:
    world = busy()
    world.at(10, lambda: world.shift("payments", -900_000), lambda: world.slow("payments", 150))
    before, frames = told_before(world, until=60)
    after = restarted(before, frames, with_frames=with_frames)
    after.watch(world.scans(until=65, scan_now=False))
    told = after.said["rewind/rewind/group payments"]
    assert told.words == before.said["rewind/rewind/group payments"].words


@pytest.mark.parametrize("with_frames", [True, False])
def test_a_loss_that_was_seen_stays_as_loud_after_a_restart(with_frames: bool) -> None:
    world = retention()
    world.leave("payments")
    before, frames = told_before(world, until=80)
    after = restarted(before, frames, with_frames=with_frames)
    after.watch(world.scans(until=85, scan_now=False))
    assert after.said["data_loss/lost/group payments"].severity is Severity.CRIT


@pytest.mark.parametrize("with_frames", [True, False])
def test_the_last_commit_is_known_hours_later(with_frames: bool) -> None:
    world = busy()
    world.at(10, lambda: world.stop("payments"))
    before, frames = told_before(world, until=180)
    after = restarted(before, frames, with_frames=with_frames)
    after.watch(world.scans(until=183, scan_now=False))
    assert "last commit 12:10" in after.said["consumer_lag/stopped/group payments"].words


def test_a_healthy_cluster_has_nothing_to_remember() -> None:
    before, _ = told_before(busy(), until=30)
    assert len(before.history.lag.pack()) < 60


def test_memories_of_another_day_say_nothing() -> None:
    world = batch(until=600)
    before, _ = told_before(world, until=330)
    world.clock_off = 2 * 86_400
    after = restarted(before, [], with_frames=False)
    after.watch(world.scans(until=360, scan_now=False))
    assert after.fired != []


def _cut(data: bytes) -> bytes:
    return data[:-5]


def _other_version(data: bytes) -> bytes:
    return data.replace(b"lag 1", b"lag 9")


@pytest.mark.parametrize("spoil", [_cut, _other_version, lambda _: b"", lambda data: data[:20]])
def test_spoilt_memories_are_left_with_a_remark(spoil: Callable[[bytes], bytes]) -> None:
    before, _ = told_before(batch(until=600), until=330)
    after = Lookout()
    after.history.lag.recall(spoil(before.history.lag.pack()))
    assert after.history.lag.remark.startswith("what was remembered of offsets ")
    after.watch(busy().scans(until=10))
    assert after.fired == []
