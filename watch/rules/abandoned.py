"""Offsets nobody looks after: topics a group has left, and partitions an active group never committed.

*Abandoned*: the group is running and its members own nothing of a topic it once read, so the lag there
grows for ever and means nothing; it counts in no alert, nor does what retention takes of it. *Never
committed*: an active group has a partition with records in it and no offset, so after a restart it begins
wherever its settings say. Both are shown once and wake nobody; groups beyond the first 50 are counted in
one line. They end by themselves, as when the old offsets expire or are deleted. Who reads a partition
without committing to Kafka is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity, Unseen
from watch.group_unseen import unseen_groups
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import GONE_STATES, EntryVerdict, GroupVerdict, LagState, verdicts
from watch.lag_words import count, group_subject, named
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NAMED_MAX = 5
GROUPS_MAX = 50
"""Told one by one, in the order of their names: one habit of a company's clients makes thousands."""
OTHERS = "other groups"
MORE = {
    "abandoned": "more have left topics they read",
    "never committed": "more never committed on some of their partitions",
}

Entries = tuple[EntryVerdict, ...]
Words = tuple[str, tuple[str, ...]]
"""What is wrong, and more for the thread."""


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
        groups = verdicts(history.lag, seen, now, Tuned(LagSettings()))
        looked = [groups[one] for one in sorted(groups) if settings.of(one).enabled]
        found = (
            *self._of("abandoned", looked, abandoned, abandoned_words, settings),
            *self._of("never committed", looked, never_committed, never_words, settings),
        )
        away = tuple(unseen_groups(self.name, looked))
        others = tuple(Unseen(rule=self.name, subject=OTHERS, words=one.words) for one in away[:1])
        return Looked(found, (*away, *others))

    def _of(
        self,
        kind: str,
        looked: Sequence[GroupVerdict],
        pick: Callable[[GroupVerdict], Entries],
        words_of: Callable[[str, Entries], Words],
        settings: Tuned[AbandonedSettings],
    ) -> Iterator[Finding]:
        """A finding for each group, and beyond the limit one for all others."""
        found = [(one.group, entries) for one in looked if (entries := pick(one))]
        for group, entries in found[:GROUPS_MAX]:
            words, lines = words_of(group, entries)
            yield self._finding(kind, group_subject(group), words, lines, settings.of(group))
        if others := found[GROUPS_MAX:]:
            words = f"{len(others):,} {MORE[kind]}"
            lines = tuple(words_of(*one)[0] for one in others[:NAMED_MAX])
            yield self._finding(kind, OTHERS, words, lines, settings.base)

    def _finding(
        self,
        kind: str,
        subject: str,
        words: str,
        lines: tuple[str, ...],
        settings: AbandonedSettings,
    ) -> Finding:
        return Finding(
            rule=self.name,
            kind=kind,
            family=self.family,
            subject=subject,
            severity=Severity.INFO,
            words=words,
            lines=lines,
            for_seconds=settings.hold_minutes * 60,
        )


def abandoned(verdict: GroupVerdict) -> Entries:
    return verdict.of(LagState.ABANDONED)


def abandoned_words(group: str, left: Entries) -> Words:
    topics = sorted({one.topic for one in left})
    words = f"{group} has left {', '.join(topics[:NAMED_MAX])}"
    words += f" and {len(topics) - NAMED_MAX:,} more topics" * (len(topics) > NAMED_MAX)
    lag, lost = count(sum(one.lag for one in left)), sum(one.lost for one in left)
    lines = [f"{lag} messages there count in no alert: its members own none of it"]
    lines += [f"retention has deleted {count(lost)} it had not read"] * bool(lost)
    return words, tuple(lines)


def never_committed(verdict: GroupVerdict) -> Entries:
    if verdict.kafka_state in GONE_STATES:
        return ()
    return tuple(one for one in verdict.of(LagState.NO_COMMIT) if one.lag > 0)


def never_words(group: str, never: Entries) -> Words:
    lines = tuple(f"{one.name}: {count(one.lag)} messages in it" for one in never[:NAMED_MAX])
    return f"{group} never committed on {named(never)}", lines
