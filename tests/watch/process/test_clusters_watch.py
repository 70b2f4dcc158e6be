"""Several clusters in one process: one's trouble is its own, and clusters.yaml is followed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from ledger import Ledger, connect
from policies import Cluster
from policies.keeping_alerts import KeptAlerts
from tests.watch.process.tower import FakePorts, Tower
from watch import clusters_watch
from watch.clusters_watch import watch_all
from watch.incident_settings import IncidentSettings
from watch.runtime import Runtime, all_rules, settings_of

pytestmark = pytest.mark.slow

ONE = """
  - name: {name}
    arn: arn:aws:kafka:us-east-1:123456789012:cluster/{name}/0a1b2c3d-1
    region: us-east-1
    environment: lab
    channel: C0LABKAFKA
    auth: {{mode: plaintext}}
    metrics_period_seconds: {period}
"""
WAIT_SECONDS_MAX = 10.0


class Company:
    """A process that watches whatever clusters.yaml says, in real time, over a tower per cluster."""

    def __init__(self, *, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.towers = {name: Tower() for name in ("east", "west")}
        self.ledger: Ledger = connect(redis_url)
        self.stop = asyncio.Event()
        self.write("east", "west")
        (folder / "alerts.yaml").write_text("defaults: {scan_seconds: 1}")
        rules = all_rules()
        kept = KeptAlerts.start(
            folder, rules=settings_of(rules), incident_settings=IncidentSettings
        )
        assert isinstance(kept, KeptAlerts), kept.words()
        clock = self.towers["east"].clock
        self.runtime = Runtime(
            ledger=self.ledger,
            kept=kept,
            open_cluster=self.open,
            rules=rules,
            clock=clock,
            mono=time.monotonic,
        )

    def open(self, cluster: Cluster) -> AbstractAsyncContextManager[FakePorts]:
        return self.towers[cluster.name].open()

    def write(self, *names: str, period: int = 60) -> None:
        listed = "".join(ONE.format(name=name, period=period) for name in names)
        (self.folder / "clusters.yaml").write_text(f"clusters:{listed}")

    async def until(self, look: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not look():
            assert time.monotonic() < deadline, what
            await asyncio.sleep(0.05)


@pytest.fixture
async def company(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    monkeypatch.setattr(clusters_watch, "FILES_SECONDS", 0.1)
    found = Company(redis_url=redis_url, folder=tmp_path)
    running = asyncio.create_task(watch_all(found.runtime, stop=found.stop))
    yield found
    found.stop.set()
    await running
    assert [one.opened - one.closed for one in found.towers.values()] == [0, 0]
    found.ledger.close()


async def test_one_clusters_trouble_is_its_own(company: Company) -> None:
    company.towers["west"].cluster.silent |= {"opening", "kafka", "msk", "metrics"}

    def blind(name: str) -> bool | None:
        view = company.ledger.view(name)
        return None if view is None else bool(view.blind)

    await company.until(lambda: blind("west"), "nobody said that west cannot be seen")
    await company.until(lambda: blind("east") is False, "east was never seen")
    company.towers["west"].cluster.silent.clear()
    await company.until(lambda: blind("west") is False, "west stayed unseen")


async def test_a_cluster_that_is_taken_away_is_left_and_may_come_back(company: Company) -> None:
    await company.until(lambda: company.towers["west"].opened, "west was never looked at")
    company.write("east")
    await company.until(lambda: company.towers["west"].closed == 1, "west was never left")
    claimed = company.ledger.claim("watch:west", seconds=1)
    assert claimed, "its lease was given back"
    company.ledger.release(claimed)
    assert company.towers["east"].closed == 0, "the other goes on"
    company.write("east", "west")
    await company.until(lambda: company.towers["west"].opened == 2, "west did not come back")


async def test_a_cluster_that_is_described_anew_is_opened_anew(company: Company) -> None:
    await company.until(lambda: company.towers["east"].opened, "east was never looked at")
    company.write("east", "west", period=30)
    await company.until(lambda: company.towers["east"].opened == 2, "east was not opened anew")
    assert company.towers["east"].closed == 1
