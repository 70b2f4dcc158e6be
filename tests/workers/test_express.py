"""Express clusters: AWS moves the data, has no figure of disks, and needs longer than we look otherwise."""

from __future__ import annotations

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.request import Request
from tests.workers.conftest import Floor

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def validating(floor: Floor) -> Request:
    """A change of an Express cluster at its last step: MSK has added, and AWS begins to move."""
    floor.cluster.instance_type = "express.m7g.large"
    floor.cluster.msk_says = {"rebalancing": "ACTIVE"}
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    for _ in range(200):
        await floor.tick(asked)
        progress = floor.now(asked).progress
        if progress and progress.step == 2:
            return asked
        floor.cluster.advance(5)
    raise AssertionError(floor.now(asked).log)


def aws_moves(floor: Floor) -> None:
    for number, partition in enumerate(floor.cluster.partitions.values()):
        replicas = tuple(1 + (number + one) % 6 for one in range(3))
        partition.replicas = partition.isr = replicas
        partition.leader = replicas[0]


async def test_it_is_done_once_aws_has_moved_with_no_word_of_disks(floor: Floor) -> None:
    asked = await validating(floor)
    for _ in range(40):
        await floor.tick(asked)
        floor.cluster.advance(60)
    waiting = floor.now(asked)
    assert waiting.state is State.RUNNING, "AWS says it takes up to half an hour"
    assert waiting.progress is not None
    assert "carries only" in waiting.progress.note
    assert not any(line.calls == "both" for line in waiting.log), "it is what AWS said it would be"
    aws_moves(floor)
    done = await floor.until_ended(asked)
    assert done.state is State.DONE
    assert done.outcome is not None
    assert "look at this" not in done.outcome.words
    assert "under-replicated 0, offline 0" in done.outcome.words
    assert "disk" not in done.outcome.words
    assert floor.cluster.count("reassign") == 0


async def test_brokers_that_aws_leaves_idle_are_said_at_the_end(floor: Floor) -> None:
    asked = await validating(floor)
    done = await floor.until_ended(asked, seconds_per_tick=60)
    assert done.state is State.DONE
    assert done.outcome is not None
    assert "look at this: new broker 4 carries only 0 % of the mean" in done.outcome.words


def thin(floor: Floor) -> None:
    """As a partition is while AWS adds a copy to it."""
    for partition in list(floor.cluster.partitions.values())[:4]:
        partition.isr = partition.isr[:2]


async def test_copies_that_aws_adds_neither_hold_nor_call_anybody(floor: Floor) -> None:
    asked = await validating(floor)
    thin(floor)
    for _ in range(40):
        await floor.tick(asked)
        floor.cluster.advance(60)
    waiting = floor.now(asked)
    assert waiting.state is State.RUNNING
    assert waiting.progress is not None
    assert "4 partitions are under-replicated" in waiting.progress.note
    assert not any(line.text.startswith("Holding") or line.calls == "both" for line in waiting.log)


async def test_what_has_no_leader_or_too_much_to_do_holds_on_express_too(floor: Floor) -> None:
    asked = await validating(floor)
    next(iter(floor.cluster.partitions.values())).leader = None
    await floor.tick(asked)
    held = floor.now(asked).progress
    assert held is not None
    assert "1 partitions have no leader" in held.hold
    next(iter(floor.cluster.partitions.values())).leader = 1
    floor.cluster.cpu_percent[2] = 99.0
    await floor.tick(asked)
    busy = floor.now(asked).progress
    assert busy is not None
    assert "CPU of broker 2 is 99 %" in busy.hold
