"""The whole main job on the lab, under load: three real brokers become six, and nothing is lost."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from typing import Any

import boto3
import pytest

from changes.lifecycle import State
from changes.request import Request
from ledger import Verified, verify
from tests.scenarios.labs import Json, Lab, until

with warnings.catch_warnings():
    # It reads its own schemas with a function of the standard library that is to go.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

pytestmark = pytest.mark.lab
JOB_SECONDS_MAX = 400
DRAINED = ("--wait", "100")
"""Until every record was read back; below what `Lab.run` waits, so that a record that is lost is said."""


@pytest.fixture(scope="module")
def done(lab: Lab) -> Request:
    """Asked by ann, approved by bob with the button, carried out while records flow."""
    assert books(lab)["phase"] == "running"
    request_id = lab.ask("ann", "scale brokers 6 because orders lag behind at noon")
    card = lab.card_says(request_id, "awaiting approval", seconds=60)
    lab.click("bob", card, "Approve")
    return lab.until_state(
        request_id, State.DONE, State.FAILED, State.NEEDS_ATTENTION, seconds=JOB_SECONDS_MAX
    )


@pytest.fixture(scope="module")
def witness(lab: Lab, done: Request) -> Any:
    """Another client than ours looks at the cluster."""
    assert done.state is State.DONE, done.outcome
    client = KafkaAdminClient(bootstrap_servers=lab.reload()["bootstrap"])
    yield client
    client.close()


def books(lab: Lab) -> Json:
    found: Json = json.loads(lab.run("lab", "load", "status", "--json"))
    return found


def test_it_ends_done_with_predicted_against_actual(lab: Lab, done: Request) -> None:
    assert done.state is State.DONE, done.outcome
    assert done.outcome is not None
    assert done.plan is not None
    planned = done.plan.impact
    assert done.outcome.replicas_moved == planned.replicas_moved
    assert done.outcome.leaders_changed == planned.leaders_changed
    assert done.outcome.bytes_moved == pytest.approx(planned.bytes_moved, rel=0.25)
    assert planned.bytes_moved <= 1.1 * planned.bytes_lower_bound
    card = lab.card_says(done.id, "done")
    for words in ("Planned", "Actual", f"{planned.replicas_moved} replicas"):
        assert words in card["text"]
    assert not card["buttons"]


def test_every_acknowledged_record_is_read_back(lab: Lab, done: Request) -> None:
    assert done.state is State.DONE, done.outcome
    before = books(lab)["totals"]["acknowledged"]
    lab.run("lab", "load", "stop", *DRAINED)
    totals = books(lab)["totals"]
    assert totals["acknowledged"] >= before > 0
    assert totals["missing"] == 0
    lab.run("lab", "load", "start")


def test_msk_was_asked_once(lab: Lab, done: Request) -> None:
    kafka = boto3.client(
        "kafka",
        endpoint_url=lab.addresses["aws"],
        region_name="us-east-1",
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
    )
    operations = kafka.list_cluster_operations_v2(ClusterArn=lab.addresses["cluster_arn"])
    kinds = [o["OperationType"] for o in operations["ClusterOperationInfoList"]]
    assert kinds == ["INCREASE_BROKER_COUNT"]
    assert done.cluster == "orders-lab"


def test_six_brokers_with_rack_spread_and_balanced_leaders(witness: Any) -> None:
    brokers = witness.describe_cluster()["brokers"]
    racks = {b["broker_id"]: b["rack"] for b in brokers}
    assert len(racks) == 6
    assert Counter(racks.values()) == {"use1-az1": 2, "use1-az2": 2, "use1-az3": 2}
    until(lambda: in_sync(witness), what="every replica in sync", seconds=30)
    partitions = ours(witness)
    for partition in partitions:
        assert len({racks[b] for b in partition["replicas"]}) == 3, partition
    leaders = Counter(p["leader"] for p in partitions)
    mean = len(partitions) / 6
    assert set(leaders) == set(racks)
    assert max(leaders.values()) <= mean * 1.05 + 1
    assert min(leaders.values()) >= mean * 0.95 - 1


def ours(witness: Any) -> list[Json]:
    topics = [t for t in witness.list_topics() if not t.startswith("__amazon_msk")]
    described = witness.describe_topics(topics)
    return [
        {
            "topic": topic["name"],
            "replicas": p["replica_nodes"],
            "isr": p["isr_nodes"],
            "leader": p["leader_id"],
        }
        for topic in described
        for p in topic["partitions"]
    ]


def in_sync(witness: Any) -> bool:
    """Asked for until it holds: under load a copy may be a moment behind, and is again a moment later."""
    return all(sorted(p["isr"]) == sorted(p["replicas"]) for p in ours(witness))


def test_no_throttle_and_no_reassignment_is_left(lab: Lab, witness: Any) -> None:
    assert not witness.list_partition_reassignments()
    assert throttles_set(lab, witness) == []


def test_the_witness_would_see_a_throttle(lab: Lab, witness: Any) -> None:
    """The test above could not fail if it looked in the wrong place."""
    key = "leader.replication.throttled.replicas"
    topic = ConfigResource(ConfigResourceType.TOPIC, "orders", configs={key: "0:1"})
    witness.alter_configs([topic])
    until(lambda: throttles_set(lab, witness) == [f"orders: {key}"], what="it", seconds=10)
    witness.reset_configs([ConfigResource(ConfigResourceType.TOPIC, "orders", configs=[key])])
    until(lambda: throttles_set(lab, witness) == [], what="it to be gone", seconds=10)


def throttles_set(lab: Lab, witness: Any) -> list[str]:
    """Every throttle setting of any broker or topic, by Kafka's own account."""
    brokers = [str(b["id"]) for b in lab.reload()["brokers"]]
    asked = [ConfigResource(ConfigResourceType.BROKER, b) for b in brokers]
    asked += [ConfigResource(ConfigResourceType.TOPIC, t) for t in witness.list_topics()]
    return [
        f"{name}: {key}"
        for kind in witness.describe_configs(asked).values()
        for name, configs in kind.items()
        for key in configs
        if "replication.throttled" in key
    ]


