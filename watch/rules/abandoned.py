"""Offsets nobody looks after: topics a group has left, and partitions an active group never committed.

*Abandoned*: the group is running and its members own nothing of a topic it once read, so the lag there
grows for ever and means nothing; it counts in no alert, nor does what retention takes of it. *Never
committed*: an active group has a partition with records in it and no offset, so after a restart it begins
wherever its settings say. Both are shown once and wake nobody. They end by themselves, as when the old
offsets expire or are deleted. Who reads a partition without committing to Kafka is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity
from watch.group_unseen import unseen_groups
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import GONE_STATES, EntryVerdict, GroupVerdict, LagState, verdicts
from watch.lag_words import count, group_subject, named
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NAMED_MAX = 5


class AbandonedSettings(RuleSettings):
    hold_minutes: float = Field(10.0, ge=0)
    """How long it must be so: a group that starts has not committed yet."""


class Abandoned(Rule[AbandonedSettings]):
    name = "abandoned"
    title = "Offsets nobody looks after"
    family = Family.CONSUMERS
    Settings = AbandonedSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[AbandonedSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "offsets were not read")))
        groups = verdicts(history.lag, seen, now, Tuned(LagSettings())).values()
        looked = [one for one in groups if settings.of(one.group).enabled]
        findings: list[Finding] = []
        for verdict in looked:
            findings += self._of(verdict, settings.of(verdict.group))
        return Looked(tuple(findings), tuple(unseen_groups(self.name, looked)))

    def _of(self, verdict: GroupVerdict, settings: AbandonedSettings) -> Iterator[Finding]:
        if left := verdict.of(LagState.ABANDONED):
            topics = sorted({one.topic for one in left})
            words = f"{verdict.group} has left {', '.join(topics[:NAMED_MAX])}"
            words += f" and {len(topics) - NAMED_MAX:,} more topics" * (len(topics) > NAMED_MAX)
            lag, lost = count(sum(one.lag for one in left)), sum(one.lost for one in left)
            lines = [f"{lag} messages there count in no alert: its members own none of it"]
            lines += [f"retention has deleted {count(lost)} it had not read"] * bool(lost)
            yield self._finding(verdict, settings, "abandoned", words, tuple(lines))
        never = [one for one in verdict.of(LagState.NO_COMMIT) if one.lag > 0]
        if never and verdict.kafka_state not in GONE_STATES:
            words = f"{verdict.group} never committed on {named(never)}"
            yield self._finding(verdict, settings, "never committed", words, _readable(never))

    def _finding(
        self,
        verdict: GroupVerdict,
        settings: AbandonedSettings,
        kind: str,
        words: str,
        lines: tuple[str, ...],
    ) -> Finding:
        return Finding(
            rule=self.name,
            kind=kind,
            family=self.family,
            subject=group_subject(verdict.group),
            severity=Severity.INFO,
            words=words,
            lines=lines,
            for_seconds=settings.hold_minutes * 60,
        )


def _readable(never: Sequence[EntryVerdict]) -> tuple[str, ...]:
    return tuple(f"{one.name}: {count(one.lag)} messages in it" for one in never[:NAMED_MAX])
