"""A scanner of real brokers, and what its scans look like when nothing is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.protocol.metadata import MetadataRequest

from bench.kafka_groups import linked
from changes.lag import LagScan
from cluster.lag_scan import LagScanner
from cluster.links import Links
from tests.cluster.brokers import until


@asynccontextmanager
async def scanning(bootstrap: str) -> AsyncIterator[tuple[LagScanner, Links]]:
    async with linked(bootstrap) as links:
        yield LagScanner(links=links, cluster="real"), links


SETTLED_SECONDS_MAX = 120
"""Coordinators load what was committed on a machine that has other things to do; no bound of ours."""


def complete(scan: LagScan) -> bool:
    """Every group and every end was read."""
    return not (scan.missing_groups or scan.blind_brokers or scan.end_errors) and not any(
        one.error or one.errors for one in scan.groups.values()
    )


async def at_rest(bootstrap: str, *, without: str = "") -> None:
    """Wait until somebody else's scans are complete, twice in a row: coordinators have loaded what was
    committed, and brokers agree on who leads. `without` = a topic that no broker knows any more."""
    async with scanning(bootstrap) as (other, links):

        async def all_is_told() -> bool:
            for _ in range(2):
                scan = await other.scan()
                committed = {key for one in scan.groups.values() for key in one.committed}
                if not complete(scan) or without in {topic for topic, _ in committed}:
                    return False
            return without not in await _known(links)

        await until(all_is_told, seconds_max=SETTLED_SECONDS_MAX)


async def _known(links: Links) -> set[str]:
    """Topics that any broker names."""
    told = [await links.send(one, MetadataRequest(None)) for one in links.broker_ids()]
    return {topic for metadata in told for code, topic, *_ in metadata.topics if not code}
