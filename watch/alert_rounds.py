"""One round moves every alert of a cluster one event on, through the table in `changes.incident`.

1. Found again: seen. In between: an alert that fires stays, one that waits to fire is dropped.
2. Not found, but not looked at either: stays as it is, marked stale, and waiting times stand still.
3. Not found: gone; after `keep` it is over.
4. Found for the first time: pending; after `for` it fires. When the same object was already firing for
   another kind of the same rule (stopped became stalled), the alert goes on under the new kind instead.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from changes.book import ALERTS_MAX
from changes.incident import Alert, AlertEvent, AlertState, Finding, Severity, alert_after
from watch.flapping import FORGOTTEN_BELOW, score, with_edge
from watch.incident_settings import IncidentSettings
from watch.sightings import Sightings, any_kind

SLACK_SECONDS = 1.0
"""Rounds are not exactly as far apart as they should be: 59.8 s count for a minute."""
REMEMBERED = timedelta(hours=2)
"""What was told is remembered so long after its end, however still it is."""


@dataclass(frozen=True)
class Step:
    """One round as every alert sees it."""

    sightings: Sightings
    rules: Set[str]
    settings: IncidentSettings
    now: datetime
    passed: timedelta
    """Since the last round."""


@dataclass(frozen=True)
class Moved:
    alerts: tuple[Alert, ...] = ()
    vanished: tuple[Alert, ...] = ()
    """Over before anybody was told, though seen in more than one moment."""
    left_out: tuple[Finding, ...] = ()
    """Beyond `ALERTS_MAX`."""


def moved(alerts: Sequence[Alert], step: Step) -> Moved:
    carried = _with_successors(alerts, step)
    known = {one.key for one in carried}
    after = [_next(one, step) for one in carried]
    fresh = [one for key, one in step.sightings.triggers.items() if key not in known]
    fresh.sort(key=lambda one: -one.severity)
    remembered = [one for one in after if _remembered(one, step.now)]
    kept, displaced = _with_room(remembered, fresh)
    room = max(0, ALERTS_MAX - len(kept))
    begun = [_begun(finding, step) for finding in fresh[:room]]
    still_bad = tuple(one.finding for one in displaced if one.state is not AlertState.RESOLVED)
    return Moved(
        alerts=(*kept, *begun),
        vanished=tuple(one for one in after if _vanished(one, step.now)),
        left_out=(*fresh[room:], *still_bad),
    )


def _with_room(
    alerts: list[Alert], fresh: Sequence[Finding]
) -> tuple[Sequence[Alert], Sequence[Alert]]:
    """The alerts that go on being followed, and those that make room for something worse.

    What is over goes first, then what is least severe. A book that thousands of groups have filled must
    not keep out the one partition that is offline.
    """
    wanting = fresh[max(0, ALERTS_MAX - len(alerts)) :]
    if not wanting:
        return alerts, ()
    least_first = sorted(range(len(alerts)), key=lambda at: _worth(alerts[at]))
    goes = set()
    for at, finding in zip(least_first, wanting, strict=False):
        if _worth(alerts[at]) >= (finding.severity, False):
            break
        goes.add(at)
    kept = [one for at, one in enumerate(alerts) if at not in goes]
    return kept, [alerts[at] for at in sorted(goes)]


def _worth(alert: Alert) -> tuple[int, bool]:
    """What people know of stays before what they do not."""
    if alert.state is AlertState.RESOLVED:
        return (0, False)
    return (alert.finding.severity, alert.fired_at is not None)


def _with_successors(alerts: Sequence[Alert], step: Step) -> list[Alert]:
    """Alerts that fire on as another kind of the same rule and object take its finding over."""
    known = {one.key for one in alerts if one.state is not AlertState.RESOLVED}
    taken: set[str] = set()
    heirs = {
        any_kind(finding): finding
        for key, finding in step.sightings.triggers.items()
        if key not in known
    }
    after = []
    for one in alerts:
        heir = heirs.get(any_kind(one.finding)) if one.state is AlertState.FIRING else None
        if heir is None or step.sightings.trigger(one.key) or one.key in step.sightings.betweens:
            after.append(one)
        else:
            del heirs[any_kind(heir)]
            taken.add(heir.key)
            after.append(one.with_(finding=heir))
    # What was over under that name is the same trouble again: it is remembered once.
    over = AlertState.RESOLVED
    return [one for one in after if not (one.state is over and one.key in taken)]


def _next(alert: Alert, step: Step) -> Alert:
    if alert.finding.rule not in step.rules:
        return _move(alert, AlertEvent.DROPPED, step.now)
    if finding := step.sightings.trigger(alert.key):
        return _seen(alert, finding, step)
    if finding := step.sightings.between(alert):
        return _weighed(_move(_showing(alert, finding), AlertEvent.BETWEEN, step.now), step.now)
    if words := step.sightings.unseen_words(alert):
        return _unseen(alert, words, step)
    return _gone(alert, step)


def _begun(finding: Finding, step: Step) -> Alert:
    alert = Alert(state=AlertState.PENDING, finding=finding, since=step.now, began_at=step.now)
    return _held_long_enough(alert, step.now)


def _seen(alert: Alert, finding: Finding, step: Step) -> Alert:
    was = alert.state
    if alert.finding != finding or alert.stale:
        alert = alert.with_(finding=finding, stale="")
    after = _move(alert, AlertEvent.SEEN, step.now)
    if was is AlertState.RESOLVED:
        after = after.with_(began_at=step.now, fired_at=None, ended_at=None, held_by="")
        after = after.with_(peak=finding.severity, critical_at=None, first_critical_at=None)
    if was is AlertState.RESOLVING:
        after = with_edge(after, step.now)
    return _held_long_enough(after, step.now)


def _held_long_enough(alert: Alert, now: datetime) -> Alert:
    if alert.state is AlertState.PENDING and _waited(alert, now, alert.finding.for_seconds):
        alert = with_edge(_move(alert, AlertEvent.HELD, now), now)
    return _weighed(alert, now)


def _weighed(alert: Alert, now: datetime) -> Alert:
    """With its worst so far, and since when it is critical."""
    if alert.state is AlertState.FIRING and alert.finding.severity > alert.peak:
        alert = alert.with_(peak=alert.finding.severity)
    if alert.state in (AlertState.PENDING, AlertState.RESOLVED):
        return alert
    critical = alert.finding.severity is Severity.CRIT
    if critical == (alert.critical_at is not None):
        return alert
    if not critical:
        return alert.with_(critical_at=None)
    return alert.with_(critical_at=now, first_critical_at=alert.first_critical_at or now)


def _unseen(alert: Alert, words: str, step: Step) -> Alert:
    """Neither good nor bad: nothing moves, and what waits waits on."""
    if alert.state in (AlertState.PENDING, AlertState.RESOLVING):
        alert = alert.with_(since=min(step.now, alert.since + step.passed))
    same = alert.state is AlertState.RESOLVED or alert.stale == words
    return alert if same else alert.with_(stale=words)


def _gone(alert: Alert, step: Step) -> Alert:
    was = alert.state
    after = _move(alert.with_(stale=""), AlertEvent.GONE, step.now)
    if was is AlertState.FIRING:
        after = with_edge(after, step.now)
    keep = max(alert.finding.keep_seconds, step.settings.keep_minutes_min * 60)
    if after.state is AlertState.RESOLVING and _waited(after, step.now, keep):
        return _move(after, AlertEvent.CLEARED, step.now)
    return after


def _move(alert: Alert, event: AlertEvent, now: datetime) -> Alert:
    to = alert_after(alert.state, event)
    if to is alert.state:
        return alert
    ended = {"ended_at": now, "stale": ""} if to is AlertState.RESOLVED else {}
    return alert.with_(state=to, since=now, **ended)


def _showing(alert: Alert, between: Finding) -> Alert:
    """What it says now, under the name it has; what opens nothing makes nothing worse either."""
    severity = min(between.severity, alert.finding.severity)
    finding = between.with_(kind=alert.finding.kind, severity=severity)
    return alert if alert.state is AlertState.RESOLVED else alert.with_(finding=finding, stale="")


def _waited(alert: Alert, now: datetime, seconds: float) -> bool:
    return (now - alert.since).total_seconds() >= seconds - SLACK_SECONDS or seconds <= 0


def _remembered(alert: Alert, now: datetime) -> bool:
    """What is over stays while its restlessness counts, or while it may still have to be told."""
    if alert.state is not AlertState.RESOLVED or alert.ended_at is None:
        return True
    if score(alert, now) >= FORGOTTEN_BELOW:
        return True
    return alert.fired_at is not None and now - alert.ended_at < REMEMBERED


def _vanished(alert: Alert, now: datetime) -> bool:
    untold = alert.fired_at is None and not alert.held_by
    return (
        alert.state is AlertState.RESOLVED
        and alert.ended_at == now
        and untold
        and alert.began_at < now
    )
