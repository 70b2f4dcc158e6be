"""The IAM documents against what the adapters really send, recorded at botocore's and aiokafka's door."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from changes.facts import BrokerRates, ReplicaLists
from cluster import kafka_throttles
from cluster.kafka import KafkaByWire
from cluster.lag_scan import LagScanner
from cluster.metrics import MetricsByBoto
from cluster.msk import MskByBoto
from cluster.wire import Wire
from cluster.wire_codec import Row
from deploy.generate import PLACEHOLDER, called, documents, main, of_steps, unused_by_watch
from tests.cluster.aws import REF
from tests.cluster.scripted_brokers import ScriptedBrokers
from tests.watch.process.tower import Tower
from watch.rounds import Rounds, Wants

pytestmark = pytest.mark.slow  # whole jobs and whole processes: seconds, not milliseconds

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = {"start": NOW, "end": NOW}
ONE = ReplicaLists(leader=("0:1",))

MSK_CALLS: dict[str, dict[str, Any]] = {
    "describe": {},
    "nodes": {},
    "operation": {"arn": REF.arn},
    "operations": {},
    "update_broker_count": {"current_version": "K1", "brokers": 6},
    "bootstrap_brokers": {},
}
METRICS_CALLS: dict[str, dict[str, Any]] = {
    "loads": {"broker_ids": [1]},
    "series": {"metric": "CpuUser", "broker_ids": [1], **WINDOW},
    "group_lag": {"pairs": [("payments", "orders")]},
    "picture": {"title": "t", "metrics": ["CpuUser"], "broker_ids": [1], **WINDOW},
}
KAFKA_READS: dict[str, dict[str, Any]] = {
    "brokers": {},
    "partitions": {},
    "replica_sizes": {"broker_ids": [1]},
    "reassignments": {},
    "throttles": {"topics": ["orders"], "broker_ids": [1]},
    "throttle_settings": {"topic": "orders"},
    "topic_settings": {"topics": ["orders"]},
}
NOT_BY_THE_WATCH = {
    "kafka:UpdateBrokerCount",
    "kafka:ListNodes",
    "kafka:DescribeClusterOperationV2",
    "cloudwatch:GetMetricWidgetImage",
}
"""What workers ask of AWS beyond what the watch does."""
KAFKA_CHANGES: dict[str, dict[str, Any]] = {
    "reassign": {"targets": {("orders", 0): (1,)}},
    "elect_preferred_leaders": {"partitions": [("orders", 0)]},
    "set_broker_rates": {"rates": {1: BrokerRates(leader_bytes_per_second=1)}},
    "change_throttled_replicas": {"add": {"orders": ONE}, "remove": {"orders": ONE}},
}

# The map of Amazon's and Apache's pages, written down here a second time on purpose: the generator's
# own table must not be what it is checked against. A setting's kind: 2 topic, 4 broker.
NEEDS = {
    "ApiVersions": "",
    "Metadata": "DescribeCluster DescribeTopic",
    "ListPartitionReassignments": "DescribeCluster",
    "DescribeLogDirs": "DescribeCluster",
    "AlterPartitionReassignments": "AlterCluster DescribeCluster",
    "ElectLeaders": "AlterCluster DescribeCluster",
    "ListGroups": "DescribeGroup",
    "FindCoordinator": "DescribeGroup",
    "OffsetFetch": "DescribeGroup DescribeTopic",
    "DescribeGroups": "DescribeGroup",
    "ConsumerGroupDescribe": "DescribeGroup DescribeTopic",
    "ListOffsets": "DescribeTopic",
    "DescribeConfigs 2": "DescribeTopicDynamicConfiguration",
    "DescribeConfigs 4": "DescribeClusterDynamicConfiguration",
    "IncrementalAlterConfigs 2": "AlterTopicDynamicConfiguration DescribeTopicDynamicConfiguration",
    "IncrementalAlterConfigs 4": "AlterClusterDynamicConfiguration DescribeClusterDynamicConfiguration",
}


class Recorder:
    """Stands where botocore would send: writes the operation down and answers with little."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def client(self, service: str) -> Any:
        made = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
        ).client(service)
        made.meta.events.register("before-call", self.record)
        return made

    def record(self, model: Any, **_: object) -> tuple[Any, dict[str, Any]]:
        prefix = model.service_model.signing_name
        self.seen.add(f"{'cloudwatch' if prefix == 'monitoring' else prefix}:{model.name}")
        return SimpleNamespace(status_code=200), ANSWERS.get(model.name, {})


