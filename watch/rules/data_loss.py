"""Records that retention deletes before a consumer group has read them: soon, or already.

*At risk*: at the pace at which the log start follows the group's commits it reaches them within 2 hours
(a pace needs two deletions in sight), or they are as old as the topic's `retention.ms` within that time.
*Lost*: the log begins after the commit; the number of records nobody will read any more is told.
A loss of a group that is active, or that was seen to happen, calls somebody; one that had happened
before the watch began, to a group nobody runs any more, is only shown. No change excuses a loss.

Compacted topics lose nothing this way, and of topics the group has left nobody is told here. Log starts
are read every tenth scan, so a loss is seen some minutes late; a group that jumps over lost records
between two scans is not seen at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity
from watch.age import span
from watch.group_unseen import unseen_groups
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import GONE_STATES, EntryVerdict, GroupVerdict, LagState, verdicts
from watch.lag_words import behind, count, group_subject, hidden, last_commit, named
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NAMED_MAX = 5


class DataLossSettings(RuleSettings):
    at_risk_hours: float = Field(2.0, gt=0)
    """Retention that reaches the reader within this time is a risk."""
    keep_minutes: float = Field(15.0, ge=0)
    """How long a risk must be gone to be over: segments are deleted in jumps."""


class DataLoss(Rule[DataLossSettings]):
    name = "data_loss"
    title = "Unread records are deleted"
    family = Family.DATA
    Settings = DataLossSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[DataLossSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "offsets were not read")))
        groups = verdicts(history.lag, seen, now, _as_lag_settings(settings))
        looked = [one for one in groups.values() if settings.of(one.group).enabled]
        findings: list[Finding] = []
        for verdict in looked:
            if verdict.entries:
                own = settings.of(verdict.group)
                findings += self._of(verdict, own, seen, now.timestamp())
        found = {one.subject for one in findings}
        return Looked(
            tuple(findings),
            tuple(one for one in unseen_groups(self.name, looked) if one.subject not in found),
        )

    def _of(
        self, verdict: GroupVerdict, settings: DataLossSettings, seen: Seen, now: float
    ) -> Iterator[Finding]:
        if lost := verdict.of(LagState.LOST):
            yield self._lost(verdict, lost, now)
        if risky := verdict.of(LagState.AT_RISK):
            yield self._at_risk(verdict, risky, settings, seen, now)

    def _lost(self, verdict: GroupVerdict, lost: Sequence[EntryVerdict], now: float) -> Finding:
        records = sum(one.lost for one in lost)
        old = verdict.kafka_state in GONE_STATES and not any(one.lost_since for one in lost)
        words = f"{verdict.group} lost {count(records)} records unread on {named(lost)}"
        if old:
            words += ", before the watch began; nobody runs it now"
        return Finding(
            rule=self.name,
            kind="lost",
            family=self.family,
            subject=group_subject(verdict.group),
            severity=Severity.INFO if old else Severity.CRIT,
            words=words,
            lines=(
                *(f"{one.name}: {count(one.lost)} lost" for one in lost[:NAMED_MAX]),
                last_commit(lost, now),
                *hidden(verdict),
            ),
            for_seconds=0.0,
            measure=float(records),
            measure_words=f"records lost ({verdict.group})",
            why_not=""
            if old
            else "longer retention keeps what is left: more brokers will not help",
            never_excused=not old,
        )

    def _at_risk(
        self,
        verdict: GroupVerdict,
        risky: Sequence[EntryVerdict],
        settings: DataLossSettings,
        seen: Seen,
        now: float,
    ) -> Finding:
        left = min(one.retention_left_seconds for one in risky)
        return Finding(
            rule=self.name,
            kind="at risk",
            family=self.family,
            subject=group_subject(verdict.group),
            severity=Severity.CRIT,
            words=f"{verdict.group} loses unread records in about {span(left)}: {behind(verdict)}",
            lines=(
                *(
                    f"{one.name}: {span(one.retention_left_seconds)} left"
                    for one in risky[:NAMED_MAX]
                ),
                last_commit(risky, now),
                *hidden(verdict),
            ),
            for_seconds=seen.scan_seconds,
            keep_seconds=settings.keep_minutes * 60,
            measure=left / 3600,
            measure_words=f"hours until records are lost ({verdict.group})",
            more_is_better=True,
            why_not="longer retention or a faster reader helps: more brokers will not",
            never_excused=True,
        )


def _as_lag_settings(settings: Tuned[DataLossSettings]) -> Tuned[LagSettings]:
    return Tuned(
        LagSettings(at_risk_hours=settings.base.at_risk_hours),
        tuple(
            (pattern, LagSettings(at_risk_hours=one.at_risk_hours))
            for pattern, one in settings.exceptions
        ),
    )
