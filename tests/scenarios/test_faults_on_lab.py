"""One main job on the real lab while a dozen things are killed, frozen, throttled and cut off.

`tests/faults` kills at every moment on fakes; here the same deaths meet real processes: RQ's parent and
child, a bot on its socket, Redis with its file, Kafka brokers. After each, work must go on within 15 s of a
worker being there, and the end must be as good as the undisturbed one.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from changes.lifecycle import State
from changes.request import Request
from changes.steps_replicas import MoveReplicas, bound_ids
from ledger import LedgerUnavailable
from tests.scenarios.labs import Lab, until
from tests.scenarios.test_main_job import (
    JOB_SECONDS_MAX,
    in_sync,
    test_every_acknowledged_record_is_read_back,
    test_msk_was_asked_once,
    test_no_throttle_and_no_reassignment_is_left,
    test_the_audit_chain_verifies,
    thread,
    witness,
)

__all__ = [
    "test_every_acknowledged_record_is_read_back",
    "test_msk_was_asked_once",
    "test_no_throttle_and_no_reassignment_is_left",
    "test_the_audit_chain_verifies",
    "witness",
]
pytestmark = pytest.mark.lab
RESUMED_SECONDS_MAX = 15.0
ROLE_BACK_SECONDS_MAX = 30.0


class Ordeal:
    """The faults, and how long work stood still after each."""

    def __init__(self, lab: Lab, request_id: str) -> None:
        self.lab = lab
        self.request_id = request_id
        self.redis: subprocess.Popen[bytes] | None = None
        self.still_seconds: dict[str, float] = {}

    def fault(self, *arguments: str) -> None:
        self.lab.run("lab", "fault", *arguments, "--dir", str(self.lab.folder))

    def request(self) -> Request | None:
        """None while Redis is away."""
        with contextlib.suppress(LedgerUnavailable, RedisError):
            return self.lab.request(self.request_id)
        return None

    def survives(self, name: str, strike: Callable[[], None]) -> None:
        """Strike while it works, and wait until it works again."""
        before = until(self.request, what="the ledger", seconds=20)
        if before.state.ended:
            raise AssertionError(f"{name} came too late: {self.request_id} is {before.state}")
        strike()
        self.worker_is_there()
        struck = until(self.request, what="the ledger", seconds=20)
        began = time.monotonic()

        def moved() -> bool:
            found = self.request()
            return found is not None and found.version > struck.version

        until(moved, what=f"work to go on after: {name}", seconds=RESUMED_SECONDS_MAX)
        self.still_seconds[name] = time.monotonic() - began

    def worker_is_there(self) -> None:
        def alive() -> bool:
            return bool(psutil.pid_exists(int(self.lab.reload()["pids"].get("worker", 0))))

        until(alive, what="a worker", seconds=ROLE_BACK_SECONDS_MAX)

    def kill_role(self, role: str) -> None:
        """SIGKILL, and wait for the one that the lab starts in its place."""
        old = int(self.lab.reload()["pids"][role])
        os.kill(old, signal.SIGKILL)

        def replaced() -> bool:
            return int(self.lab.reload()["pids"].get(role, old)) != old

        until(replaced, what=f"a new {role}", seconds=ROLE_BACK_SECONDS_MAX)

    def kill_working_child(self) -> None:
        """RQ forks a child for each job; one is caught at work."""
        parent = psutil.Process(int(self.lab.reload()["pids"]["worker"]))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for child in parent.children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
                    return
            time.sleep(0.005)
        raise AssertionError("no child of the worker was seen")

    def restart_redis(self) -> None:
        """Killed and started again on its append-only file, by the same command in the same place."""
        old = psutil.Process(int(self.lab.reload()["pids"]["redis"]))
        command, folder = old.cmdline(), old.cwd()
        old.kill()
        with contextlib.suppress(psutil.NoSuchProcess):
            old.wait(10)
        # Written by the lab; the title Redis gives itself shows the address behind the file's name.
        file = Path(self.lab.folder / "redis" / "redis.conf")
        binary = command[0].split(" ")[0]
        self.redis = subprocess.Popen([binary, str(file)], cwd=folder, stdout=subprocess.DEVNULL)

        def answers() -> bool:
            with contextlib.suppress(RedisError), Redis.from_url(self.lab.addresses["redis"]) as r:
                return bool(r.ping())
            return False

        until(answers, what="Redis to answer again", seconds=20)

    def kill_and_restart_broker(self, broker_id: int) -> None:
        self.fault("broker-kill", str(broker_id))
        self.fault("broker-restart", str(broker_id))

    def until_step(self, number: int) -> None:
        """Step `number` (from 1) is at work, or the ones after it."""

        def there() -> bool:
            found = self.request()
            return bool(found and found.progress and found.progress.step >= number - 1)

        until(there, what=f"step {number}", seconds=JOB_SECONDS_MAX)


@pytest.fixture(scope="module")
def ordeal(lab: Lab) -> Iterator[Ordeal]:
    request_id = lab.ask("ann", "scale brokers 6 because it must survive")
    found = Ordeal(lab, request_id)
    yield found
    found.fault("clear")
    if found.redis is not None:
        found.redis.kill()
        found.redis.wait()


@pytest.fixture(scope="module")
def done(lab: Lab, ordeal: Ordeal) -> Request:
    card = lab.card_says(ordeal.request_id, "awaiting approval", seconds=60)
    ordeal.fault("slack-ratelimit", "method=chat.update", "times=2", "retry_after=2")
    ordeal.fault("slack-reset-after-commit", "method=chat.postMessage")
    ordeal.fault("aws-error-after-acting", "operation=UpdateBrokerCount")
    lab.click("bob", card, "Approve")
    while_msk_adds(ordeal)
    while_replicas_move(ordeal)
    return lab.until_state(
        ordeal.request_id,
        State.DONE,
        State.FAILED,
        State.NEEDS_ATTENTION,
        seconds=JOB_SECONDS_MAX,
    )


def while_msk_adds(ordeal: Ordeal) -> None:
    ordeal.until_step(1)
    ordeal.survives("the ticker killed", lambda: ordeal.kill_role("ticker"))
    ordeal.survives("the worker killed, parent and child", lambda: ordeal.kill_role("worker"))
    ordeal.survives("Redis killed, restarted from its file", ordeal.restart_redis)
    ordeal.survives("the bot killed", lambda: ordeal.kill_role("bot"))


def while_replicas_move(ordeal: Ordeal) -> None:
    ordeal.until_step(3)
    ordeal.survives("the worker's child killed", ordeal.kill_working_child)
    throttle = ("aws-throttle", "operation=DescribeClusterV2", "times=3")
    ordeal.survives("MSK throttling", lambda: ordeal.fault(*throttle))
    metrics = ("aws-unavailable", "operation=GetMetricData", "times=3")
    ordeal.survives("CloudWatch away", lambda: ordeal.fault(*metrics))
    ordeal.survives("a broker frozen", lambda: ordeal.fault("broker-freeze", "2", "seconds=3"))
    ordeal.survives("a broker killed and back", lambda: ordeal.kill_and_restart_broker(3))


def test_it_survives_all_of_it(done: Request, ordeal: Ordeal) -> None:
    assert done.state is State.DONE, done.outcome
    assert len(ordeal.still_seconds) == 9
    assert max(ordeal.still_seconds.values()) <= RESUMED_SECONDS_MAX, ordeal.still_seconds
    print("stood still, seconds:", {k: round(v, 1) for k, v in ordeal.still_seconds.items()})


def test_each_replica_is_where_it_was_planned(witness: Any, done: Request) -> None:
    """Leaders of partitions that were not moved are Kafka's own business after a broker's death."""
    assert done.plan is not None
    assert done.progress is not None
    ids = bound_ids(done.progress.memory)
    steps = [step for step in done.plan.steps if isinstance(step, MoveReplicas)]
    planned = {m.key: list(m.bound(ids).after) for step in steps for m in step.moves}
    topics = {key.rpartition("-")[0] for key in planned}
    found = {
        f"{topic['name']}-{p['partition_index']}": p["replica_nodes"]
        for topic in witness.describe_topics(sorted(topics))
        for p in topic["partitions"]
    }
    assert planned
    assert {key: list(found[key]) for key in planned} == planned
    # A broker was killed moments ago; what it holds may still be catching up.
    until(lambda: in_sync(witness), what="every replica in sync", seconds=30)


def test_the_thread_shows_each_decision_once(lab: Lab, done: Request) -> None:
    card = lab.card_says(done.id, "done")

    def shown() -> list[str]:
        return [m["text"] for m in thread(lab, card) if not m["files"]]

    both: list[list[str]] = []

    def whole() -> bool:
        """The watch may note at the end what it held back, so the ledger is read anew as well."""
        request = lab.request(done.id)
        both[:] = [shown(), [line.text for line in request.log] if request else []]
        return len(both[0]) == len(both[1]) >= len(done.log)

    # A killed bot's claim has to run out before another bot may write.
    until(whole, what="the whole thread, each line once", seconds=90)
    for text, line in zip(*both, strict=True):
        assert nameless(line) in nameless(text)
    assert len([f for m in thread(lab, card) for f in m["files"]]) == 3


def nameless(text: str) -> str:
    """Slack shows people and groups by name, the ledger keeps their ids."""
    return re.sub(r"<[@!][^>]*>|@[\w-]+", "", text)
