"""Wires the lab's parts together: the only place where the supervisor meets Slack, AWS and the roles.

The surprising truth: everything is imported inside its function. The lab's command line is used all the
time, and must not pay for a web server, a drawing library and the AWS models to print a status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from lab.addresses import HOST, LabFolder
from lab.children import Children
from lab.kafka.brokers import KafkaFleet

MANIFEST = Path(__file__).parent.parent / "bot" / "slack_manifest.yaml"
CLUSTER_NAME = "orders-lab"
PERIOD_SECONDS = 5


class SlackDoor(Protocol):
    """The running Slack workspace."""

    page_url: str
    api_url: str
    bot_token: str
    app_token: str
    people: Sequence[Mapping[str, Any]]
    channels: Any

    async def close(self) -> None: ...


class AwsDoor(Protocol):
    """The running MSK and CloudWatch endpoint."""

    @property
    def url(self) -> str: ...
    @property
    def cluster_arn(self) -> str: ...
    async def close(self) -> None: ...


async def start_slack(*, port: int, manifest_path: Path) -> SlackDoor:
    serve = import_module("lab.slack").serve
    door: SlackDoor = await serve(host=HOST, port=port, manifest_path=manifest_path)
    return door


async def start_aws(*, fleet: KafkaFleet, port: int, folder: LabFolder) -> AwsDoor:
    from lab.aws import serve

    folder.aws.mkdir(parents=True, exist_ok=True)
    return await serve(
        fleet=fleet,
        host=HOST,
        port=port,
        folder=folder.aws,
        cluster_name=CLUSTER_NAME,
        period_seconds=PERIOD_SECONDS,
        controller_jolokia_port=fleet.controller_jolokia_port,
    )


async def start_roles(
    *, children: Children, addresses: Mapping[str, Any], folder: LabFolder
) -> None:
    """Bot, workers and watch as children of the lab."""
    if find_spec("lab.roles") is not None:
        roles = import_module("lab.roles")
        await roles.start(children=children, addresses=addresses, folder=folder)


async def start_tour(
    *, children: Children, addresses: Mapping[str, Any], folder: LabFolder
) -> None:
    """The scripted tour, once everything is up."""
    if find_spec("lab.tour") is not None:
        tour = import_module("lab.tour")
        await tour.start(children=children, addresses=addresses, folder=folder)
