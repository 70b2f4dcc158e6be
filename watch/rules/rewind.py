"""A consumer group whose committed offsets went back: it reads again what it has read before.

Told when it went back by more than 100 messages and by more than 1 % of the progress watched before, and
until it has regained what it had. A change that resets the offsets of this very group explains it.
A short replay after a rebalance, regained by the next scan, is not told. It does not see who reset the
offsets, nor a jump forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.group_unseen import unseen_groups
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import EntryVerdict, GroupVerdict, verdicts
from watch.lag_words import clock, count, group_subject, named
from watch.pace import Fall
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NAMED_MAX = 5


class RewindSettings(RuleSettings):
    messages: int = Field(100, ge=1)
    """Going back by more than this …"""
    percent_of_progress: float = Field(1.0, ge=0)
    """… and by more than this share of what was read while watched."""
    forget_hours: float = Field(24.0, gt=0)
    """What has not been regained after this time never will be."""


class Rewind(Rule[RewindSettings]):
    name = "rewind"
    title = "Offsets went back"
    family = Family.CONSUMERS
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.RESETS_OFFSETS: "the change sets this group's offsets"
    }
    Settings = RewindSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[RewindSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "offsets were not read")))
        groups = verdicts(history.lag, seen, now, _as_lag_settings(settings)).values()
        looked = [one for one in groups if settings.of(one.group).enabled]
        findings = [
            self._finding(verdict, back, seen, now.timestamp())
            for verdict in looked
            if (back := _went_back(verdict, settings.of(verdict.group), now.timestamp()))
        ]
        found = {one.subject for one in findings}
        return Looked(
            tuple(findings),
            tuple(one for one in unseen_groups(self.name, looked) if one.subject not in found),
        )

    def _finding(
        self,
        verdict: GroupVerdict,
        back: Sequence[tuple[EntryVerdict, Fall]],
        seen: Seen,
        now: float,
    ) -> Finding:
        entries = [one for one, _ in back]
        messages = sum(fall.messages for _, fall in back)
        first = min(fall.at for _, fall in back)
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=group_subject(verdict.group),
            severity=Severity.WARN,
            words=(
                f"{verdict.group} went back by {count(messages)} messages at "
                f"{clock(first, now)} on {named(entries)}"
            ),
            lines=(*_lines(back), *_touched_by(verdict.group, seen)),
            for_seconds=seen.scan_seconds,
            keep_seconds=60.0,
            measure=float(sum(fall.before - one.committed for one, fall in back)),
            measure_words=f"messages to regain ({verdict.group})",
            why_not="its offsets were set back: more brokers will not help",
        )


def _went_back(
    verdict: GroupVerdict, settings: RewindSettings, now: float
) -> list[tuple[EntryVerdict, Fall]]:
    return [
        (one, one.fall)
        for one in verdict.entries
        if one.fall is not None and now - one.fall.at <= settings.forget_hours * 3600
    ]


def _lines(back: Sequence[tuple[EntryVerdict, Fall]]) -> Iterator[str]:
    for one, fall in back[:NAMED_MAX]:
        yield (
            f"{one.name}: from {count(fall.before)} to {count(fall.after)}, "
            f"now {count(one.committed)}"
        )


def _touched_by(group: str, seen: Seen) -> Iterator[str]:
    """Changes that set offsets of this group on purpose."""
    for lease in seen.leases:
        if Effect.RESETS_OFFSETS in lease.effects and group in lease.groups:
            yield f"{lease.request_id} ({lease.title}) sets its offsets"


def _as_lag_settings(settings: Tuned[RewindSettings]) -> Tuned[LagSettings]:
    def of(one: RewindSettings) -> LagSettings:
        return LagSettings(rewind_messages=one.messages, rewind_percent=one.percent_of_progress)

    return Tuned(
        of(settings.base), tuple((pattern, of(one)) for pattern, one in settings.exceptions)
    )
