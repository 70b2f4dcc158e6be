"""Throttles that an ended change left behind are taken away, and nothing else is."""

from __future__ import annotations

import copy

import pytest

from changes.lifecycle import Event, State
from changes.request import Request
from ledger import Audit
from ledger.replies import names
from tests.fakes.cluster import FakeCluster
from tests.workers.conftest import Floor
from tests.workers.test_steering import started
from tests.workers.test_world_changes import SIX, moving
from workers import jobs
from workers.queue_worker import one_id
from workers.sweeping import swept
from workers.ticker import queue_sweeps

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds

NAME = "orders-lab"
QUEUE = "rq:queue:ottla"
LEADER, FOLLOWER = "leader.replication.throttled.rate", "follower.replication.throttled.rate"
LISTS = "leader.replication.throttled.replicas"


class Late:
    """What a cut-off worker had sent, to be carried out after another one has finished."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.rates = copy.deepcopy(cluster.broker_configs)
        self.lists = copy.deepcopy(cluster.topic_configs)
        assert self.rates
        assert self.lists

    def arrives(self) -> None:
        self.cluster.broker_configs |= copy.deepcopy(self.rates)
        self.cluster.topic_configs |= copy.deepcopy(self.lists)


async def done(floor: Floor) -> tuple[Request, Late]:
    """A request that ended well, and an effect of its that is still on its way."""
    running = await moving(floor)
    late = Late(floor.cluster)
    over = await floor.until_ended(running, seconds_per_tick=10)
    assert over.state is State.DONE
    return over, late


async def test_nothing_left_is_nothing_done(floor: Floor) -> None:
    over, _ = await done(floor)
    assert not floor.cluster.broker_configs
    assert await swept(floor.runtime, NAME) == "nothing is left behind"
    assert floor.now(over) == over


async def test_a_late_effect_is_taken_away_and_told(floor: Floor) -> None:
    over, late = await done(floor)
    late.arrives()
    found = await swept(floor.runtime, NAME)
    assert found.startswith(f"{over.id}: throttled replicas of topic ")
    assert not floor.cluster.broker_configs
    assert not floor.cluster.topic_configs
    line = floor.now(over).log[-1]
    assert line.text.startswith(f"Left behind by {over.id} and taken away now: ")
    assert line.calls == "requester"
    assert [one.event for one in floor.ledger.audit_lines(request_id=over.id)][-1] == "swept"
    assert floor.now(over).state is State.DONE
    assert await swept(floor.runtime, NAME) == "nothing is left behind"


async def test_what_is_somebody_elses_stays(floor: Floor) -> None:
    await done(floor)
    foreign = {4: {LEADER: "123456", FOLLOWER: "123456"}}
    elsewhere = {"audit": {LISTS: "0:1"}, "clicks": {LISTS: "5:99"}}
    floor.cluster.broker_configs |= foreign
    floor.cluster.topic_configs |= elsewhere
    assert await swept(floor.runtime, NAME) == "nothing is left behind"
    assert floor.cluster.broker_configs == foreign
    assert floor.cluster.topic_configs == elsewhere


async def test_what_was_set_before_is_put_back_and_not_just_deleted(floor: Floor) -> None:
    before = {LEADER: "7000000"}
    floor.cluster.broker_configs[1] = dict(before)
    _, late = await done(floor)
    assert late.rates[1] != before
    late.arrives()
    await swept(floor.runtime, NAME)
    assert floor.cluster.broker_configs == {1: before}


async def test_an_end_that_needs_attention_is_swept_once_nothing_moves(floor: Floor) -> None:
    running = await moving(floor)
    lost = floor.now(running).moved(event=Event.OUTCOME_UNKNOWN, now=floor.clock())
    audit = Audit(actor="worker", event="needs attention", words="nobody knows")
    floor.ledger.save(lost, audit=audit)
    assert await swept(floor.runtime, NAME) == "partitions are moving"
    assert floor.cluster.broker_configs
    floor.cluster.advance(3600)
    assert f"{running.id}: " in await swept(floor.runtime, NAME)
    assert not floor.cluster.broker_configs
    assert not floor.cluster.topic_configs


async def test_a_broker_that_is_away_is_swept_when_it_is_back(floor: Floor) -> None:
    _, late = await done(floor)
    late.arrives()
    floor.cluster.kill(5)
    await swept(floor.runtime, NAME)
    assert set(floor.cluster.broker_configs) == {5}
    floor.cluster.restart(5)
    floor.cluster.advance(5)
    assert "broker 5" in await swept(floor.runtime, NAME)
    assert not floor.cluster.broker_configs


async def test_a_change_at_work_is_left_alone(floor: Floor) -> None:
    running = await moving(floor)
    assert await swept(floor.runtime, NAME) == "no change has set a throttle lately"
    assert not floor.ledger.queue_sweep(NAME)
    await floor.until_ended(running, seconds_per_tick=10)
    second = floor.ask(SIX.with_(brokers=9))
    await floor.tick(second)
    floor.approve(second)
    await floor.tick(second)
    assert await swept(floor.runtime, NAME) == "a change is at work"


async def test_a_silent_cluster_and_an_unknown_one_are_words(floor: Floor) -> None:
    await done(floor)
    floor.cluster.silent.add("kafka")
    assert (await swept(floor.runtime, NAME)).startswith("could not be looked at: ")
    assert await swept(floor.runtime, "all") == "all does not stand in clusters.yaml"


class TestQueueing:
    def test_once_in_ten_minutes_whoever_asks(self, floor: Floor) -> None:
        redis = floor.ledger._redis
        for _ in range(3):
            assert queue_sweeps(floor.ledger, [NAME, "payments-lab"]) == ""
        assert names(redis.lrange(QUEUE, 0, -1)) == (
            f"sweep-{NAME}-0-1",
            "sweep-payments-lab-0-1",
        )
        left = redis.ttl(f"ottla:swept:{NAME}")
        assert isinstance(left, int)
        assert 590 < left <= 600
        redis.delete(f"ottla:swept:{NAME}")
        assert floor.ledger.queue_sweep(NAME)
        assert f"sweep-{NAME}-0-2" in names(redis.lrange(QUEUE, 0, -1))

    async def test_not_while_a_change_is_at_work(self, floor: Floor) -> None:
        running = await started(floor)
        assert not floor.ledger.queue_sweep(NAME)
        assert floor.ledger.at_work(NAME)
        await floor.until_ended(running, seconds_per_tick=10)
        assert floor.ledger.queue_sweep(NAME)

    async def test_the_job_runs_by_its_name(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, late = await done(floor)
        late.arrives()
        monkeypatch.setattr(jobs, "runtime", lambda: floor.runtime)
        assert "throttled replicas" in await jobs.sweep(NAME)
        assert not floor.cluster.topic_configs
        other = floor.ledger.claim(f"sweep:{NAME}", seconds=5)
        assert other is not None, "the lease was given back"
        assert await jobs.sweep(NAME) == "another worker has it"


def test_a_cluster_may_have_the_longest_name_there_is() -> None:
    assert one_id(["c" * 64])
    assert not one_id(["c" * 65])
