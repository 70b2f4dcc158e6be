"""Who holds an alert back in this round, and which alerts people are told of from now on.

A mute of an object holds back whatever it is about, also what people know already. The rest holds back
only what nobody was told of yet: a message that stands in the channel does not lose lines because a
change began. The surprising truth: held back is not gone. The alert lives on, and what still fires
when nothing holds it any more is told then, with the reason why only now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from changes.book import FamilyMute, WatchedChange
from changes.excuses import Effect
from changes.incident import Alert, AlertState, Family, Mute
from watch.excuses import excused
from watch.inhibition import inhibitor, sources


@dataclass(frozen=True)
class Hushed:
    alerts: tuple[Alert, ...]
    released: Mapping[str, str] = field(default_factory=dict)
    """Keys of alerts that fire and are told from now on, and what held them until now."""


@dataclass(frozen=True)
class Hush:
    """All that can hold an alert back."""

    excused_by: Mapping[str, Mapping[Effect, str]]
    """By rule."""
    changes: Sequence[WatchedChange]
    mutes: Sequence[Mute]
    family_mutes: Sequence[FamilyMute]
    open_families: frozenset[Family]
    """With an open incident: a mute of that message silences it, and hides nothing."""
    now: datetime

    def of(self, alerts: Sequence[Alert]) -> Hushed:
        causes = sources(alerts)
        after, released = [], {}
        for alert in alerts:
            if alert.state in (AlertState.PENDING, AlertState.RESOLVED):
                after.append(alert)
                continue
            held_by = self._holder(alert, causes)
            fires = alert.state is AlertState.FIRING and not held_by
            if alert.held_by and fires:
                released[alert.key] = alert.held_by
            told_at = self.now if fires and alert.fired_at is None else alert.fired_at
            same = held_by == alert.held_by and told_at == alert.fired_at
            after.append(alert if same else alert.with_(held_by=held_by, fired_at=told_at))
        return Hushed(tuple(after), released)

    def _holder(self, alert: Alert, causes: Sequence[Alert]) -> str:
        for mute in self.mutes:
            if _about(mute, alert) and mute.until > self.now:
                return f"mute {mute.id}"
        if alert.fired_at is not None:
            return ""
        return self._holder_of_news(alert, causes)

    def _holder_of_news(self, alert: Alert, causes: Sequence[Alert]) -> str:
        finding = alert.finding
        for mute in self.family_mutes:
            if finding.family in self.open_families or mute.until <= self.now:
                continue
            if mute.family is finding.family and finding.severity <= mute.severity:
                return f"mute of {mute.incident_id}"
        by_rule = self.excused_by.get(finding.rule, {})
        if request_id := excused(finding, excused_by=by_rule, changes=self.changes, now=self.now):
            return request_id
        cause = inhibitor(alert, causes)
        return f"alert {cause.key}" if cause else ""


def _about(mute: Mute, alert: Alert) -> bool:
    return mute.subject in ("", alert.finding.subject) and mute.rule in ("", alert.finding.rule)
