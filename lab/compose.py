"""Wires the lab's parts together: the only place where the supervisor meets Slack, AWS and the roles.

The surprising truth: everything is imported inside its function. The lab's command line is used all
the time, and must not pay for a web server, a drawing library and the AWS models to print a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lab.addresses import HOST, LabFolder
from lab.children import Children
from lab.kafka.brokers import KafkaFleet

if TYPE_CHECKING:
    from lab.aws import AwsServer
    from lab.slack import Running as SlackServer

CLUSTER_NAME = "orders-lab"
PERIOD_SECONDS = 5


async def start_slack(*, port: int) -> SlackServer:
    """The workspace with the app's own manifest, installed as Slack would install it."""
    from lab.slack import serve

    return await serve(host=HOST, port=port)


async def start_aws(
    *, fleet: KafkaFleet, port: int, folder: LabFolder, kafka_version: str
) -> AwsServer:
    """MSK and CloudWatch in front of the fleet."""
    from lab.aws import serve

    folder.aws.mkdir(parents=True, exist_ok=True)
    return await serve(
        fleet=fleet,
        host=HOST,
        port=port,
        folder=folder.aws,
        cluster_name=CLUSTER_NAME,
        period_seconds=PERIOD_SECONDS,
        kafka_version=_as_msk_says(kafka_version),
        controller_jolokia_port=fleet.controller_jolokia_port,
    )


def _as_msk_says(kafka_version: str) -> str:
    """MSK names its KRaft versions `4.1.x.kraft`."""
    major, minor, _ = kafka_version.split(".")
    return f"{major}.{minor}.x.kraft"


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