def test_the_thread_tells_it_once_with_three_pictures(lab: Lab, done: Request) -> None:
    card = lab.card_says(done.id, "done")
    until(
        lambda: any(m["text"].startswith("Done in") for m in thread(lab, card)),
        what="the last line of the thread",
        seconds=30,
    )
    lines = [m["text"] for m in thread(lab, card)]
    for line in done.log:
        shown = with_names(lab, line.text)
        assert sum(shown in text for text in lines) == 1, (shown, lines)
    files = [f for m in thread(lab, card) for f in m["files"]]
    assert len(files) == 3
    assert all(f["size"] > 5000 for f in files)


def with_names(lab: Lab, text: str) -> str:
    """As the page shows it: people by name."""
    for person in lab.addresses["people"]:
        text = text.replace(f"<@{person['id']}>", f"@{person['name']}")
    return text


def thread(lab: Lab, card: Json) -> list[Json]:
    return lab.messages(thread=str(card["ts"]))[1:]


def test_the_audit_chain_verifies(lab: Lab, done: Request) -> None:
    lines = lab.run("ledger", "export").splitlines()
    checked = verify(lines)
    assert isinstance(checked, Verified), checked
    events = [json.loads(line)["event"] for line in lines if f'"{done.id}"' in line]
    assert events[0] == "asked"
    assert events[-1] == "done"
    tampered = [line.replace("bob", "eve").replace("U0LAB0BOB1", "U0LAB0EVE1") for line in lines]
    assert not isinstance(verify(tampered), Verified)


def test_memory_stays_within_what_a_laptop_has(lab: Lab, done: Request) -> None:
    """The lab with six brokers, and the idle roles of the product."""
    assert done.state is State.DONE
    megabytes = {name: resident_mb(pid) for name, pid in lab.reload()["pids"].items()}
    roles = {name: megabytes[name] for name in ("bot", "worker", "ticker", "watch")}
    assert all(mb <= 120 for mb in roles.values()), roles
    the_lab = sum(mb for name, mb in megabytes.items() if name not in roles)
    assert the_lab <= 1600, megabytes


def resident_mb(pid: int) -> float:
    """Memory of a process that is its own: shared pages are counted by their share (PSS)."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        pss = next(line for line in rollup if line.startswith("Pss:"))
    return int(pss.split()[1]) / 1024
