"""A scanner of real brokers, and what its scans look like when nothing is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.kafka_groups import linked
from changes.lag import LagScan
from cluster.lag_scan import LagScanner
from cluster.links import Links


@asynccontextmanager
async def scanning(bootstrap: str) -> AsyncIterator[tuple[LagScanner, Links]]:
    async with linked(bootstrap) as links:
        yield LagScanner(links=links, cluster="real"), links


def complete(scan: LagScan) -> bool:
    """Every group and every end was read."""
    return not (scan.missing_groups or scan.blind_brokers or scan.end_errors) and not any(
        one.error or one.errors for one in scan.groups.values()
    )
