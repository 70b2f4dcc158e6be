"""Partitions without a leader: nobody can write or read them.

Told as soon as two looks in a row see it, always critical, and no running change excuses it. It sees
what Kafka's metadata says, MSK's own canary topics left out; it cannot see whether data is lost.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from changes.facts import CANARY_TOPICS, Partition
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import away_brokers
from watch.topic_figures import are, by_topic, named


class OfflinePartitionsSettings(RuleSettings):
    hold_seconds: float = Field(default=20, ge=0)
    """An election takes a moment; a second look is enough to tell it from an outage."""
    clear_seconds: float = Field(default=120, ge=0)


class OfflinePartitions(Rule[OfflinePartitionsSettings]):
    name = "offline_partitions"
    title = "Partitions without a leader"
    family = Family.DATA
    Settings = OfflinePartitionsSettings

    def look(
        self,
        history: History,
        seen: Seen,
        now: datetime,
        settings: Tuned[OfflinePartitionsSettings],
    ) -> Looked:
        why = no_placement(seen)
        if why:
            return Looked(unseen=unseen(self.name, why))
        offline = [
            one
            for one in seen.partitions or ()
            if one.topic not in CANARY_TOPICS and (one.leader is None or one.leader < 0)
        ]
        away = away_brokers(seen)
        return Looked(
            tuple(
                self._finding(subject, found, away, settings.of(subject.removeprefix("topic ")))
                for subject, found in by_topic(offline).items()
            )
        )

    def _finding(
        self,
        subject: str,
        found: tuple[Partition, ...],
        away: tuple[int, ...],
        of: OfflinePartitionsSettings,
    ) -> Finding:
        held = {broker for one in found for broker in one.replicas}
        gone = [str(one) for one in away if one in held]
        lines = [named(found)]
        if gone:
            lines.append(f"they have copies on broker {', '.join(gone)}, which does not take part")
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=subject,
            severity=Severity.CRIT,
            words=f"{are(len(found))} offline: nobody can write or read",
            lines=tuple(lines),
            for_seconds=of.hold_seconds,
            keep_seconds=of.clear_seconds,
            measure=float(len(found)),
            measure_words="partitions without a leader",
            why_not="more brokers do not bring a partition back: its copies must come back",
            never_excused=True,
        )
