"""What an incident's message and thread say after this round.

1. An alert that is told for the first time opens an incident, or joins the open one of its family.
2. What must be heard is said aloud (`aloud`). Everything else is one quiet line, and is drawn.
3. When all alerts are over the message is redrawn as over, with one quiet line. A flapping one stays
   open until it has been quiet for half an hour.

The surprising truth: silence is kept by not changing the incident. Figures that moved a little are not
news; the message is redrawn at a pace that slows down with its age.
"""

from __future__ import annotations

from collections.abc import Sequence

from changes.incident import Alert, AlertState, Incident, Severity, duration_words
from watch import flapping
from watch.aloud import said_aloud
from watch.shown import LIVE, Shown
from watch.telling_round import FamilyRound
from watch.telling_words import details, held_by_words, is_over, objects, sentences

FIGURES_SECONDS_MIN = 60.0
FIGURES_SECONDS_MAX = 300.0
FIGURES_SHARE_OF_AGE = 0.05
"""A message an hour old is redrawn for mere figures every three minutes, never slower than five."""
STORM_PACE = 3


def tell(family: FamilyRound, incident: Incident | None) -> Incident | None:
    """The incident after this round: a new one; the same value when there is nothing to show."""
    if incident is not None:
        return _updated(family, incident)
    if any(_opens(family, one) for one in family.live):
        return _opened(family)
    return None


def _opens(family: FamilyRound, alert: Alert) -> bool:
    if alert.state is not AlertState.FIRING:
        return False
    if alert.finding.severity > Severity.INFO:
        return True
    return family.settings.post_infos and alert.fired_at == family.now


def _opened(family: FamilyRound) -> Incident:
    seen = family.shown(None)
    reasons = [held_by_words(family.released[one.key]) for one in family.back]
    after = [family.after_change[one.key] for one in family.back if one.key in family.after_change]
    incident = Incident(
        id="",
        cluster=family.cluster,
        family=family.family,
        opened_at=family.now,
        updated_at=family.now,
        alerts=seen.alerts,
        more=seen.more,
        told=max(one.finding.severity for one in family.live),
        told_at=family.now,
        critical_told_at=family.now,
        critical_since=family.now,
        remark=reasons[0] if reasons else "",
        after_change=after[0] if after else "",
    )
    incident = family.quiet(incident, details(family.live, family.settings.lines_shown_max))
    return _with_flapping(family, incident)


def _updated(family: FamilyRound, before: Incident) -> Incident:
    incident = _with_flapping(family, said_aloud(family, before))
    if not incident.flapping and not _lasts(family, incident):
        return _over(family, incident)
    seen = family.shown(before)
    if incident == before and not _due(family, before, seen):
        return before
    if not family.muted(incident):
        incident = family.quiet(incident, _quiet_news(family, incident, before))
    return incident.with_(alerts=seen.alerts, more=seen.more, updated_at=family.now)


def _with_flapping(family: FamilyRound, incident: Incident) -> Incident:
    """One line when it begins; nothing but edits until its end."""
    if incident.flapping:
        return incident if family.restless else incident.with_(flapping=False)
    wild = [one for one in family.alerts if flapping.flapping(one, family.now)]
    if not wild:
        return incident
    length = duration_words(flapping.QUIET.total_seconds())
    words = (
        f"Flapping: {objects(wild, family.settings.lines_shown_max)}. From here on only the message "
        f"above is redrawn, until nothing has come or gone for {length}."
    )
    incident = incident.with_(flapping=True)
    return incident if family.muted(incident) else family.quiet(incident, words)


def _lasts(family: FamilyRound, incident: Incident) -> bool:
    """Information alone does not keep an incident open that was about more."""
    told = incident.told or Severity.INFO
    floor = Severity.WARN if told > Severity.INFO else Severity.INFO
    return any(one.state in LIVE and one.peak >= floor for one in family.alerts)


def _over(family: FamilyRound, incident: Incident) -> Incident:
    seen = family.shown_at_the_end(incident)
    over = incident.with_(
        alerts=seen.alerts, more=seen.more, ended_at=family.now, updated_at=family.now
    )
    unheard = bool(seen.alerts) and all(one.held_by.startswith("mute") for one in seen.alerts)
    if family.muted(incident) or unheard:
        return over
    worst = incident.told or over.severity
    seconds = (family.now - incident.opened_at).total_seconds()
    return family.quiet(over, is_over(seconds, worst))


def _due(family: FamilyRound, before: Incident, seen: Shown) -> bool:
    """Is there something to draw, and was the last drawing long enough ago?"""
    if before.alerts == seen.alerts and before.more == seen.more:
        return False
    since = (family.now - (before.updated_at or before.opened_at)).total_seconds()
    storm = len(family.live) + family.left_out >= family.settings.storm_alerts
    pace = family.settings.redraw_seconds * (STORM_PACE if storm else 1)
    if _moves(before.alerts) == _moves(seen.alerts):
        age_seconds = (family.now - before.opened_at).total_seconds()
        figures = min(FIGURES_SECONDS_MAX, FIGURES_SHARE_OF_AGE * age_seconds)
        pace = max(pace, FIGURES_SECONDS_MIN, figures)
    return since >= pace - 1  # rounds are not exactly as far apart as they should be


def _moves(alerts: Sequence[Alert]) -> list[tuple[object, ...]]:
    """What is more than a figure."""
    return [
        (one.key, one.state, one.finding.severity, one.held_by, bool(one.stale)) for one in alerts
    ]


def _quiet_news(family: FamilyRound, incident: Incident, before: Incident) -> str:
    """One line for all that came, changed and went since the message was drawn last."""
    most = family.settings.lines_shown_max
    aloud = incident.told_at == family.now  # then the line before this one named what came
    came = [] if aloud else family.steady(incident, family.new(before))
    changed = [] if aloud else family.steady(incident, _changed(family, before))
    went = family.steady(incident, _went(family, before))
    parts = [
        f"Also: {sentences(came, most, more=family.left_out)}" if came else "",
        f"Now: {sentences(changed, most)}" if changed else "",
        f"Over: {objects(went, most)}" if went else "",
    ]
    return "\n".join(part for part in parts if part)


def _changed(family: FamilyRound, before: Incident) -> list[Alert]:
    """Worse than it was shown, or the same object in another kind of trouble."""
    was = {_object(one): one.finding for one in before.alerts}
    known = [one for one in family.live if one.fired_at != family.now and _object(one) in was]
    return [
        one
        for one in known
        if was[_object(one)].kind != one.finding.kind
        or one.finding.severity > was[_object(one)].severity
    ]


def _went(family: FamilyRound, before: Incident) -> list[Alert]:
    since = before.updated_at or before.opened_at
    return [
        one
        for one in family.alerts
        if one.state is AlertState.RESOLVED
        and one.ended_at is not None
        and one.ended_at > since
        and not one.held_by
    ]


def _object(alert: Alert) -> tuple[str, str]:
    return (alert.finding.rule, alert.finding.subject)
