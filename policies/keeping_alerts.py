"""The alert settings in force while the watch runs: a good edit counts at once, a bad one never does.

As with policies (`policies.keeping`), with one thing more: a file that vanishes while the watch runs
is a problem too. Its absence means defaults only to a process that starts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from changes.tagged import Value
from policies.alerts import FILE, Alerts, load_alerts
from policies.clusters import Cluster
from policies.keeping import Signature, signature
from policies.load import CLUSTERS, read_clusters
from policies.problems import Problem, Problems

log = logging.getLogger(__name__)


class Watched(NamedTuple):
    """Which clusters there are, and when to worry about each."""

    clusters: Mapping[str, Cluster]
    alerts: Alerts


def read_watched(
    folder: Path,
    *,
    rules: Mapping[str, type[Value]],
    incident_settings: type[Value],
    alerts_file: Path | None = None,
) -> Watched | Problems:
    """`clusters.yaml` and `alerts.yaml` (or another file in its place).

    Policy files are not read, so they cannot blind the watch.
    """
    if not folder.is_dir():
        return Problems((Problem(file=str(folder), message="there is no such folder"),))
    found: list[Problem] = []
    clusters = read_clusters(folder / CLUSTERS, found)
    if found:
        return Problems(found)
    alerts = load_alerts(
        alerts_file or folder / FILE,
        rules=rules,
        incident_settings=incident_settings,
        clusters=clusters,
    )
    return alerts if isinstance(alerts, Problems) else Watched(clusters, alerts)


class KeptAlerts:
    """`current` is always good; `refresh` reads the folder again when a file in it changed."""

    def __init__(
        self,
        folder: Path,
        *,
        rules: Mapping[str, type[Value]],
        incident_settings: type[Value],
        current: Watched,
        seen: Signature,
    ) -> None:
        self._folder = folder
        self._rules = rules
        self._incident_settings = incident_settings
        self._seen = seen
        self._had_file = had_file(seen)
        self.current = current
        self.problem = ""
        """Why the files as they are now are not in force; empty = they are."""

    @classmethod
    def start(
        cls, folder: Path, *, rules: Mapping[str, type[Value]], incident_settings: type[Value]
    ) -> Self | Problems:
        seen = signature(folder)
        read = read_watched(folder, rules=rules, incident_settings=incident_settings)
        if isinstance(read, Problems):
            return read
        return cls(
            folder, rules=rules, incident_settings=incident_settings, current=read, seen=seen
        )

    def refresh(self) -> Watched:
        now = signature(self._folder)
        if now == self._seen:
            return self.current
        self._seen = now
        read = self._read(now)
        if isinstance(read, Problems):
            self.problem = read.words()
            log.error("the alert files are broken; the last good ones stay: %s", self.problem)
            return self.current
        if self.problem or read != self.current:
            log.info("alert files read again")
        self.current, self.problem = read, ""
        self._had_file = had_file(now)
        return read

    def _read(self, now: Signature) -> Watched | Problems:
        if self._had_file and not had_file(now):
            message = "the file is gone; an empty one means defaults"
            return Problems((Problem(file=str(self._folder / FILE), message=message),))
        return read_watched(
            self._folder, rules=self._rules, incident_settings=self._incident_settings
        )


def had_file(seen: Signature) -> bool:
    return any(name == FILE for name, *_ in seen)
