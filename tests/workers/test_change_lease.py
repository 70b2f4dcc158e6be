"""While a worker carries a change out, the watch knows what it explains; when the worker dies, it does not."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from typing import Any

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.excuses import ChangeLease
from changes.lifecycle import State
from changes.request import Request
from ledger import Fence, LedgerUnavailable, change_leases
from tests.workers.conftest import Floor
from tests.workers.test_steering import started, steer
from tests.workers.test_world_changes import moving
from workers import jobs

pytestmark = pytest.mark.slow

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)
DIES_WITHIN_SECONDS = 60
FORK = multiprocessing.get_context("fork")


def only(floor: Floor) -> ChangeLease:
    (lease,) = floor.ledger.change_leases("orders-lab")
    return lease


def milliseconds_left(floor: Floor, request: Request) -> int:
    left = floor.ledger._redis.pttl(f"ottla:change:{request.id}")
    assert isinstance(left, int)
    return left


async def test_it_is_there_before_the_first_act(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[ChangeLease] = []
    update = floor.cluster.msk.update_broker_count

    async def watched(**asked: Any) -> Any:
        seen.append(only(floor))
        return await update(**asked)

    monkeypatch.setattr(floor.cluster.msk, "update_broker_count", watched)
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    assert floor.ledger.change_leases("orders-lab") == ()
    await floor.tick(asked)
    (lease,) = seen
    assert lease.title == "scale brokers 6"
    assert lease.effects == ScaleBrokers.effects
    assert lease.topics == ("clicks", "orders"), "the plan leaves audit where it is"
    assert set(lease.broker_ids) == {1, 2, 3}, "new brokers have no ids yet"
    assert lease.ended_at is None


async def test_new_brokers_are_in_it_once_they_are_known(floor: Floor) -> None:
    await moving(floor)
    assert set(only(floor).broker_ids) == {1, 2, 3, 4, 5, 6}


async def test_a_tick_renews_it_and_a_person_does_not(floor: Floor) -> None:
    running = await started(floor)
    assert 15_000 < milliseconds_left(floor, running) <= DIES_WITHIN_SECONDS * 1000
    floor.ledger._redis.pexpire(f"ottla:change:{running.id}", 3000)
    steer(floor, running, "pause")
    assert milliseconds_left(floor, running) <= 3000
    await floor.tick(running)
    paused = milliseconds_left(floor, running)
    assert 15_000 < paused <= DIES_WITHIN_SECONDS * 1000


async def test_it_goes_with_its_worker_and_comes_back_with_the_next(floor: Floor) -> None:
    running = await started(floor)
    floor.ledger._redis.pexpire(f"ottla:change:{running.id}", 1)  # nobody ticked for so long
    await asyncio.sleep(0.02)
    assert floor.ledger.change_leases("orders-lab") == ()
    await floor.tick(running)
    assert only(floor).request_id == running.id


def test_it_is_gone_soon_after_its_worker_was_killed_amid_the_act(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_leases, "GRACE_SECONDS", 0.3)
    asked = floor.ask(SIX)
    asyncio.run(floor.tick(asked))
    floor.approve(asked)

    async def killed(**_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(floor.cluster.msk, "update_broker_count", killed)
    process = FORK.Process(target=lambda: asyncio.run(floor.tick(asked)))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert floor.now(asked).state is State.RUNNING
    assert only(floor).request_id == asked.id
    poll_seconds = floor.runtime.policies.limits("orders-lab").poll_seconds
    time.sleep(poll_seconds + 0.4)
    assert floor.ledger.change_leases("orders-lab") == ()


async def test_it_outlives_a_tick_that_is_longer_than_itself(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 0.9)
    running = await started(floor)
    floor.ledger._redis.pexpire(f"ottla:change:{running.id}", 1_000)
    describe = floor.cluster.msk.describe
    left: list[int] = []

    async def slow() -> Any:
        await asyncio.sleep(2.0)
        left.append(milliseconds_left(floor, running))
        return await describe()

    monkeypatch.setattr(floor.cluster.msk, "describe", slow)
    await floor.tick(running)
    assert left[0] > 5_000


async def test_a_heartbeat_that_redis_did_not_answer_is_followed_by_the_next(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the claim of a long tick runs out, and what its change explains with it."""
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 0.9)
    running = await started(floor)
    floor.ledger._redis.pexpire(f"ottla:change:{running.id}", 2_400)
    describe, renew = floor.cluster.msk.describe, floor.ledger.renew
    beats: list[str] = []

    def away_at_first(fence: Fence) -> bool:
        beats.append("beat")
        if len(beats) == 1:
            raise LedgerUnavailable("Redis does not answer in time (the test wants it so)")
        return renew(fence)

    async def slow() -> Any:
        await asyncio.sleep(1.5)
        return await describe()

    monkeypatch.setattr(floor.ledger, "renew", away_at_first)
    monkeypatch.setattr(floor.cluster.msk, "describe", slow)
    await floor.tick(running)
    assert len(beats) > 1


@pytest.mark.parametrize(
    ("how", "state"),
    [("done", State.DONE), ("failed", State.FAILED), ("aborted", State.ROLLED_BACK)],
)
async def test_it_is_kept_as_ended(floor: Floor, how: str, state: State) -> None:
    if how == "failed":
        floor.cluster.operation_error = "InsufficientCapacity in use1-az2"
    running = await started(floor)
    if how == "aborted":
        steer(floor, running, "abort")
    ended = await floor.until_ended(running, seconds_per_tick=10)
    assert ended.state is state
    lease = only(floor)
    assert lease.ended_at == ended.updated_at
    assert lease.ended_at is not None
    assert lease.started_at <= lease.ended_at
    assert milliseconds_left(floor, running) > 10 * 60 * 1000


async def test_what_never_started_explains_nothing(floor: Floor) -> None:
    asked = floor.ask(SIX.with_(brokers=5))
    await floor.tick(asked)
    assert floor.now(asked).state is State.DENIED
    assert floor.ledger.change_leases("orders-lab") == ()
