"""A running endpoint over a fake fleet, and boto3 clients that know nothing of the lab."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.aws import AwsServer, serve
from tests.lab.aws.fake_fleet import FakeFleet

# A count change takes 0.2 s here: 0.15 pending, 0.05 finishing.
FAST = 1_200.0


class Aws:
    """A server with its clients; calls run in threads, since boto3 blocks."""

    def __init__(self, *, server: AwsServer, fleet: FakeFleet, clients: dict[str, Any]) -> None:
        self.server = server
        self.fleet = fleet
        self.kafka = clients["kafka"]
        self.cloudwatch = clients["cloudwatch"]

    @property
    def arn(self) -> str:
        return self.server.cluster_arn

    async def msk(self, method: str, **fields: Any) -> Any:
        return await asyncio.to_thread(getattr(self.kafka, method), **fields)

    async def metrics(self, method: str, **fields: Any) -> Any:
        return await asyncio.to_thread(getattr(self.cloudwatch, method), **fields)

    async def cluster(self) -> Any:
        return (await self.msk("describe_cluster_v2", ClusterArn=self.arn))["ClusterInfo"]

    async def update_count(self, target: int, *, version: str | None = None) -> Any:
        version = version or (await self.cluster())["CurrentVersion"]
        return await self.msk(
            "update_broker_count",
            ClusterArn=self.arn,
            CurrentVersion=version,
            TargetNumberOfBrokerNodes=target,
        )

    async def finished(self, operation_arn: str) -> Any:
        """The operation once it has ended."""
        async with asyncio.timeout(5):
            while True:
                answer = await self.msk(
                    "describe_cluster_operation_v2", ClusterOperationArn=operation_arn
                )
                info = answer["ClusterOperationInfo"]
                if "EndTime" in info:
                    return info
                await asyncio.sleep(0.02)


Connect = Callable[..., Any]


def clients_for(url: str, stack: ExitStack) -> dict[str, Any]:
    """Plain boto3 clients; only the address differs from AWS."""
    return {
        name: stack.enter_context(
            closing(
                boto3.client(
                    name,
                    endpoint_url=url,
                    region_name="us-east-1",
                    aws_access_key_id="key",
                    aws_secret_access_key="secret",
                )
            )
        )
        for name in ("kafka", "cloudwatch")
    }


@pytest.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    fleet = FakeFleet(folder=tmp_path / "disks")
    server = await serve(
        fleet=fleet,
        host="127.0.0.1",
        port=0,
        folder=tmp_path / "aws",
        cluster_name="orders",
        period_seconds=1,
        time_scale=FAST,
        measure_lag=False,
    )
    with ExitStack() as stack:
        yield Aws(server=server, fleet=fleet, clients=clients_for(server.url, stack))
    await server.close()
