"""Partitions are led by another broker than their first replica, and stay so.

After a restart leadership stays where it went until an election brings it back; Kafka does that by
itself every few minutes unless it was switched off. Told when a tenth of all partitions (and at least
five) could be led by their first replica, which is in sync, and have not been for 15 minutes. The
remedy is an election, which moves no data. It does not see whether automatic election is on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.facts import CANARY_TOPICS
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import unsettled


class PreferredLeadersSettings(RuleSettings):
    rising = (("clear_share", "trigger_share"),)

    trigger_share: float = Field(default=0.10, gt=0, le=1)
    """Of all partitions."""
    clear_share: float = Field(default=0.05, ge=0, le=1)
    """Share of partitions at which it is over."""
    partitions_min: int = Field(default=5, ge=1)
    """Fewer than this are not worth telling."""
    hold_minutes: float = Field(default=15, ge=0)
    clear_minutes: float = Field(default=5, ge=0)


class PreferredLeaders(Rule[PreferredLeadersSettings]):
    name = "preferred_leaders"
    title = "Leaders are not where they belong"
    family = Family.BALANCE
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "leadership is handed over at the end",
        Effect.MOVES_LEADERS: "leadership is being handed over",
    }
    Settings = PreferredLeadersSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[PreferredLeadersSettings]
    ) -> Looked:
        of = settings.base
        why = no_placement(seen) or unsettled(seen)
        if why:
            return Looked(unseen=unseen(self.name, why))
        planned = [one for one in seen.partitions or () if one.topic not in CANARY_TOPICS]
        off = [
            one
            for one in planned
            if one.leader is not None
            and one.replicas
            and one.leader != one.replicas[0]
            and one.replicas[0] in one.isr
        ]
        share = len(off) / len(planned) if planned else 0.0
        if len(off) < of.partitions_min or share <= of.clear_share:
            return Looked()
        gainers = Counter(one.leader for one in off).most_common(1)
        waiting = Counter(one.replicas[0] for one in off).most_common(1)
        finding = Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            phase="trigger" if share >= of.trigger_share else "between",
            words=f"{len(off):,} of {len(planned):,} partitions are not led by their first replica",
            lines=(
                f"broker {gainers[0][0]} leads {gainers[0][1]:,} of them, "
                f"{waiting[0][1]:,} belong to broker {waiting[0][0]}, which is in sync",
                "an election of preferred leaders mends it and moves no data",
            ),
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=round(share, 4),
            measure_words="share of partitions not led by their first replica",
            why_not="an election of preferred leaders is enough; it moves no data",
        )
        return Looked((finding,))