ANSWERS: dict[str, dict[str, Any]] = {
    "DescribeClusterV2": {
        "ClusterInfo": {
            "ClusterArn": REF.arn,
            "ClusterName": REF.name,
            "State": "ACTIVE",
            "CurrentVersion": "K1",
            "Provisioned": {
                "BrokerNodeGroupInfo": {"InstanceType": "kafka.m7g.large", "ClientSubnets": ["a"]},
                "NumberOfBrokerNodes": 3,
            },
        }
    },
    "DescribeClusterOperationV2": {"ClusterOperationInfo": {"OperationArn": REF.arn}},
    "UpdateBrokerCount": {"ClusterOperationArn": REF.arn},
    "GetMetricWidgetImage": {"MetricWidgetImage": b"png"},
    "GetMetricData": {"MetricDataResults": []},
}


class RecordingWire(Wire):
    """Every request of ours leaves through `_send`: here it is written down and answered."""

    def __init__(self) -> None:
        node = SimpleNamespace(nodeId=1)
        view = SimpleNamespace(
            brokers=lambda: [node], controller=node, update_metadata=lambda _: None
        )
        super().__init__(client=SimpleNamespace(cluster=view), cluster=REF.name)
        self.seen: set[str] = set()

    async def _send(self, broker_id: int, name: str, request: Any) -> Any:
        del broker_id
        if name == "Metadata":
            self.seen.add(name)
            partition = (0, 0, 1, [1], [1])
            return SimpleNamespace(
                brokers=[(1, "b-1", 9092, "a")], topics=[(0, "orders", False, [partition])]
            )
        row: Row = request.row
        kinds = [f" {one['resource_type']}" for one in row.get("resources", ())]
        self.seen |= {f"{name}{kind}" for kind in kinds or [""]}
        return answer_to(row)


def answer_to(row: Row) -> Row:
    """Yes to everything, in the shape of every answer at once."""
    about = [
        {"error_code": 0, "resource_name": one["resource_name"], "configs": CONFIGS}
        for one in row.get("resources", ())
    ]
    empty: dict[str, list[Row]] = {"topics": [], "replica_election_results": []}
    keys = [{"api_key": 55}]
    return {"error_code": 0, "results": about, "responses": about, "api_keys": keys, **empty}


CONFIGS = [{"name": "leader.replication.throttled.replicas", "value": "0:1", "config_source": 1}]


def public(port: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"}


async def aws_sent(port: Any, calls: dict[str, dict[str, Any]]) -> None:
    assert public(type(port)) == set(calls), "a method of the port is not recorded here"
    for name, arguments in calls.items():
        await getattr(port, name)(**arguments)


async def kafka_sent(calls: dict[str, dict[str, Any]]) -> set[str]:
    wire = RecordingWire()
    port = KafkaByWire(wire=wire, cluster=REF.name)
    for name, arguments in calls.items():
        await getattr(port, name)(**arguments)
    actions = {f"kafka-cluster:{one}" for sent in wire.seen for one in NEEDS[sent].split()}
    return {"kafka-cluster:Connect", *actions}


@pytest.fixture
async def aws_seen() -> set[str]:
    recorder = Recorder()
    msk, cloudwatch = recorder.client("kafka"), recorder.client("cloudwatch")
    await aws_sent(MskByBoto(client=msk, cluster=REF), MSK_CALLS)
    metrics = MetricsByBoto(client=cloudwatch, cluster=REF, period_seconds=60)
    await aws_sent(metrics, METRICS_CALLS)
    msk.close()
    cloudwatch.close()
    return recorder.seen


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_throttles, "SHOWN_SECONDS_MAX", 0.01)


def allowed(role: str) -> set[str]:
    statements = document(role)["Statement"]
    return {one for s in statements if s["Effect"] == "Allow" for one in s["Action"]}


