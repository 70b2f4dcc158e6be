"""Is this Redis fit to remember changes? Asked once per connection.

Refused: too old, a cluster (our transactions span keys), and one that throws keys away when full.
Warned of: no append-only file, since then a restart forgets approvals that people gave.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis import Redis

from ledger.door import LedgerUnavailable

log = logging.getLogger(__name__)

OLDEST = (6, 2)


def inspect(redis: Redis, *, address: str) -> None:
    """Raise `LedgerUnavailable` with the reason, or log what is merely unwise."""
    about: Mapping[str, Any] = redis.info()
    if wrong := what_is_wrong(about):
        raise LedgerUnavailable(f"The ledger is not used: Redis at {address} {wrong}.")
    for warning in what_is_unwise(about):
        log.warning("Redis at %s %s", address, warning)


def what_is_wrong(about: Mapping[str, Any]) -> str:
    version = str(about.get("redis_version", ""))
    if _numbers(version) < OLDEST:
        return f"is version {version or 'unknown'}; at least {OLDEST[0]}.{OLDEST[1]} is needed"
    if about.get("redis_mode") == "cluster":
        return "is a Redis Cluster; a single server (or a primary with replicas) is needed"
    policy = str(about.get("maxmemory_policy", "noeviction"))
    if about.get("maxmemory") and policy.startswith("allkeys"):
        return f"throws keys away when it is full (maxmemory-policy {policy}); set it to noeviction"
    return ""


def what_is_unwise(about: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if not about.get("aof_enabled"):
        found.append(
            "keeps no append-only file: after a restart requests and approvals may be gone. "
            "Set `appendonly yes`."
        )
    return tuple(found)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
