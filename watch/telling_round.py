"""One round of one family: what everything said about it is made of.

The surprising truth: a thread has an end. Quiet lines stop at `LINES_MAX`, and what is said aloud stops
too; the message itself is always true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from changes.incident import Alert, AlertState, Family, Incident, Severity
from watch.incident_settings import IncidentSettings
from watch.shown import LIVE, Shown, shown
from watch.telling_words import fitted, sentences

LINES_MAX = 80
"""Quiet lines of one thread; the last of them says that the rest is only drawn."""
ALOUD_LINES_MAX = 120
"""Of all lines: even what is said aloud ends somewhere."""


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
    def critical(self) -> bool:
        """Something critical fires, and it was seen just now."""
        return any(
            one.finding.severity is Severity.CRIT
            and one.state is AlertState.FIRING
            and not one.stale
            for one in self.live
        )

    @property
    def back(self) -> list[Alert]:
        """What was held back until now, and still fires."""
        return [one for one in self.live if one.key in self.released]

    def new(self, before: Incident) -> list[Alert]:
        """Told since the message was drawn last."""
        since = before.updated_at or before.opened_at
        return [one for one in self.live if one.fired_at is not None and one.fired_at > since]

    def shown(self, before: Incident | None) -> Shown:
        return shown([*self.alerts, *self.held], before, more=self.left_out)

    def shown_at_the_end(self, before: Incident) -> Shown:
        """What is held back was never part of it."""
        return shown(self.alerts, before)

    def worst(self) -> str:
        return sentences(self.live, self.settings.lines_shown_max, more=self.left_out)

    def muted(self, incident: Incident) -> bool:
        return incident.muted_until is not None and incident.muted_until > self.now

    def aloud(self, incident: Incident, text: str, *, on_call: bool = False) -> Incident:
        """The incident with a line for the whole channel."""
        if len(incident.log) >= ALOUD_LINES_MAX:
            return incident.with_(told_at=self.now)
        said = incident.said(
            now=self.now, text=fitted(text), aloud=True, calls="on call" if on_call else ""
        )
        return said.with_(told_at=self.now)

    def quiet(self, incident: Incident, text: str) -> Incident:
        """The incident with a line for those who follow the thread; no text, no line."""
        quiet = sum(1 for line in incident.log if not line.aloud)
        if not text or quiet >= LINES_MAX or len(incident.log) >= ALOUD_LINES_MAX:
            return incident
        if quiet == LINES_MAX - 1:
            text = "What comes and goes from here on is only drawn into the message above."
        return incident.said(now=self.now, text=fitted(text))
