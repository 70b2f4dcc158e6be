"""What a thousand finished requests cost: Redis, the card, the lists, the bot's start.

One request is really carried out, on a cluster in memory with the sizes of the frozen case (three to
six brokers, most of 600 partitions moved); the others are its copies under their own ids, saved as
any request is, with its audit lines and its card's place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from redis import Redis

from bench.case import Mistake, read_case
from bench.numbers import Number, percentile
from bench.processes import Floor, floor
from bot.cards.request import draw
from changes.catalog import CATALOG
from changes.catalog.scale_brokers import ScaleBrokers
from changes.ports import World
from changes.request import Person, Request, vote
from ledger import Audit, Card, Ledger, connect
from policies import Cluster, Policies, load
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from workers.jobs import run
from workers.runtime import Runtime

CASE = Path(__file__).parent / "cases" / "input_A_3to6.json.xz"
ANN = Person(user_id="U0LAB0ANN1", name="ann")
BOB = Person(user_id="U0LAB0BOB1", name="bob", groups=("S0LABKAPPR",))
TICK_SECONDS = 300.0
TICKS_MAX = 5_000
REPEATS = 20
CHANNEL = "C0LABKAFKA"
EVENTS = ("awaiting approval", "approved", "running", "done")
"""A life's moves, each with its line in the audit chain."""


def measure(folder: Path, *, requests: int) -> Sequence[Number]:
    with floor(folder) as crew:
        url = crew.redis()
        policies = load(crew.policies(), catalog=CATALOG)
        if not isinstance(policies, Policies):
            raise click.ClickException(policies.words())
        crew.slack()
        ledger = connect(url)
        ended = asyncio.run(carried_out(ledger, policies))
        start_few, open_few = start_of(crew), milliseconds(open_list(ledger))
        before = used_mib(url)
        for number in range(requests):
            copied(ledger, ended, number)
        swept(url)
        grown = used_mib(url) - before
        start_many, open_many = start_of(crew), milliseconds(open_list(ledger))
        one = milliseconds(lambda: ledger.load(ended.id))
        drawn = milliseconds(lambda: draw(ended))
        ledger.close()
    beside = f"beside {requests} finished requests"
    moved = ended.plan.impact.partitions_touched if ended.plan else 0
    return (
        Number(f"Redis for {requests} finished requests of {moved} partitions", grown, "MiB", 20),
        Number("the list of what is open, with none", open_few, "ms"),
        Number(f"the same {beside}", open_many, "ms", open_few + 5),
        Number(f"one request out of the ledger, {beside}", one, "ms", 50),
        Number("drawing its card", drawn, "ms", 50),
        Number("start of the bot, with one request", start_few, "s"),
        Number(f"the same {beside}", start_many, "s", start_few + 1),
    )


def start_of(crew: Floor) -> float:
    """Seconds until the bot listens, the best of two: the first one reads modules from the disk."""
    found = []
    for _ in range(2):
        process, seconds = crew.bot()
        process.terminate()
        process.wait(15)
        found.append(seconds)
    return min(found)


def open_list(ledger: Ledger) -> Callable[[], object]:
    return lambda: ledger.requests(open_only=True)


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some repetitions."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return percentile(taken, 0.5)


def used_mib(url: str) -> float:
    with Redis.from_url(url) as redis:
        return float(redis.info("memory")["used_memory"]) / 1024**2


def swept(url: str) -> None:
    """What would have expired by itself: RQ's jobs, which no worker took here, and marks of a day."""
    with Redis.from_url(url) as redis:
        for pattern in ("rq:*", "ottla:tick:*", "ottla:asked:*"):
            for key in redis.scan_iter(match=pattern, count=1000):
                redis.delete(key)


async def carried_out(ledger: Ledger, policies: Policies) -> Request:
    """One request from the wish to its end, on a cluster with the sizes of the frozen case."""
    cluster = cluster_of_the_case()

    @asynccontextmanager
    async def open_world(*, cluster: Cluster, now: datetime) -> AsyncIterator[World]:
        del cluster
        yield fake.world(now=now)

    fake = cluster
    clock = fake.clock
    own = Runtime(ledger=ledger, policies=policies, open_world=open_world, clock=clock)
    request = ledger.open_request(
        change=ScaleBrokers(cluster=fake.ref.name, brokers=6),
        requester=ANN,
        channel=CHANNEL,
        asked_in=CHANNEL,
        because="the sale begins on Friday",
        now=clock(),
    )
    await run(own, request.id)
    approved(ledger, request.id, clock())
    for _ in range(TICKS_MAX):
        await run(own, request.id)
        found = ledger.load(request.id)
        if found is not None and found.state.ended:
            shown(ledger, found)
            return found
        fake.advance(TICK_SECONDS)
    raise click.ClickException(f"{request.id} did not end within {TICKS_MAX} ticks")


def cluster_of_the_case() -> FakeCluster:
    placement = read_case(CASE)
    if isinstance(placement, Mistake):
        raise click.ClickException(placement.words)
    topics: dict[str, list[int]] = {}
    for partition in placement.partitions:
        topics.setdefault(partition.topic, []).append(partition.size_bytes)
    return FakeCluster(
        clock=FakeClock(datetime.now(UTC)),
        name="orders-lab",
        environment="lab",
        topics=topics,
        volume_gib=4000,
    )


def approved(ledger: Ledger, request_id: str, now: datetime) -> None:
    request = ledger.load(request_id)
    voted = vote(request, person=BOB, choice="approve", revision=None, now=now) if request else None
    if not isinstance(voted, Request):
        raise click.ClickException(f"the request cannot be approved: {voted}")
    audit = Audit(actor=BOB.user_id, event="approved", words="approved by button")
    ledger.save(voted, audit=audit, due_at=now)


def copied(ledger: Ledger, ended: Request, number: int) -> None:
    """The same life once more: asked, decided, ended, and shown in Slack."""
    new = ledger.open_request(
        change=ended.change,
        requester=ANN.with_(user_id=f"U0LAB{number:05}"),
        channel=CHANNEL,
        asked_in=CHANNEL,
        because=ended.because,
        now=ended.created_at,
    )
    now = new
    for event in EVENTS:
        after = ended.with_(id=new.id, version=now.version)
        state = now.state if event != EVENTS[-1] else ended.state
        audit = Audit(actor="worker", event=event, words=ended.log[-1].text)
        now = ledger.save(after.with_(state=state), audit=audit)
    shown(ledger, now)


def shown(ledger: Ledger, request: Request) -> None:
    card = Card(
        channel=CHANNEL,
        ts="1795451464.505958",
        drawn_version=request.version,
        lines_posted=len(request.log),
    )
    ledger.save_card(request.id, card, expected=None)
