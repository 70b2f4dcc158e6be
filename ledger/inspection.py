"""Is this Redis fit to remember changes? Asked once per connection.

Refused: too old, a cluster (our transactions span keys), and one that throws keys away when full.
Warned of: what makes it forget approvals that people gave. The surprising truth is about its default
`appendfsync everysec`: while a slow disk still syncs, Redis answers up to 2 s before it has written at
all, so even a killed process (not only a lost machine) takes answered saves with it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from ledger.door import LedgerRefuses

log = logging.getLogger(__name__)

OLDEST = (6, 2)
WARNED: set[tuple[str, str]] = set()
"""Once a process; a worker's child inherits what its parent said, else each job would say it again."""


def inspect(redis: Redis, *, address: str) -> None:
    """Raise `LedgerRefuses` with the reason, or log what is merely unwise."""
    about: Mapping[str, Any] = redis.info()
    if wrong := what_is_wrong(about):
        raise LedgerRefuses(f"The ledger is not used: Redis at {address} {wrong}.")
    for warning in what_is_unwise(about, appendfsync=_appendfsync(redis)):
        if (address, warning) not in WARNED:
            WARNED.add((address, warning))
            log.warning("Redis at %s %s", address, warning)


def what_is_wrong(about: Mapping[str, Any]) -> str:
    version = str(about.get("redis_version", ""))
    if _numbers(version) < OLDEST:
        return f"is version {version or 'unknown'}; at least {OLDEST[0]}.{OLDEST[1]} is needed"
    if about.get("redis_mode") == "cluster":
        return "is a Redis Cluster; a single server (or a primary with replicas) is needed"
    policy = str(about.get("maxmemory_policy", "noeviction"))
    if about.get("maxmemory") and policy != "noeviction":
        return f"throws keys away when it is full (maxmemory-policy {policy}); set it to noeviction"
    return ""


def what_is_unwise(about: Mapping[str, Any], *, appendfsync: str) -> tuple[str, ...]:
    """`appendfsync` is empty where it is not known."""
    if not about.get("aof_enabled"):
        return (
            "keeps no append-only file: after a restart requests and approvals may be gone. "
            "Set `appendonly yes` and `appendfsync always`.",
        )
    if appendfsync not in {"", "always"}:
        return (
            f"answers before it has written (appendfsync {appendfsync}): when it is killed, the last "
            "2 seconds may be gone. Set `appendfsync always`; the ledger writes little.",
        )
    return ()


def _appendfsync(redis: Redis) -> str:
    """The setting, or nothing: managed servers and narrow ACLs do not tell."""
    try:
        settings = redis.config_get("appendfsync")
    except ResponseError:
        return ""
    return settings.get("appendfsync") or ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
