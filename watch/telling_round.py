"""One round of one family: what everything said about it is made of.

The surprising truth: a thread has an end. Quiet lines stop at `LINES_MAX`, and what is said aloud stops
too; the message itself is always true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from changes.incident import Alert, AlertState, Family, Incident, Severity
from watch.flapping import tame
from watch.incident_settings import IncidentSettings
from watch.shown import LIVE, Shown, shown
from watch.telling_words import fitted, sentences

LINES_MAX = 80
"""Quiet lines of one thread; the last of them says that the rest is only drawn."""
ALOUD_LINES_MAX = 120
"""Of all lines: even what is said aloud ends somewhere, except for what is critical."""
FULL_PAUSE = timedelta(hours=1)
"""In a thread that is full, something critical is said once in so long."""
CRITICAL_PAUSE = timedelta(minutes=5)
"""Between two lines about things that became critical: a cascade is not a line each."""
AGAIN_PAUSE = timedelta(hours=6)
"""What was critical, is a warning and becomes critical once more is said again after so long."""


@dataclass(frozen=True)
class FamilyRound:
    cluster: str
    family: Family
    alerts: Sequence[Alert]
    """Those that people were told of."""
    held: Sequence[Alert]
    """Those that fire, and that nobody was told of because something holds them back."""
    released: Mapping[str, str]
    """Keys that fire and are told from now on, and what held them until now."""
    after_change: Mapping[str, str]
    """Keys that are told now because the grace of a change is over, and that request."""
    settings: IncidentSettings
    now: datetime
    left_out: int = 0
    """Findings beyond what is followed."""
    restless: bool = False
    """Something of the family came or went within the last half hour, told or not."""
    live: list[Alert] = field(init=False, default_factory=list)
    """What fires for people, worst first."""

    def __post_init__(self) -> None:
        live = [one for one in self.alerts if one.state in LIVE and not one.held_by]
        live.sort(key=lambda one: (-one.finding.severity, one.began_at, one.key))
        self.live.extend(live)

    @property
    def criticals(self) -> list[Alert]:
        """What is critical, fires, and was seen just now."""
        return [
            one
            for one in self.live
            if one.finding.severity is Severity.CRIT
            and one.state is AlertState.FIRING
            and not one.stale
        ]

    @property
    def critical(self) -> bool:
        return bool(self.criticals)

    @property
    def back(self) -> list[Alert]:
        """What was held back until now, and still fires."""
        return [one for one in self.live if one.key in self.released]

    def new(self, before: Incident) -> list[Alert]:
        """Told since the message was drawn last."""
        since = before.updated_at or before.opened_at
        return [one for one in self.live if one.fired_at is not None and one.fired_at > since]

    def steady(self, incident: Incident, alerts: Sequence[Alert]) -> list[Alert]:
        """Those worth a line: where something flaps, what does not."""
        return [one for one in alerts if not incident.flapping or tame(one, self.now)]

    def newly_critical(self, incident: Incident) -> list[Alert]:
        """What people were not told is critical, and may be told by now.

        What began, or was critical for the first time, since they last heard is told after a short pause;
        what merely got worse again (some figures swing around their limit) is news only after hours. A
        mute holds it back unless it is grave and younger than the mute.
        """
        told_at = incident.critical_told_at or incident.told_at or incident.opened_at
        silence = self.now - (incident.told_at or incident.opened_at)
        found = []
        for one in self.live:
            if one.critical_at is None or one.critical_at <= told_at or not _still_bad(one):
                continue
            first = any(at and at > told_at for at in (one.fired_at, one.first_critical_at))
            if silence < CRITICAL_PAUSE or not (first or self.now - told_at >= AGAIN_PAUSE):
                continue
            if tame(one, self.now) and self._may_be_heard(one, incident):
                found.append(one)
        return found

    def _may_be_heard(self, alert: Alert, incident: Incident) -> bool:
        if alert.finding.grave:
            return not incident.muted_at or _not_before(alert.critical_at, incident.muted_at)
        return bool(self.settings.newcomer_aloud_minutes) and not self.muted(incident)

    def room(self, incident: Incident) -> bool:
        """Has its thread room for a line about something critical?"""
        if len(incident.log) < ALOUD_LINES_MAX:
            return True
        return self.now - (incident.told_at or incident.opened_at) >= FULL_PAUSE

    def shown(self, before: Incident | None) -> Shown:
        return shown([*self.alerts, *self.held], before, more=self.left_out)

    def shown_at_the_end(self, before: Incident) -> Shown:
        """What is held back was never part of it."""
        return shown(self.alerts, before)

    def worst(self) -> str:
        return sentences(self.live, self.settings.lines_shown_max, more=self.left_out)

    def muted(self, incident: Incident) -> bool:
        return incident.muted_until is not None and incident.muted_until > self.now

    def aloud(self, incident: Incident, text: str) -> Incident:
        """The incident with a line for the whole channel, as long as its thread is not full."""
        if len(incident.log) >= ALOUD_LINES_MAX:
            return incident
        return incident.said(now=self.now, text=fitted(text), aloud=True).with_(told_at=self.now)

    def urgent(self, incident: Incident, text: str, *, on_call: bool = False) -> Incident:
        """The same for a line that names all that is critical; a full thread does not stop it."""
        said = incident.said(
            now=self.now, text=fitted(text), aloud=True, calls="on call" if on_call else ""
        )
        return said.with_(told_at=self.now, critical_told_at=self.now)

    def quiet(self, incident: Incident, text: str) -> Incident:
        """The incident with a line for those who follow the thread; no text, no line."""
        quiet = sum(1 for line in incident.log if not line.aloud)
        if not text or quiet >= LINES_MAX or len(incident.log) >= ALOUD_LINES_MAX:
            return incident
        if quiet == LINES_MAX - 1:
            text = "What comes and goes from here on is only drawn into the message above."
        return incident.said(now=self.now, text=fitted(text))


def _still_bad(alert: Alert) -> bool:
    """Seen just now, and not getting better."""
    seen = alert.state is AlertState.FIRING and not alert.stale
    return seen and alert.finding.phase == "trigger"


def _not_before(one: datetime | None, than: datetime) -> bool:
    return one is not None and one >= than
