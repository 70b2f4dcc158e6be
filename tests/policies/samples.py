"""A toy change, a cluster and one plan of it, for every test of policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from changes.change import Change, FactType
from changes.facts import ClusterFacts, ClusterRef, MskCluster
from changes.plan import Impact, Plan
from changes.request import Person
from policies import Policies, Problems, load

ARN = "arn:aws:kafka:us-east-1:123456789012:cluster/orders/8f1d2c3b-7"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday."""


class GrowToy(Change):
    usage: ClassVar[str] = "grow to <brokers>"
    examples: ClassVar[tuple[str, ...]] = ("grow to 6",)
    policy_fact_types: ClassVar[Mapping[str, FactType]] = {
        "grow.brokers": "int",
        "grow.share": "double",
    }
    brokers: int

    def describe(self) -> str:
        return f"Grow {self.cluster} to {self.brokers}"


class ShrinkToy(Change):
    usage: ClassVar[str] = "shrink to <brokers>"
    examples: ClassVar[tuple[str, ...]] = ("shrink to 3",)
    brokers: int


CATALOG = (GrowToy, ShrinkToy)
CLUSTERS = f"""
clusters:
  - name: orders
    arn: {ARN}
    region: us-east-1
    environment: production
    channel: C0000000001
    auth: {{mode: plaintext}}
  - name: play
    arn: {ARN}2
    region: us-east-1
    environment: lab
    channel: C0000000002
    auth: {{mode: iam}}
"""
REF = ClusterRef(name="orders", arn=ARN, region="us-east-1", environment="production")
PERSON = Person(user_id="U0000000A", name="ann", groups=("S0000000A",))

APPROVED = """
policies:
  - name: p
    match: {changes: [grow to]}
    approvals: [{count: 1, groups: [S0000000A], label: "@approvers"}]
"""
"""A policy to which tests add lines, indented by four."""


def folder(where: Path, *texts: str, clusters: str = CLUSTERS) -> Path:
    where.mkdir(exist_ok=True)
    (where / "clusters.yaml").write_text(clusters, encoding="utf-8")
    for number, text in enumerate(texts):
        (where / f"p{number}.yaml").write_text(text, encoding="utf-8")
    return where


def policies(where: Path, *texts: str) -> Policies:
    found = load(folder(where, *texts), catalog=CATALOG)
    assert isinstance(found, Policies), found.words()
    return found


def problems(where: Path, *texts: str, clusters: str = CLUSTERS) -> list[str]:
    """Each as `line:column: message (suggestion)`, without the file's name."""
    found = load(folder(where, *texts, clusters=clusters), catalog=CATALOG)
    assert isinstance(found, Problems)
    return [one.words().split("yaml:", 1)[-1] for one in found]


def survey(instance_type: str = "kafka.m5.large") -> ClusterFacts:
    return ClusterFacts(
        taken_at=NOW,
        cluster=REF,
        msk=MskCluster(
            arn=ARN,
            name="orders",
            cluster_type="PROVISIONED",
            state="ACTIVE",
            current_version="K1",
            instance_type=instance_type,
            broker_count=3,
            az_ids=("a", "b", "c"),
            volume_gib=100,
            kafka_version="3.9.x.kraft",
        ),
        nodes=(),
        brokers=(),
        partitions=(),
    )


def plan(brokers: int = 6, *, cluster: str = "orders", impact: Impact | None = None) -> Plan:
    return Plan(
        change=GrowToy(cluster=cluster, brokers=brokers),
        cluster_arn=ARN,
        msk_current_version="K1",
        summary="",
        steps=(),
        impact=impact or Impact(cost_usd_per_month=759.9),
        policy_facts={"grow.brokers": brokers, "grow.share": 2},
    )
