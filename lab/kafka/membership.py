"""Who is a member of the cluster, asked of a broker itself.

The surprising truth: a broker listens seconds before it is a member. Only when its own metadata names
it with its rack has the controller registered and unfenced it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

_ANSWER_MS_MAX = 5_000


@dataclass(frozen=True)
class Member:
    """A broker that the cluster counts as alive."""

    broker_id: int
    rack: str | None


async def members(*, address: str) -> tuple[Member, ...]:
    """The living members as the broker at `address` sees them; none when it does not answer yet."""
    if not await _listens(address):
        return ()
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=_ANSWER_MS_MAX)
    try:
        await client.bootstrap()
        return tuple(Member(one.nodeId, one.rack) for one in client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return ()
    finally:
        await client.close()


async def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
