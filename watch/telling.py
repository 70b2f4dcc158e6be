"""What an incident's message and thread say after this round.

1. An alert that is told for the first time opens an incident, or joins the open one of its family.
2. Worse than people were told: one line aloud. So is what comes after a long silence, and what was
   muted or held back and still fires. Everything else is a quiet line, and is drawn into the message.
3. A critical incident that nobody acknowledges calls whoever is on call, once.
4. When all alerts are over the message is redrawn as over, with one quiet line. A flapping one stays
   open until it has been quiet for half an hour.

The surprising truth: silence is kept by not changing the incident. Figures that moved a little are not
news; the message is redrawn at a pace that slows down with its age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from changes.incident import Alert, AlertState, Family, Incident, Severity, duration_words
from watch import flapping
from watch.incident_settings import IncidentSettings
from watch.shown import LIVE, Shown, shown
from watch.telling_words import (
    SEVERITY_WORDS,
    details,
    fitted,
    held_by_words,
    is_over,
    objects,
    sentences,
)

LINES_MAX = 80
"""Quiet lines of one thread; the last of them says that the rest is only drawn."""
ALOUD_LINES_MAX = 120
"""Of all lines: even what is said aloud ends somewhere."""
FIGURES_SECONDS_MIN = 60.0
FIGURES_SECONDS_MAX = 300.0
FIGURES_SHARE_OF_AGE = 0.05
"""A message an hour old is redrawn for mere figures every three minutes, never slower than five."""
STORM_PACE = 3


@dataclass(frozen=True)
class Telling:
    """One round of one family."""

    cluster: str
    family: Family
    alerts: Sequence[Alert]
    """Those that people were told of."""
    released: Mapping[str, str]
    """Keys that fire and are told from now on, and what held them until now."""
    after_change: Mapping[str, str]
    """Keys that are told now because the grace of a change is over, and that request."""
    settings: IncidentSettings
    now: datetime
    left_out: int = 0
    restless: bool = False
    """Something of the family came or went within the last half hour, told or not."""
    _live: list[Alert] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        live = [one for one in self.alerts if one.state in LIVE and not one.held_by]
        live.sort(key=lambda one: (-one.finding.severity, one.began_at, one.key))
        self._live.extend(live)

    def tell(self, incident: Incident | None) -> Incident | None:
        """The incident after this round: a new one, the same value when nothing is to be shown."""
        if incident is not None:
            return self._updated(incident)
        return self._opened() if any(self._opens(one) for one in self._live) else None

    @property
    def _flapping(self) -> list[Alert]:
        return [one for one in self.alerts if flapping.flapping(one, self.now)]

    def _opens(self, alert: Alert) -> bool:
        if alert.state is not AlertState.FIRING:
            return False
        if alert.finding.severity > Severity.INFO:
            return True
        return self.settings.post_infos and alert.fired_at == self.now

    def _opened(self) -> Incident:
        seen = self._shown(None)
        reasons = [held_by_words(self.released[one.key]) for one in self._released]
        after = [self.after_change[one.key] for one in self._live if one.key in self.after_change]
        incident = Incident(
            id="",
            cluster=self.cluster,
            family=self.family,
            opened_at=self.now,
            updated_at=self.now,
            alerts=seen.alerts,
            more=seen.more,
            told=max(one.finding.severity for one in self._live),
            told_at=self.now,
            remark=reasons[0] if reasons else "",
            after_change=after[0] if after else "",
        )
        incident = self._say(incident, details(self._live, self.settings.lines_shown_max))
        return self._say_flapping(incident)

    def _updated(self, before: Incident) -> Incident:
        incident = self._with_mute_ended(before)
        incident = self._with_rise(incident)
        incident = self._with_return(incident)
        incident = self._with_latecomers(incident)
        incident = self._say_flapping(incident)
        incident = self._with_escalation(incident)
        incident = self._with_repeat(incident)
        if not incident.flapping and not self._lasting(incident):
            return self._over(incident)
        return self._drawn(incident, before)

    def _with_mute_ended(self, incident: Incident) -> Incident:
        if incident.muted_until is None or incident.muted_until > self.now:
            return incident
        by = f" by <@{incident.muted_by}>" if incident.muted_by else ""
        incident = incident.with_(muted_until=None, muted_by="")
        if not self._live:
            return incident
        return self._aloud(incident, f"The mute{by} ended, and it still fires: {self._worst()}")

    def _with_rise(self, incident: Incident) -> Incident:
        """Louder than anything that was told: said aloud, also to those who muted or acknowledged."""
        worst = self._live[0].finding.severity if self._live else Severity.INFO
        if incident.told is not None and worst <= incident.told:
            return incident
        calls = bool(incident.acked_by) and worst is Severity.CRIT
        words = f"Now {SEVERITY_WORDS[worst]}: {self._worst()}"
        return self._aloud(incident.with_(told=worst), words, on_call=calls)

    def _with_return(self, incident: Incident) -> Incident:
        """What was held back until now, and still fires."""
        back = [one for one in self._released if one.finding.severity > Severity.INFO]
        if not back or _muted(incident, self.now) or incident.told_at == self.now:
            return incident
        why = held_by_words(self.released[back[0].key])
        after = next(
            (self.after_change[one.key] for one in back if one.key in self.after_change), ""
        )
        if after and not incident.after_change:
            incident = incident.with_(after_change=after)
        said = sentences(back, self.settings.lines_shown_max)
        return self._aloud(incident, f"Still so ({why}): {said}")

    def _with_latecomers(self, incident: Incident) -> Incident:
        """Nothing was heard of this incident for long: what is new now would be overlooked."""
        silence = timedelta(minutes=self.settings.newcomer_aloud_minutes)
        late = [one for one in self._new(incident) if one.finding.severity > Severity.INFO]
        if not late or not silence or incident.flapping or _muted(incident, self.now):
            return incident
        if incident.told_at is None or self.now - incident.told_at < silence:
            return incident
        return self._aloud(incident, f"Also: {sentences(late, self.settings.lines_shown_max)}")

    def _say_flapping(self, incident: Incident) -> Incident:
        if incident.flapping:
            return incident if self.restless else incident.with_(flapping=False)
        if not self._flapping:
            return incident
        names = objects(self._flapping, self.settings.lines_shown_max)
        words = (
            f"Flapping: {names}. From here on only the message above is redrawn, until nothing has "
            f"come or gone for {duration_words(flapping.QUIET.total_seconds())}."
        )
        return self._say(incident.with_(flapping=True), words)

    def _with_escalation(self, incident: Incident) -> Incident:
        minutes = self.settings.escalate_unacknowledged_minutes
        waits = incident.acked_by or incident.escalated_at or _muted(incident, self.now)
        if not minutes or waits or not self._critical or incident.told_at is None:
            return incident
        if self.now - incident.told_at < timedelta(minutes=minutes):
            return incident
        length = duration_words((self.now - incident.told_at).total_seconds())
        words = f"Nobody has acknowledged this for {length}: {self._worst()}"
        return self._aloud(incident.with_(escalated_at=self.now), words, on_call=True)

    def _with_repeat(self, incident: Incident) -> Incident:
        hours = self.settings.repeat_crit_hours
        if not hours or not self._critical or _muted(incident, self.now) or not incident.told_at:
            return incident
        if self.now - incident.told_at < timedelta(hours=hours):
            return incident
        length = duration_words((self.now - incident.opened_at).total_seconds())
        return self._aloud(incident, f"Still so after {length}: {self._worst()}")

    @property
    def _critical(self) -> bool:
        """Something critical fires, and it was seen just now."""
        return any(
            one.finding.severity is Severity.CRIT
            and one.state is AlertState.FIRING
            and not one.stale
            for one in self._live
        )

    def _lasting(self, incident: Incident) -> bool:
        """Information alone does not keep an incident open that was about more."""
        told = incident.told or Severity.INFO
        floor = Severity.WARN if told > Severity.INFO else Severity.INFO
        return any(one.state in LIVE and one.peak >= floor for one in self.alerts)

    def _over(self, incident: Incident) -> Incident:
        seen = self._shown(incident)
        over = incident.with_(
            alerts=seen.alerts, more=seen.more, ended_at=self.now, updated_at=self.now
        )
        unheard = all(one.held_by.startswith("mute") for one in seen.alerts) and seen.alerts
        if _muted(incident, self.now) or unheard:
            return over
        worst = incident.told or over.severity
        return self._say(over, is_over((self.now - incident.opened_at).total_seconds(), worst))

    def _drawn(self, incident: Incident, before: Incident) -> Incident:
        """The message redrawn when that is due; else as it was."""
        seen = self._shown(before)
        decided = incident != before
        if not decided and not self._due(before, seen):
            return before
        if not incident.flapping and not _muted(incident, self.now):
            incident = self._with_quiet_news(incident, before)
        return incident.with_(alerts=seen.alerts, more=seen.more, updated_at=self.now)

    def _due(self, before: Incident, seen: Shown) -> bool:
        if before.alerts == seen.alerts and before.more == seen.more:
            return False
        since = (self.now - (before.updated_at or before.opened_at)).total_seconds()
        storm = len(self._live) + self.left_out >= self.settings.storm_alerts
        pace = self.settings.redraw_seconds * (STORM_PACE if storm else 1)
        if _moves(before.alerts) == _moves(seen.alerts):
            age = (self.now - before.opened_at).total_seconds()
            figures = min(FIGURES_SECONDS_MAX, FIGURES_SHARE_OF_AGE * age)
            pace = max(pace, FIGURES_SECONDS_MIN, figures)
        return since >= pace - 1

    def _with_quiet_news(self, incident: Incident, before: Incident) -> Incident:
        """One line for all that came, changed and went since the message was drawn last."""
        most = self.settings.lines_shown_max
        if incident.told_at == self.now:
            came = []  # said aloud in this very round
        else:
            came = [one for one in self._new(before) if one.fired_at != before.opened_at]
        went = [
            one
            for one in self.alerts
            if one.state is AlertState.RESOLVED
            and one.ended_at is not None
            and one.ended_at > (before.updated_at or before.opened_at)
            and not one.held_by
        ]
        changed = self._changed(before)
        parts = [
            f"Also: {sentences(came, most, more=self.left_out)}" if came else "",
            f"Now: {sentences(changed, most)}" if changed else "",
            f"Over: {objects(went, most)}" if went else "",
        ]
        return self._say(incident, "\n".join(part for part in parts if part))

    def _new(self, before: Incident) -> list[Alert]:
        """Told since the message was drawn last."""
        since = before.updated_at or before.opened_at
        return [one for one in self._live if one.fired_at is not None and one.fired_at > since]

    def _changed(self, before: Incident) -> list[Alert]:
        """Worse than it was shown, or the same object in another kind of trouble."""
        if before.told is not None and self._live and self._live[0].finding.severity > before.told:
            return []  # said aloud
        was = {_object(one): one.finding for one in before.alerts}
        found = []
        for one in self._live:
            old = was.get(_object(one))
            if old is None or one.fired_at is None or one.fired_at == self.now:
                continue
            if old.kind != one.finding.kind or one.finding.severity > old.severity:
                found.append(one)
        return found

    @property
    def _released(self) -> list[Alert]:
        return [one for one in self._live if one.key in self.released]

    def _worst(self) -> str:
        return sentences(self._live, self.settings.lines_shown_max, more=self.left_out)

    def _shown(self, before: Incident | None) -> Shown:
        return shown(self.alerts, before, more=self.left_out)

    def _aloud(self, incident: Incident, text: str, *, on_call: bool = False) -> Incident:
        if len(incident.log) >= ALOUD_LINES_MAX:
            return incident.with_(told_at=self.now)
        said = incident.said(
            now=self.now, text=fitted(text), aloud=True, calls="on call" if on_call else ""
        )
        return said.with_(told_at=self.now)

    def _say(self, incident: Incident, text: str) -> Incident:
        quiet = sum(1 for line in incident.log if not line.aloud)
        if not text or quiet >= LINES_MAX or len(incident.log) >= ALOUD_LINES_MAX:
            return incident
        if quiet == LINES_MAX - 1:
            text = "What comes and goes from here on is only drawn into the message above."
        return incident.said(now=self.now, text=fitted(text))


def _muted(incident: Incident, now: datetime) -> bool:
    return incident.muted_until is not None and incident.muted_until > now


def _object(alert: Alert) -> tuple[str, str]:
    return (alert.finding.rule, alert.finding.subject)


def _moves(alerts: Sequence[Alert]) -> list[tuple[object, ...]]:
    """What is more than a figure."""
    return [
        (one.key, one.state, one.finding.severity, one.held_by, bool(one.stale)) for one in alerts
    ]
