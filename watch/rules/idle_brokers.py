"""Brokers that hold nothing: usually just added, and nothing was moved to them.

MSK adds brokers and moves no data, so they cost money and help nobody until partitions are moved to
them. Told after 30 minutes, with what a plan would move. Silent when no plan would use them: a cluster
with fewer replicas than brokers has idle brokers by right. It does not see why they were added.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.plan_preview import Preview, preview
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import unsettled
from watch.spread_figures import idle_brokers, planned_replicas


class IdleBrokersSettings(RuleSettings):
    hold_minutes: float = Field(default=30, ge=0)
    clear_minutes: float = Field(default=5, ge=0)
    plan_partitions_max: int = Field(default=30_000, ge=1)
    """The planner is asked of clusters up to this size; larger ones are told without a preview."""


class IdleBrokers(Rule[IdleBrokersSettings]):
    name = "idle_brokers"
    title = "Brokers hold nothing"
    family = Family.BALANCE
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.ADDS_BROKERS: "new brokers are empty at first",
        Effect.MOVES_REPLICAS: "replicas are on their way",
    }
    Settings = IdleBrokersSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[IdleBrokersSettings]
    ) -> Looked:
        of = settings.base
        why = no_placement(seen) or unsettled(seen)
        if why:
            return Looked(unseen=unseen(self.name, why))
        idle = idle_brokers(seen)
        held = planned_replicas(seen)
        if not idle or len(idle) == len(seen.brokers or ()) or max(held.values()) < 2:
            return Looked()
        plan = preview(seen, partitions_max=of.plan_partitions_max)
        if isinstance(plan, str) and seen.msk is None:
            return Looked(unseen=unseen(self.name, plan))
        if isinstance(plan, Preview) and not any(plan.replicas_after().get(b) for b in idle):
            return Looked()
        return Looked((self._finding(idle, seen, of, plan),))

    def _finding(
        self, idle: tuple[int, ...], seen: Seen, of: IdleBrokersSettings, plan: Preview | str
    ) -> Finding:
        names = ", ".join(str(one) for one in idle[:10])
        are = "brokers hold" if len(idle) > 1 else "brokers holds"
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            words=f"{len(idle)} of {len(seen.brokers or ())} {are} nothing: {names}",
            lines=(f"no preview: {plan}",) if isinstance(plan, str) else (plan.words,),
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=float(len(idle)),
            measure_words="brokers without replicas",
            why_not="there are idle brokers already: move partitions to them",
            broker_ids=idle,
        )
