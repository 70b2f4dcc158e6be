"""The whole main job as its processes play it: a person asks and votes, the ticker queues, a worker works.

Whoever is killed, the next process calls `live` again and goes on from what Redis and the cluster say;
nothing else is handed over. Time is the cluster's fake clock; only leases end in real time, so a case
shortens them (a tenth of a second of life instead of ten), which makes nothing easier for the product.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from redis import Redis
from rq.serializers import JSONSerializer

from changes import standing
from changes.catalog import CATALOG
from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.ports import World
from changes.request import Person, Request, vote
from ledger import Audit, Ledger, Work
from policies import Cluster, Policies, load
from tests.fakes.cluster import FakeCluster
from tests.faults.far_cluster import Line
from tests.faults.moments import Moments
from tests.faults.watched_ledger import watched_ledger
from workers import jobs
from workers.queue_worker import QUEUE, AllowedJob
from workers.runtime import Runtime
from workers.ticker import beat

LAB_RULES = Path(__file__).parents[2] / "lab" / "policies"
ANN = Person(user_id="U0LAB0ANN1", name="ann")
BOB = Person(user_id="U0LAB0BOB1", name="bob", groups=("S0LABKAPPR",))
CHANNEL = "C0LABKAFKA"
SIX = ScaleBrokers(cluster="orders-lab", brokers=6)
THE_REQUEST = "R-1"
LEASE_SECONDS = 0.3
SECONDS_PER_BEAT = 5.0
BEATS_MAX = 400


@dataclass(frozen=True)
class Shop:
    """Where a process finds what outlives it."""

    redis_url: str
    cluster_address: str
    policies: Policies

    def line(self) -> Line:
        return Line(self.cluster_address)


def lab_policies(folder: Path) -> Policies:
    """The lab's own rules, for the fake cluster."""
    for file in LAB_RULES.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    ref = FakeCluster(name="orders-lab", environment="lab", topics={}).ref
    cluster = {
        "name": ref.name,
        "arn": ref.arn,
        "region": ref.region,
        "environment": "lab",
        "auth": {"mode": "plaintext"},
        "channel": CHANNEL,
    }
    (folder / "clusters.yaml").write_text(json.dumps({"clusters": [cluster]}))
    loaded = load(folder, catalog=CATALOG)
    assert isinstance(loaded, Policies), loaded.words()
    return loaded


@contextmanager
def short_leases(seconds: float = LEASE_SECONDS) -> Iterator[None]:
    usual, jobs.LEASE_SECONDS = jobs.LEASE_SECONDS, seconds
    try:
        yield
    finally:
        jobs.LEASE_SECONDS = usual


class Life:
    """One process that plays every part, each with a ledger of its own name."""

    def __init__(self, shop: Shop, moments: Moments) -> None:
        self.line = shop.line()
        self.moments = moments
        self.bot = self._ledger(shop, "bot")
        self.ticker = self._ledger(shop, "ticker")
        self.worker = self._ledger(shop, "worker")
        self.redis = Redis.from_url(shop.redis_url)
        self.runtime = Runtime(
            ledger=self.worker,
            policies=shop.policies,
            open_world=self._open_world,
            clock=self.line.now,
        )

    def _ledger(self, shop: Shop, role: str) -> Ledger:
        return watched_ledger(shop.redis_url, role=role, moments=self.moments, clock=self.line.now)

    @asynccontextmanager
    async def _open_world(self, *, cluster: Cluster, now: datetime) -> AsyncIterator[World]:
        assert cluster.name == SIX.cluster
        yield self.line.world(now=now, moments=self.moments)

    def close(self) -> None:
        for ledger in (self.bot, self.ticker, self.worker):
            ledger.close()
        self.redis.close()
        self.line.close()

    def request(self) -> Request | None:
        return self.bot.load(THE_REQUEST)

    def people(self) -> bool:
        """Ann asks and Bob votes, each once; False = the request has ended."""
        found = self.request()
        if found is not None and standing.owed(found):
            read_again(self.bot, found, self.line.now())
        if found is None:
            ask(self.bot, self.line.now())
        elif found.state is State.AWAITING_APPROVAL and not found.votes:
            approve(self.bot, found, self.line.now())
        return found is None or not found.state.ended

    def tick(self, *, reconcile: bool) -> None:
        beat(self.ticker, reconcile=reconcile, now=self.line.now())

    def work(self) -> None:
        """Every job that waits, as RQ hands them out: taken from the queue first, then carried out."""
        while request_id := take(self.redis):
            if asyncio.run(jobs.run(self.runtime, request_id)) == "another worker has it":
                time.sleep(LEASE_SECONDS / 4)

    def live(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Beat by beat to the request's end."""
        for number in range(BEATS_MAX):
            if not self.people() or until():
                return
            self.tick(reconcile=number == 0)
            self.work()
            self.line.advance(SECONDS_PER_BEAT)
        raise AssertionError(f"{THE_REQUEST} never ends: {self.request()}")


def take(redis: Redis) -> str | None:
    job_id = redis.lpop(f"rq:queue:{QUEUE}")
    if not isinstance(job_id, bytes):
        return None
    job = AllowedJob.fetch(job_id.decode(), connection=redis, serializer=JSONSerializer)
    return str(job.args[0])


def ask(ledger: Ledger, now: datetime) -> None:
    ledger.open_request(
        change=SIX,
        requester=ANN,
        channel=CHANNEL,
        asked_in=CHANNEL,
        because="orders lag",
        now=now,
    )


def approve(ledger: Ledger, request: Request, now: datetime) -> None:
    voted = vote(request, person=BOB, choice="approve", revision=None, now=now)
    assert isinstance(voted, Request), voted
    audit = Audit(actor=BOB.user_id, event="approved", words="approved")
    work = (Work(job="tick", request_id=voted.id),)
    ledger.save(voted, audit=audit, due_at=now, work=work)


def read_again(ledger: Ledger, request: Request, now: datetime) -> None:
    """Who approved, as `bot.standing` reads them when a worker asks."""
    answered = standing.answered(request, people=(BOB,), now=now)
    audit = Audit(actor="bot", event="approvers read again", words=BOB.user_id)
    ledger.save(answered, audit=audit, due_at=now)


def live(shop: Shop, moments: Moments | None = None, *, kind: type[Life] = Life) -> None:
    """What a process does from its start to the request's end."""
    with short_leases():
        life = kind(shop, moments or Moments())
        try:
            life.live()
        finally:
            life.close()
