"""CloudWatch and the direct scan disagree about a group's lag: one of the two monitors is wrong.

Compared is `SumOffsetLag` of the groups furthest behind with the least and the most lag that the scans
around that minute leave possible: between two commits lag grows, and each monitor sees its own moments.
Told when CloudWatch lies more than 20 % (and 1,000 messages) outside of it for 5 minutes. A group
CloudWatch has no figure of just now is not judged: that is normal while it rebalances. Groups whose
names hold a colon or anything beyond ASCII never have one; they are named once, as a hint, since
alarms built on CloudWatch alone are blind to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity
from changes.lag import LagScan
from watch.history import History
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.witnesses import lag_between, measured, pairs_to_ask

PERIOD_SECONDS = 60.0
LATE_SECONDS = 120.0
"""Datapoints cover a minute and are made of offsets that were read a little before."""


class LagWitnessSettings(RuleSettings):
    apart_share: float = Field(default=0.20, gt=0)
    """Share of the larger figure by which the two must differ …"""
    apart_messages_min: int = Field(default=1_000, ge=0)
    """… and at least by so many messages."""
    hold_minutes: float = Field(default=5, ge=0)
    clear_minutes: float = Field(default=5, ge=0)
    hint_names: bool = True
    """Name the groups that CloudWatch never shows."""


class LagWitness(Rule[LagWitnessSettings]):
    name = "lag_witness"
    title = "CloudWatch and the scan disagree about lag"
    family = Family.CLUSTER
    Settings = LagWitnessSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[LagWitnessSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag") or "lag was not read"))
        if seen.group_lag is None:
            why = seen.blind.get("group lag") or "CloudWatch was not asked for lag"
            return Looked(unseen=unseen(self.name, why))
        found = list(self._hints(seen.lag, settings.base))
        blind = {group for group, _ in pairs_to_ask(seen.lag)}
        for (group, topic), (at, told) in sorted(seen.group_lag.items()):
            since, until = at.timestamp() - LATE_SECONDS, at.timestamp() + PERIOD_SECONDS
            scanned = lag_between(history.lag, group, topic, since=since, until=until)
            if scanned is not None:
                blind.discard(group)
                found += self._compared(group, topic, told, *scanned, settings)
        words = (
            "CloudWatch has no figure of this group just now, or there are no two scans around it"
        )
        return Looked(
            tuple(found), unseen(self.name, words, (f"group {name}" for name in sorted(blind)))
        )

    def _compared(
        self,
        group: str,
        topic: str,
        told: float,
        least: int,
        most: int,
        settings: Tuned[LagWitnessSettings],
    ) -> Iterator[Finding]:
        of = settings.of(group)
        apart = max(least - told, told - most)
        if apart < max(of.apart_messages_min, 1) or apart <= of.apart_share * max(told, most):
            return
        yield Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"group {group}",
            severity=Severity.WARN,
            words=f"lag on {topic}: CloudWatch says {told:,.0f}, "
            f"the direct scan {least:,} to {most:,}",
            lines=("one of the two monitors is wrong; alarms on the other may be, too",),
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(apart, 1),
            measure_words="messages between CloudWatch's lag and the scan's",
        )

    def _hints(self, scan: LagScan, of: LagWitnessSettings) -> Iterator[Finding]:
        names = sorted(name for name in scan.groups if not measured(name))
        if not names or not of.hint_names:
            return
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield Finding(
            rule=self.name,
            kind="no series",
            family=self.family,
            subject="cluster",
            severity=Severity.INFO,
            words=f"CloudWatch never has lag metrics of {len(names)} groups: "
            f"their names hold a colon or letters beyond ASCII",
            lines=(", ".join(names[:5]) + more, "the direct scan covers them"),
            for_seconds=0,
            keep_seconds=3600,
        )
