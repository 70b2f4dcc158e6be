"""The worker's composition root: what is real is wired here, in one visible place.

Clients of Kafka and AWS are opened for one tick and closed after it. RQ forks a child per job, and a
client opened before the fork would be shared by two processes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from changes.catalog import CATALOG
from changes.ports import World
from cluster.connect import KafkaAuth, open_world
from ledger import Ledger, connect
from ledger.masking import log_masked
from policies import Cluster, KeptPolicies, Policies, Problems
from policies.yaml_files import read_settings
from workers.settings import Settings

OpenWorld = Callable[..., AbstractAsyncContextManager[World]]


@dataclass(frozen=True)
class Runtime:
    """Everything a tick needs; tests put fakes here."""

    ledger: Ledger
    policies: Policies
    open_world: OpenWorld
    clock: Callable[[], datetime]


class CannotStart(Exception):
    """The process refuses to start; the sentence says which setting or file is wrong, and where."""


def settings_from(environ: Mapping[str, str]) -> Settings:
    path = environ.get("OTTLA_SETTINGS")
    settings = read_settings(Settings, path=Path(path) if path else None, environ=environ)
    if isinstance(settings, Problems):
        raise CannotStart(settings.words())
    return settings


def runtime(environ: Mapping[str, str] = os.environ) -> Runtime:
    settings = settings_from(environ)
    return Runtime(
        ledger=connect(settings.redis_url, allow_no_password=settings.redis_allow_no_password),
        policies=policies_in_force(settings.policies),
        open_world=real_world,
        clock=lambda: datetime.now(UTC),
    )


def log_plainly(environ: Mapping[str, str] = os.environ) -> None:
    """One line per event, secrets masked; botocore's own chatter is left out."""
    log_masked(level=settings_from(environ).log_level, quiet=("botocore",))


def policies_in_force(folder: Path) -> Policies:
    """Read when this process starts, and again when a file changes; the last good ones stay.

    The worker's parent asks before each fork, so its children begin with what it knows.
    """
    kept = _KEPT.get(folder)
    if kept is not None:
        return kept.refresh()
    started = KeptPolicies.start(folder, catalog=CATALOG)
    if isinstance(started, Problems):
        raise CannotStart(started.words())
    _KEPT[folder] = started
    return started.current


_KEPT: dict[Path, KeptPolicies] = {}
"""One per folder and process; a forked child inherits its parent's."""


@asynccontextmanager
async def real_world(*, cluster: Cluster, now: datetime) -> AsyncIterator[World]:
    """A cluster's ports by boto3 and aiokafka, opened for one tick."""
    auth = KafkaAuth(
        mode=cluster.auth.mode,
        username=secret(cluster.auth.username_env),
        password=secret(cluster.auth.password_env),
    )
    period = cluster.metrics_period_seconds
    async with open_world(ref=cluster.ref, auth=auth, period_seconds=period, now=now) as world:
        yield world


def secret(name: str) -> str:
    """The value of the environment variable a policy file names; a missing one is said by name."""
    if name and not os.environ.get(name):
        raise CannotStart(f"{name} is not set; clusters.yaml names it for logging in to Kafka")
    return os.environ.get(name, "") if name else ""
