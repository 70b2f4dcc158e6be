"""Start the endpoint in the supervisor's process, and stop it.

The only place where its parts meet: the fleet on one side, AWS's two protocols on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from lab.aws.aws_json import AwsJson
from lab.aws.aws_query import AwsQuery
from lab.aws.cloudwatch import CloudWatch
from lab.aws.cluster import Cluster, Hardware
from lab.aws.doors import Doors
from lab.aws.faults import Faults
from lab.aws.front import Front
from lab.aws.lag import LagSampler
from lab.aws.msk import Msk
from lab.aws.rest_json import RestJson
from lab.aws.sampler import Sampler
from lab.aws.series import SeriesStore
from lab.aws.shapes import service_model
from lab.aws.wire_log import WireLog
from lab.fleet import Fleet

# AWS's three minutes of PENDING become three seconds.
TIME_SCALE = 60.0
BODY_BYTES_MAX = 2 * 2**20  # a full GetMetricData of 500 queries is about 150 kB


@dataclass
class AwsServer:
    """The running endpoint."""

    url: str
    cluster: Cluster
    faults: Faults
    wire_log: WireLog
    series: SeriesStore
    _runner: web.AppRunner
    _samplers: list[Sampler | LagSampler]
    _cloudwatch: CloudWatch

    @property
    def cluster_arn(self) -> str:
        return self.cluster.identity.arn

    async def close(self) -> None:
        """Stop answering first, then what runs behind."""
        await self._runner.cleanup()
        for sampler in self._samplers:
            await sampler.close()
        await self.cluster.close()
        self._cloudwatch.close()


async def serve(
    *,
    fleet: Fleet,
    host: str,
    port: int,
    folder: Path,
    cluster_name: str,
    period_seconds: int = 5,
    time_scale: float = TIME_SCALE,
    instance_type: str = "kafka.m5.large",
    volume_gib: int = 1,
    kafka_version: str = "4.1.x.kraft",
    controller_jolokia_port: int | None = None,
    measure_lag: bool = True,
) -> AwsServer:
    """Listen on host and port (0: any free one) and begin to measure the fleet."""
    faults, wire_log = Faults(), WireLog()
    cluster = Cluster(
        fleet=fleet,
        faults=faults,
        folder=folder,
        name=cluster_name,
        hardware=Hardware(instance_type, volume_gib, kafka_version),
        time_scale=time_scale,
    )
    series = SeriesStore()
    samplers: list[Sampler | LagSampler] = [
        Sampler(
            fleet=fleet,
            series=series,
            cluster_name=cluster_name,
            period_seconds=period_seconds,
            volume_bytes=volume_gib * 2**30,
            controller_jolokia_port=controller_jolokia_port,
        )
    ]
    if measure_lag:
        lag = LagSampler(
            fleet=fleet, series=series, cluster_name=cluster_name, period_seconds=period_seconds
        )
        samplers.append(lag)
    cloudwatch = CloudWatch(series=series, faults=faults)
    front = Front(
        msk_wire=RestJson(model=service_model("kafka")),
        cloudwatch_wire=AwsJson(model=service_model("cloudwatch")),
        query_wire=AwsQuery(model=service_model("cloudwatch")),
        handlers={"kafka": Msk(cluster=cluster).handlers(), "cloudwatch": cloudwatch.handlers()},
        faults=faults,
        wire_log=wire_log,
    )
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.add_routes(Doors(faults=faults, wire_log=wire_log).routes())
    app.router.add_route("*", "/{path:.*}", front.answer)
    runner, url = await _listen(app, host=host, port=port)
    for sampler in samplers:
        sampler.start()
    cloudwatch.start()
    return AwsServer(
        url=url,
        cluster=cluster,
        faults=faults,
        wire_log=wire_log,
        series=series,
        _runner=runner,
        _samplers=samplers,
        _cloudwatch=cloudwatch,
    )


async def _listen(app: web.Application, *, host: str, port: int) -> tuple[web.AppRunner, str]:
    # A hung request (a fault) must not hold up the lab's end.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    bound = runner.addresses[0]
    return runner, f"http://{bound[0]}:{bound[1]}"
