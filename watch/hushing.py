"""Who holds an alert back in this round, and which alerts people are told of from now on.

A mute of an object holds back whatever it is about, also what people know already. The rest holds back
only what nobody was told of yet: a message that stands in the channel does not lose lines because a
change began. The surprising truth: held back is not gone. The alert lives on, and what still fires
when nothing holds it any more is told then, with the reason why only now.

What is grave (records are lost, partitions are offline, a disk is critical) is held back by no mute,
except one of the very message that told of it: whoever muted a group had its lag in mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from changes.book import FamilyMute, WatchedChange
from changes.excuses import Effect
from changes.incident import Alert, AlertState, Mute
from watch.excuses import excused
from watch.inhibition import inhibitor, sources
from watch.sightings import short_subject


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
    open_incidents: frozenset[str]
    """Their ids: the mute of a message that is open silences it, and hides nothing."""
    now: datetime

    def of(self, alerts: Sequence[Alert]) -> Hushed:
        causes = sources(alerts)
        in_force = self._in_force(causes)
        after, released = [], {}
        for alert in alerts:
            if alert.state in (AlertState.PENDING, AlertState.RESOLVED):
                after.append(alert)
                continue
            held_by = self._holder(alert, causes)
            fires = alert.state is AlertState.FIRING and not held_by
            if alert.held_by and fires and alert.held_by not in in_force:
                released[alert.key] = alert.held_by  # else it got too serious to be held
            told_at = self.now if fires and alert.fired_at is None else alert.fired_at
            same = held_by == alert.held_by and told_at == alert.fired_at
            after.append(alert if same else alert.with_(held_by=held_by, fired_at=told_at))
        return Hushed(tuple(after), released)

    def _in_force(self, causes: Sequence[Alert]) -> frozenset[str]:
        """Whatever may hold something back just now, as alerts name it."""
        mutes = (f"mute {one.id}" for one in self.mutes if one.until > self.now)
        messages = (f"mute of {one.incident_id}" for one in self.family_mutes)
        changes = (one.lease.request_id for one in self.changes if one.holds(self.now))
        return frozenset((*mutes, *messages, *changes, *(f"alert {one.key}" for one in causes)))

    def _holder(self, alert: Alert, causes: Sequence[Alert]) -> str:
        for mute in self.mutes:
            if mute.until > self.now and _about(mute, alert) and not alert.finding.grave:
                return f"mute {mute.id}"
        if alert.fired_at is not None:
            return ""
        return self._holder_of_news(alert, causes)

    def _holder_of_news(self, alert: Alert, causes: Sequence[Alert]) -> str:
        finding = alert.finding
        for mute in self.family_mutes:
            if mute.incident_id in self.open_incidents or mute.until <= self.now:
                continue
            if finding.grave and alert.key not in mute.known:
                continue
            if mute.family is finding.family and finding.severity <= mute.severity:
                return f"mute of {mute.incident_id}"
        by_rule = self.excused_by.get(finding.rule, {})
        if request_id := excused(finding, excused_by=by_rule, changes=self.changes, now=self.now):
            return request_id
        cause = inhibitor(alert, causes)
        return f"alert {cause.key}" if cause else ""


def _about(mute: Mute, alert: Alert) -> bool:
    subject = short_subject(mute.subject)  # an alert's name is cut when it is very long
    return subject in ("", alert.finding.subject) and mute.rule in ("", alert.finding.rule)
