"""Replicas that a reassignment brings to a broker and that are not in sync yet, with the progress.

While they come into sync one after another it is only shown. When none has for an hour, somebody is
told: too low a throttle, a full disk or a slow network. It counts replicas, since Kafka tells no bytes
of a copy under way; a single large replica may rightly take longer than the hour (`stalled_minutes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.broker_figures import FILLING, filling
from watch.history import History
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen


class ReplicationLagSettings(RuleSettings):
    show_after_minutes: float = Field(default=10, ge=0)
    """Moving replicas may be out of sync this long before it is shown."""
    stalled_minutes: float = Field(default=60, gt=0)
    """So long without one replica coming into sync is a standstill."""
    clear_minutes: float = Field(default=2, ge=0)


class ReplicationLag(Rule[ReplicationLagSettings]):
    name = "replication_lag"
    title = "Moving replicas are not in sync"
    family = Family.CLUSTER
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "the change copies these replicas"
    }
    Settings = ReplicationLagSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[ReplicationLagSettings]
    ) -> Looked:
        why = no_placement(seen)
        if not why and seen.reassignments is None:
            why = "running reassignments could not be read"
        if why:
            return Looked(unseen=unseen(self.name, why))
        coming = Counter(broker for one in seen.reassignments or () for broker in one.adding)
        return Looked(
            tuple(
                self._finding(broker, left, coming[broker], history, seen, now, settings)
                for broker, left in sorted(filling(seen).items())
            )
        )

    def _finding(
        self,
        broker: int,
        left: int,
        coming: int,
        history: History,
        seen: Seen,
        now: datetime,
        settings: Tuned[ReplicationLagSettings],
    ) -> Finding:
        of = settings.of(str(broker))
        since = history.brokers.same_since(FILLING, broker)
        still = (now - since).total_seconds() / 60 if since else 0.0
        stalled = still >= of.stalled_minutes
        pace = f"none came into sync for {still:.0f} min" if still >= 1 else "they are coming"
        whose = "" if seen.leases else "no change of Ottla's runs here: somebody else moves them"
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"broker {broker}",
            severity=Severity.WARN if stalled else Severity.INFO,
            words=f"{left:,} of {coming:,} replicas moving to broker {broker} are not in sync yet",
            lines=tuple(line for line in (pace, whose) if line),
            for_seconds=0 if stalled else of.show_after_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=float(left),
            measure_words=f"moving replicas not in sync on broker {broker}",
            why_not="more brokers do not speed up a copy",
            broker_ids=(broker,),
        )
