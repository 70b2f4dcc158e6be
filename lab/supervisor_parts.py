"""What a lab consists of while it runs, and what `lab.json` says of it.

The surprising truth: `lab.json` is written again whenever a process comes or goes, so its process ids and
bootstrap brokers are those of now, not those of the start.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab import compose
from lab.addresses import LabFolder
from lab.children import Children
from lab.control import Control
from lab.fleet import LabBroker
from lab.kafka.brokers import KafkaFleet
from lab.kafka.command import KafkaPrograms
from lab.kafka.locked import DEFAULT_VERSION
from lab.redis import LabRedis

if TYPE_CHECKING:
    from lab.aws import AwsServer
    from lab.slack import Running as SlackServer


@dataclass(frozen=True)
class LabOptions:
    """What `lab up` was asked for. `bare` leaves Slack, AWS and Ottla away."""

    folder: LabFolder
    brokers: int = 3
    kafka_version: str = DEFAULT_VERSION
    load: bool = True
    ottla: bool = True
    tour: bool = False
    bare: bool = False
    page_port: int | None = None


@dataclass
class LabParts:
    """The running parts; None is what is not there, or not yet."""

    children: Children
    programs: KafkaPrograms | None = None
    redis: LabRedis | None = None
    fleet: KafkaFleet | None = None
    control: Control | None = None
    slack: SlackServer | None = None
    aws: AwsServer | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def addresses(*, parts: LabParts, options: LabOptions, ready: bool) -> dict[str, Any]:
    """Everything an outsider needs to point a client at the lab."""
    return {
        "ready": ready,
        "dir": str(options.folder.root),
        "started_at": parts.started_at.isoformat(timespec="seconds"),
        **_kafka(parts, options),
        "redis": parts.redis.url if parts.redis else None,
        **_aws(parts.aws),
        **_slack(parts.slack),
        "control": _control(parts.control),
        "pids": {"supervisor": os.getpid(), **parts.children.pids()},
        "logs": str(options.folder.logs),
        "load": str(options.folder.load) if options.load else None,
    }


def _kafka(parts: LabParts, options: LabOptions) -> dict[str, Any]:
    fleet, programs = parts.fleet, parts.programs
    return {
        "bootstrap": fleet.bootstrap() if fleet else None,
        "brokers": [_broker(one) for one in fleet.brokers()] if fleet else [],
        "kafka_version": options.kafka_version,
        "kafka_jars": str(programs.jars.folder) if programs else None,
        "java": str(programs.java) if programs else None,
    }


def _broker(broker: LabBroker) -> dict[str, Any]:
    return {
        "id": broker.broker_id,
        "az_id": broker.az_id,
        "address": f"{broker.host}:{broker.port}",
        "jolokia": f"http://{broker.host}:{broker.jolokia_port}/jolokia/",
        "alive": broker.alive,
    }


def _aws(aws: AwsServer | None) -> dict[str, Any]:
    return {
        "aws": aws.url if aws else None,
        "cluster_arn": aws.cluster_arn if aws else None,
        "cluster_name": compose.CLUSTER_NAME if aws else None,
        "period_seconds": compose.PERIOD_SECONDS,
    }


def _slack(slack: SlackServer | None) -> dict[str, Any]:
    return {
        "slack_api": slack.api_url if slack else None,
        "slack_page": slack.page_url if slack else None,
        "tokens": {"bot": slack.bot_token, "app": slack.app_token} if slack else {},
        "people": [asdict(one) for one in slack.people] if slack else [],
        "channels": [asdict(one) for one in slack.channels] if slack else [],
    }


def _control(control: Control | None) -> dict[str, str] | None:
    return {"url": control.url, "token": control.token} if control else None
