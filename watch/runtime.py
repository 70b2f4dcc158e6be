"""The watch's composition root: what is real is wired here, in one visible place.

It is handed the reading half of a cluster's ports and no Slack at all. Kafka or AWS being away is no
reason not to start: that is what a watch is for. A wrong file or setting is.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import changes.catalog  # noqa: F401  (requests, whose threads get notes, name its classes)
from changes.ports import Unreachable
from cluster.connect import BadAuth, KafkaAuth, open_reading
from ledger import Ledger, connect
from ledger.masking import log_masked
from policies import Cluster, Problems
from policies.keeping_alerts import KeptAlerts
from policies.yaml_files import read_settings
from watch.incident_settings import IncidentSettings
from watch.rounds import Ports
from watch.rule import Rule, RuleSettings
from watch.rules import rules
from watch.settings import Settings

OpenCluster = Callable[[Cluster], AbstractAsyncContextManager[Ports]]


class CannotStart(Exception):
    """The process refuses to start; the sentence says which setting or file is wrong, and where."""


@dataclass(frozen=True)
class Runtime:
    """Everything the watch needs; tests put fakes here."""

    ledger: Ledger
    kept: KeptAlerts
    open_cluster: OpenCluster
    rules: tuple[Rule[Any], ...]
    clock: Callable[[], datetime]
    mono: Callable[[], float]


def settings_from(environ: Mapping[str, str]) -> Settings:
    path = environ.get("OTTLA_SETTINGS")
    settings = read_settings(Settings, path=Path(path) if path else None, environ=environ)
    if isinstance(settings, Problems):
        raise CannotStart(settings.words())
    return settings


def runtime(environ: Mapping[str, str] = os.environ) -> Runtime:
    settings = settings_from(environ)
    known = all_rules()
    kept = KeptAlerts.start(
        settings.policies, rules=settings_of(known), incident_settings=IncidentSettings
    )
    if isinstance(kept, Problems):
        raise CannotStart(kept.words())
    ledger = ledger_of(settings)
    for cluster in kept.current.clusters.values():
        auth_of(cluster, environ)
    return Runtime(
        ledger=ledger,
        kept=kept,
        open_cluster=lambda cluster: opened(cluster, kept, environ),
        rules=known,
        clock=lambda: datetime.now(UTC),
        mono=time.monotonic,
    )


@asynccontextmanager
async def opened(
    cluster: Cluster, kept: KeptAlerts, environ: Mapping[str, str]
) -> AsyncIterator[Ports]:
    """A cluster's reading ports. A login that is missing for a cluster added while the watch runs is
    that cluster's trouble alone."""
    try:
        auth = auth_of(cluster, environ)
    except CannotStart as missing:
        raise Unreachable(str(missing)) from missing
    async with open_reading(
        ref=cluster.ref,
        auth=auth,
        period_seconds=cluster.metrics_period_seconds,
        wanted=lambda group: watched(kept, cluster.name, group),
    ) as reading:
        yield reading


def watched(kept: KeptAlerts, cluster: str, group: str) -> bool:
    """By the newest good settings; nothing is looked at of a cluster that was just taken away."""
    known = kept.current.alerts.clusters.get(cluster)
    return known is not None and known.groups.watched(group)


def ledger_of(settings: Settings) -> Ledger:
    return connect(settings.redis_url, allow_no_password=settings.redis_allow_no_password)


def all_rules() -> tuple[Rule[Any], ...]:
    return tuple(rule() for rule in rules())


def settings_of(known: tuple[Rule[Any], ...]) -> Mapping[str, type[RuleSettings]]:
    return {rule.name: rule.Settings for rule in known}


def auth_of(cluster: Cluster, environ: Mapping[str, str]) -> KafkaAuth:
    """How to log in; a missing password is said by the name of its variable."""
    for name in (cluster.auth.username_env, cluster.auth.password_env):
        if name and not environ.get(name):
            raise CannotStart(
                f"{name} is not set in the environment; clusters.yaml names it for logging in to "
                f"the brokers of {cluster.name}"
            )
    try:
        return KafkaAuth(
            mode=cluster.auth.mode,
            username=environ.get(cluster.auth.username_env, ""),
            password=environ.get(cluster.auth.password_env, ""),
        )
    except BadAuth as bad:
        raise CannotStart(f"cluster {cluster.name}: {bad}") from bad


def log_plainly(environ: Mapping[str, str] = os.environ) -> None:
    """One line per event, secrets masked; what the clients complain of is said in our own words."""
    log_masked(level=settings_from(environ).log_level, quiet=("botocore",))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
