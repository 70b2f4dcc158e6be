"""A worker on a fake cluster with a real ledger: time is handed on by the test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from changes.catalog import CATALOG
from changes.change import Change
from changes.ports import World
from changes.request import Person, Request, vote
from changes.standing import answered, owed
from ledger import Audit, Ledger, Work, connect
from policies import Cluster, Policies, load
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.redis_server import redis_server, redis_url
from workers.jobs import run
from workers.runtime import Runtime

__all__ = ["redis_server", "redis_url"]

RULES = Path(__file__).parents[2] / "lab" / "policies"
ANN = Person(user_id="U0LAB0ANN1", name="ann")
BOB = Person(user_id="U0LAB0BOB1", name="bob", groups=("S0LABKAPPR",))
TICKS_MAX = 500
MB = 1_000_000


class Floor:
    """The worker's floor: a fake cluster, a real ledger, and a hand to turn the wheel."""

    def __init__(self, *, redis_url: str, folder: Path, catalog: tuple[type[Change], ...]) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(
            clock=self.clock,
            name="orders-lab",
            environment="lab",
            topics={"orders": [9 * MB] * 9, "clicks": [3 * MB] * 6, "audit": [MB] * 3},
        )
        self.ledger: Ledger = connect(redis_url)
        self.folder = folder
        self.catalog = catalog
        self.runtime = Runtime(
            ledger=self.ledger,
            policies=self.policies(),
            open_world=self.open_world,
            clock=self.clock,
        )

    def policies(self) -> Policies:
        for file in RULES.glob("*.yaml"):
            (self.folder / file.name).write_text(file.read_text())
        ref = self.cluster.ref
        cluster = {
            "name": ref.name,
            "arn": ref.arn,
            "region": ref.region,
            "environment": "lab",
            "auth": {"mode": "plaintext"},
            "channel": "C0LABKAFKA",
        }
        (self.folder / "clusters.yaml").write_text(json.dumps({"clusters": [cluster]}))
        loaded = load(self.folder, catalog=self.catalog)
        assert isinstance(loaded, Policies), loaded.words()
        return loaded

    def read_policies_again(self) -> None:
        """As the next job would, after an edit."""
        loaded = load(self.folder, catalog=self.catalog)
        assert isinstance(loaded, Policies), loaded.words()
        self.runtime = replace(self.runtime, policies=loaded)

    @asynccontextmanager
    async def open_world(self, *, cluster: Cluster, now: datetime) -> AsyncIterator[World]:
        assert cluster.name == "orders-lab"
        yield self.cluster.world(now=now)

    def ask(self, change: Change, because: str = "") -> Request:
        return self.ledger.open_request(
            change=change,
            requester=ANN,
            channel="C0LABKAFKA",
            asked_in="C0LABKAFKA",
            because=because,
            now=self.clock(),
        )

    def now(self, request: Request) -> Request:
        found = self.ledger.load(request.id)
        assert found is not None
        return found

    async def tick(self, request: Request) -> str:
        return await run(self.runtime, request.id)

    def approve(self, request: Request, person: Person = BOB) -> Request:
        voted = vote(
            self.now(request), person=person, choice="approve", revision=None, now=self.clock()
        )
        assert isinstance(voted, Request), voted
        audit = Audit(actor=person.user_id, event="approved", words="approved")
        work = (Work(job="tick", request_id=voted.id),)
        return self.ledger.save(voted, audit=audit, due_at=self.clock(), work=work)

    def read_approvers_again(self, request: Request, *people: Person) -> None:
        """As a bot does when a worker asks; nothing when it does not."""
        waits = self.now(request)
        if not owed(waits):
            return
        told = answered(waits, people=people or (BOB,), now=self.clock())
        self.ledger.save(told, audit=None, due_at=self.clock())

    async def until_ended(self, request: Request, *, seconds_per_tick: float = 2) -> Request:
        """Ticks as the ticker would queue them, until the request has ended."""
        for _ in range(TICKS_MAX):
            await self.tick(request)
            found = self.now(request)
            if found.state.ended:
                return found
            self.cluster.advance(seconds_per_tick)
        raise AssertionError(f"{request.id} never ends: {found.progress}")


@pytest.fixture
def floor(redis_url: str, tmp_path: Path) -> Floor:
    return Floor(redis_url=redis_url, folder=tmp_path, catalog=CATALOG)
