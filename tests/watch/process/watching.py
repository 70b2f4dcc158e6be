"""Watch processes over a tower, with a real ledger and a folder of files: what journeys are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from changes.incident import AlertState, Family, Finding, Severity
from changes.view import ClusterView
from ledger import Ledger, connect
from policies import Cluster
from policies.keeping_alerts import KeptAlerts
from tests.watch.process.tower import FakePorts, Tower
from watch.cluster_watch import ClusterWatch
from watch.history import History
from watch.incident_settings import IncidentSettings
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.runtime import Runtime, all_rules, settings_of
from watch.seen import Seen

SCAN = 10.0
NAME = "orders-lab"
CLUSTERS = """
clusters:
  - name: orders-lab
    arn: arn:aws:kafka:us-east-1:123456789012:cluster/orders-lab/0a1b2c3d-1
    region: us-east-1
    environment: lab
    channel: C0LABKAFKA
    auth: {mode: plaintext}
"""
ALERTS = "defaults: {scan_seconds: 10, on_call: S0LABKAPPR}\n"


class Shouting(Rule[RuleSettings]):
    """A rule that can be made to raise."""

    name = "shouting"
    title = "shouting"
    family = Family.CLUSTER
    breaks: ClassVar[bool] = False

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[RuleSettings]
    ) -> Looked:
        del history, now, settings
        if Shouting.breaks:
            raise ZeroDivisionError("the test wants it so")
        return Looked(
            (
                Finding(
                    rule=self.name,
                    kind=self.name,
                    family=self.family,
                    subject="cluster",
                    severity=Severity.WARN,
                    words=f"{len(seen.brokers or ())} brokers",
                    for_seconds=0,
                    keep_seconds=0,
                    broker_ids=(1,),
                ),
            )
        )


class Watching:
    """As many watch processes as a test wants, over one tower, one ledger and one folder of files."""

    def __init__(self, *, redis_url: str, folder: Path) -> None:
        self.tower = Tower()
        self.folder = folder
        (folder / "clusters.yaml").write_text(CLUSTERS)
        (folder / "alerts.yaml").write_text(ALERTS)
        self.ledger: Ledger = connect(redis_url, clock=self.tower.clock)
        self.rules: tuple[Rule[Any], ...] = all_rules()
        self.started: list[ClusterWatch] = []

    def process(self) -> ClusterWatch:
        """Another process: its own settings, its own memory."""
        kept = KeptAlerts.start(
            self.folder, rules=settings_of(self.rules), incident_settings=IncidentSettings
        )
        assert isinstance(kept, KeptAlerts), kept.words()

        def open_cluster(cluster: Cluster) -> AbstractAsyncContextManager[FakePorts]:
            assert cluster.name == NAME
            return self.tower.open()

        runtime = Runtime(
            ledger=self.ledger,
            kept=kept,
            open_cluster=open_cluster,
            rules=self.rules,
            clock=self.tower.clock,
            mono=lambda: self.tower.mono,
        )
        self.started.append(ClusterWatch(cluster=kept.current.clusters[NAME], runtime=runtime))
        return self.started[-1]

    async def looks(self, watch: ClusterWatch, count: int, *, reading: bool = True) -> None:
        for _ in range(count):
            self.tower.pass_time(SCAN, reading=reading)
            await watch.step()

    @property
    def view(self) -> ClusterView:
        found = self.ledger.view(NAME)
        assert found is not None
        return found

    def alerts(self) -> dict[str, AlertState]:
        return {one.key: one.state for one in self.ledger.watch_book(NAME).alerts}

    def kill(self, watch: ClusterWatch) -> None:
        """As SIGKILL would: nothing is given back, nothing is renewed any more."""
        renewing = watch._hold._renewing
        assert renewing is not None
        renewing.cancel()
        self.started.remove(watch)


@pytest.fixture
async def watching(redis_url: str, tmp_path: Path) -> AsyncIterator[Watching]:
    found = Watching(redis_url=redis_url, folder=tmp_path)
    yield found
    for one in found.started:
        await one.close()
    found.ledger.close()
