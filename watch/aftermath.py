"""Changes as the watch follows them: what they hold back, and what became of the figures after them.

1. A lease appears: from then on the change holds back what it explains. Figures of alerts that people
   know of are written down.
2. What is held back is noted in the change's thread, each alert once, and summed up at the end.
3. After the end a grace, for lag has to drain and copies to settle; then all is judged afresh, and each
   incident is told what became of its figures, also one that is over by then.

The surprising truth: a lease that vanishes without an end means a dead worker. Nothing is held back
from that moment on; if another worker takes the change over, nothing is noted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from changes.book import HELD_MAX, Before, WatchedChange
from changes.excuses import ChangeLease
from changes.incident import Alert, AlertState, Incident, duration_words
from watch.incident_settings import IncidentSettings
from watch.sightings import Sightings, any_kind
from watch.telling_words import fitted, harmless, objects, sentences

GRACE_SECONDS_MAX = 3600.0
"""However slow a group was: an hour later people want to know."""
DRAINS = 2
FORGOTTEN = timedelta(hours=2)
"""After its lease was seen last."""
BEFORE_MAX = 100
SAME_SHARE = 0.02
"""Figures this near to each other are the same."""
CHECKS_SAID_MAX = 5

Notes = tuple[tuple[str, str], ...]


def followed(
    changes: Sequence[WatchedChange],
    leases: Iterable[ChangeLease],
    *,
    drain_seconds: float,
    settings: IncidentSettings,
    now: datetime,
) -> tuple[WatchedChange, ...]:
    """The changes with what their leases say now."""
    known = {one.lease.request_id: one for one in changes}
    grace = max(settings.grace_minutes * 60, min(GRACE_SECONDS_MAX, DRAINS * drain_seconds))
    found: dict[str, WatchedChange] = {}
    for lease in leases:
        runs = lease.ended_at is None
        before = known.get(lease.request_id)
        lease = _not_ahead(lease, before, now)
        if before is None:
            before = WatchedChange(lease=lease, seen_at=now, runs=runs, grace_seconds=grace)
        found[lease.request_id] = before.with_(lease=lease, seen_at=now, runs=runs)
    for request_id, one in known.items():
        if request_id not in found and _still_matters(one, now):
            found[request_id] = one.with_(runs=False)
    return tuple(found.values())


def _not_ahead(lease: ChangeLease, before: WatchedChange | None, now: datetime) -> ChangeLease:
    """Its end by the watch's clock: a worker's that is ahead would make the grace last for hours."""
    if lease.ended_at is None:
        return lease
    known = before.lease.ended_at if before else None
    return lease.with_(ended_at=min(lease.ended_at, known or now, now))


def _still_matters(change: WatchedChange, now: datetime) -> bool:
    waits = change.lease.ended_at is not None and not change.judged
    return waits or now - change.seen_at < FORGOTTEN


class Noted(NamedTuple):
    changes: tuple[WatchedChange, ...]
    notes: Notes


def noted(
    changes: Sequence[WatchedChange],
    alerts: Sequence[Alert],
    incidents: Sequence[Incident],
    *,
    figures: Mapping[str, float],
    most: int,
    now: datetime,
) -> Noted:
    """Write down what is held back, for the changes' threads, and the figures of what is known.

    `figures`: those of the last round, by alert.
    """
    after, notes = [], []
    for change in changes:
        held = [one for one in alerts if one.held_by == change.lease.request_id]
        change, words = _with_held(change, held, most)
        change, more = _summed_up(change, alerts, most, now)
        after.append(_with_figures(change, incidents, figures))
        notes += [(change.lease.request_id, text) for text in (words, more) if text]
    return Noted(tuple(after), tuple(notes))


def _with_held(
    change: WatchedChange, held: Sequence[Alert], most: int
) -> tuple[WatchedChange, str]:
    fresh = [one for one in held if one.key not in change.held]
    if not fresh:
        return change, ""
    room = max(0, HELD_MAX - len(change.held))
    keys = (*change.held, *(one.key for one in fresh[:room]))
    phase = "runs" if change.lease.ended_at is None else "settles"
    words = f"Held back while this {phase}: {sentences(fresh, most)}"
    if room == 0:  # a storm: what has no room to be remembered cannot be noted once
        return change.with_(held_more=max(change.held_more, len(fresh))), ""
    counted = max(0, len(fresh) - room)
    return change.with_(held=keys, held_more=max(change.held_more, counted)), fitted(words)


def _summed_up(
    change: WatchedChange, alerts: Sequence[Alert], most: int, now: datetime
) -> tuple[WatchedChange, str]:
    ended = change.lease.ended_at
    if change.summed_up or ended is None:
        return change, ""
    change = change.with_(summed_up=True)
    if not change.held:
        return change, ""
    keys = set(change.held)
    still = [one for one in alerts if one.key in keys and one.state is AlertState.FIRING]
    count = len(change.held) + change.held_more
    words = f"Held back while this ran: {count:,} alert{'' if count == 1 else 's'}"
    left = ended + timedelta(seconds=change.grace_seconds) - now
    if still:
        wait = duration_words(max(0.0, left.total_seconds()))
        return change, fitted(
            f"{words}; {objects(still, most)} not over yet, judged afresh in {wait}"
        )
    return change, f"{words}, all over by now"


def _with_figures(
    change: WatchedChange, incidents: Sequence[Incident], figures: Mapping[str, float]
) -> WatchedChange:
    """While it runs: figures of alerts that people know of, as they were seen first."""
    if not change.runs:
        return change
    known = {one.key for one in change.before}
    fresh = [
        Before(
            key=alert.key,
            subject=alert.finding.subject,
            incident_id=incident.id,
            measure=figures.get(alert.key, alert.finding.measure),
            measure_words=alert.finding.measure_words,
            more_is_better=alert.finding.more_is_better,
        )
        for incident in incidents
        if incident.id and incident.ended_at is None
        for alert in incident.alerts
        if alert.state is AlertState.FIRING
        and alert.finding.measure is not None
        and alert.key not in known
    ]
    room = max(0, BEFORE_MAX - len(change.before))
    return change.with_(before=(*change.before, *fresh[:room])) if fresh[:room] else change


class Judged(NamedTuple):
    changes: tuple[WatchedChange, ...]
    checks: Mapping[str, tuple[str, ...]]
    """By incident: what became of its figures."""


def judged(
    changes: Sequence[WatchedChange],
    alerts: Sequence[Alert],
    sightings: Sightings,
    *,
    now: datetime,
) -> Judged:
    """When a grace is over: what became of the figures."""
    current = {one.key: one for one in alerts}
    firing = {any_kind(one.finding): one for one in alerts if one.state is AlertState.FIRING}
    after, checks = [], dict[str, list[str]]()
    for change in changes:
        due = change.lease.ended_at is not None and not change.in_grace(now) and not change.judged
        if due:
            for one in change.before:
                alert = current.get(one.key)
                if alert is None or alert.state is not AlertState.FIRING:
                    # Over under that name only: what was stalled may fall behind by now.
                    alert = firing.get(_any_kind_of(one.key), alert)
                words = _became(one, alert, sightings)
                checks.setdefault(one.incident_id, []).append(
                    f"after {change.lease.request_id}: {words}"
                )
            change = change.with_(judged=True)
        after.append(change)
    return Judged(tuple(after), {key: tuple(words) for key, words in checks.items()})


def _any_kind_of(key: str) -> str:
    rule, _, subject = key.split("/", 2)
    return f"{rule}//{subject}"


def checked(incident: Incident, words: Sequence[str], now: datetime) -> Incident:
    """The incident that says what became of its figures; one line for all of them."""
    more = len(words) - CHECKS_SAID_MAX
    said = [f"{one[0].upper()}{one[1:]}" for one in words[:CHECKS_SAID_MAX]]
    text = "\n".join(said) + (f"\nand {more} more" if more > 0 else "")
    kept = (*incident.checked, *words)[-BEFORE_MAX:]
    return incident.with_(checked=kept, updated_at=now).said(now=now, text=fitted(text))


def _became(before: Before, alert: Alert | None, sightings: Sightings) -> str:
    name = harmless(before.measure_words or before.subject)
    was = figure(before.measure)
    if alert is not None and alert.stale:
        return f"{name} was {was}, and cannot be seen just now"
    fires = alert is not None and alert.state is AlertState.FIRING
    if fires and alert and alert.finding.measure_words != before.measure_words:
        return f"{name} was {was}, and now: {harmless(alert.finding.words)}"
    now = alert.finding.measure if alert and fires else sightings.measures.get(before.key)
    if now is None:
        return (
            f"{name} was {was}, and no longer needs anybody" if not fires else f"{name} was {was}"
        )
    return f"{name} {was} → {figure(now)}, {_verdict(before, now, fires=fires)}"


def _verdict(before: Before, now: float, *, fires: bool) -> str:
    was = before.measure
    if not fires:
        return "better"
    if abs(now - was) <= SAME_SHARE * max(abs(was), abs(now)):
        return "as before"
    return "better, but not over" if (now > was) is before.more_is_better else "worse"


def figure(value: float) -> str:
    """`1.62`, `42`, `1,200`, `0`."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")