def document(role: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy" / "iam" / f"{role}.json").read_text())
    return found


async def test_the_worker_may_do_exactly_what_it_sends(aws_seen: set[str]) -> None:
    kafka = await kafka_sent({**KAFKA_READS, **KAFKA_CHANGES})
    assert public(KafkaByWire) == {*KAFKA_READS, *KAFKA_CHANGES}
    assert allowed("worker") == aws_seen | kafka


async def offsets_sent() -> set[str]:
    """What the scanner sends in all it can be asked for, a moved coordinator and a new group included."""
    brokers = ScriptedBrokers()
    brokers.topic("orders")
    brokers.group("a", at=1, orders=10)
    brokers.group("b", at=2, orders=10).kind = "consumer"
    scanner = LagScanner(links=brokers, cluster=REF.name)  # type: ignore[arg-type]
    await scanner.scan()
    brokers.groups["a"].coordinator = 3
    for _ in range(3):
        await scanner.scan()
    await scanner.members(groups=["a", "b"])
    await scanner.offsets_at(moment=NOW, partitions=[("orders", 0)])
    await scanner.committed_ends(partitions=[("orders", 0)])
    return {f"kafka-cluster:{one}" for sent in brokers.counts() for one in NEEDS[sent].split()}


async def test_the_watch_may_do_exactly_what_reading_sends(aws_seen: set[str]) -> None:
    kafka = await kafka_sent(KAFKA_READS) | await offsets_sent()
    assert allowed("watch") == aws_seen - NOT_BY_THE_WATCH | kafka
    assert aws_seen >= NOT_BY_THE_WATCH, "the worker's list is out of date"
    for word in ("Update", "Alter", "Write", "Create", "Delete", "Put", "Reboot", "*"):
        assert not [one for one in allowed("watch") if word in one]


async def test_what_the_watch_may_not_do_it_never_calls() -> None:
    """Rounds over ports that have nothing but what the document allows."""
    called: set[str] = set()
    tower = Tower()
    rounds = Rounds(cluster=REF, open_ports=tower.open, metrics_period_seconds=60)
    wants = Wants(scan_seconds=30, watched=bool, ladder=(300,), trouble=("payments",))
    for _ in range(30):
        tower.pass_time(30, reading=False)
        assert not (await rounds.look(now=tower.clock(), mono=tower.mono, wants=wants)).blind
        called |= {one[0] for one in tower.cluster.calls}
    await rounds.close()
    assert called
    assert not called & unused_by_watch()


def test_the_bot_may_do_nothing() -> None:
    (only,) = document("bot")["Statement"]
    assert (only["Effect"], only["Action"], only["Resource"]) == ("Deny", "*", "*")


@pytest.mark.parametrize("role", ["bot", "worker", "watch"])
def test_the_files_are_those_of_the_code(role: str) -> None:
    assert document(role) == documents()[role], "run `make docs`"


def test_steps_and_adapters_agree() -> None:
    assert of_steps() <= called(), "a step names an action that nothing calls"
    changing = {one for one in called() if any(verb in one for verb in ("Update", "Alter"))}
    assert changing <= of_steps(), "something changes a cluster and no step says so"


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for role in ("worker", "watch"):
        yield from ((role, one) for one in document(role)["Statement"])


def test_only_what_knows_no_cluster_is_allowed_everywhere() -> None:
    for role, one in statements():
        if one["Resource"] == ["*"]:
            assert {action.split(":")[0] for action in one["Action"]} <= {"cloudwatch", "kafka"}
            assert not [action for action in one["Action"] if "Update" in action], role
        assert not [action for action in one["Action"] if "*" in action]


def test_documents_for_real_clusters_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["arn:aws:kafka:eu-central-1:123456789012:cluster/orders-prod/0a1b2c3d-1111"])
    said = capsys.readouterr().out
    assert "REGION" not in said
    assert ":topic/orders-prod/0a1b2c3d-1111/*" in said


@pytest.mark.parametrize("arn", ["orders", "arn:aws:kafka:*:*:cluster/*/*", PLACEHOLDER])
def test_what_is_no_cluster_is_refused_in_words(arn: str) -> None:
    with pytest.raises(SystemExit, match="is not the ARN of an MSK cluster"):
        main([arn])
