"""The configuration of the controller and the brokers, as text; pure.

The surprising truth: the controller needs the brokers' defaults too. In KRaft it is the controller
that creates topics and elects leaders, so replication factor, min.insync and unclean election count
there.
"""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

from lab.addresses import HOST

CONTROLLER_ID = 1000

# What MSK sets on a three-AZ cluster; auto.leader.rebalance stays on at Kafka's own 300 s.
_MSK_DEFAULTS = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "true",
    "auto.create.topics.enable": "false",
    "auto.leader.rebalance.enable": "true",
}
# Few threads and small internal topics: a broker in 140 MB and next to no idle CPU.
_SMALL = {
    "num.network.threads": "1",
    "num.io.threads": "2",
    "num.replica.fetchers": "1",
    # With Kafka's 10 MB from each of five peers at once a small heap would not do.
    "replica.fetch.response.max.bytes": "2097152",
    "num.recovery.threads.per.data.dir": "1",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "group.initial.rebalance.delay.ms": "0",
    # A minute by default: pictures taken right after a move would not show the old brokers' disks fall.
    "log.segment.delete.delay.ms": "1000",
    "offsets.topic.num.partitions": "12",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.num.partitions": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}


def new_id() -> str:
    """A cluster or directory id: 22 characters of base64url, never starting with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def controller(*, port: int, log_dir: Path) -> str:
    return _text(
        {
            "process.roles": "controller",
            "node.id": str(CONTROLLER_ID),
            "listeners": f"CONTROLLER://{HOST}:{port}",
            "advertised.listeners": f"CONTROLLER://{HOST}:{port}",
            **_quorum(controller_port=port),
            "log.dirs": str(log_dir),
            **_MSK_DEFAULTS,
            **_SMALL,
        }
    )


def broker(*, broker_id: int, az_id: str, port: int, controller_port: int, log_dir: Path) -> str:
    return _text(
        {
            "process.roles": "broker",
            "node.id": str(broker_id),
            "broker.rack": az_id,
            "listeners": f"PLAINTEXT://{HOST}:{port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
            "inter.broker.listener.name": "PLAINTEXT",
            **_quorum(controller_port=controller_port),
            "log.dirs": str(log_dir),
            **_MSK_DEFAULTS,
            **_SMALL,
        }
    )


def meta(*, cluster_id: str, node_id: int) -> str:
    """`meta.properties` by hand: Kafka's own tool needs 1.1 s to format a folder."""
    return _text(
        {
            "version": "1",
            "cluster.id": cluster_id,
            "node.id": str(node_id),
            "directory.id": new_id(),
        }
    )


def _quorum(*, controller_port: int) -> dict[str, str]:
    return {
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    }


def _text(values: dict[str, str]) -> str:
    # A backslash starts an escape in a properties file.
    return "".join(f"{key}={value}\n".replace("\\", "\\\\") for key, value in values.items())
