"""From what the rules saw to what people are told: one round of one cluster. Pure, and no clock.

1. Every alert moves on (`alert_rounds`). 2. What holds it back is asked: mutes, running changes, alerts
of the same cause (`hushing`). 3. Each family's incident says what is news (`telling`). 4. Changes get
their notes, and after them incidents get their checks (`aftermath`).

The surprising truth: nothing here is queued for telling. News is the difference between the book and
what the incidents show, so a round that was lost, or judged twice, tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from changes.book import PAST_DAYS, PAST_MAX, Book, FamilyMute, WatchedChange
from changes.excuses import ChangeLease
from changes.incident import (
    Alert,
    AlertState,
    Family,
    Incident,
    Line,
    Mute,
    Severity,
    duration_words,
)
from watch import aftermath, one_off
from watch.alert_rounds import Moved, Step, moved
from watch.flapping import restless
from watch.hushing import Hush, Hushed
from watch.in_step import in_step
from watch.incident_settings import IncidentSettings
from watch.offers import offered_now
from watch.rule import Looked, Rule
from watch.shown import slimmed
from watch.sightings import Sightings, sighted
from watch.telling import tell
from watch.telling_round import FamilyRound
from watch.telling_words import fitted, sentence

PAST_LINES_A_ROUND = 5
PAUSE_SCANS = 3
"""A gap of fewer looks is no pause, whatever `pause_minutes` says: else nothing would ever be told."""


class Evaluated(NamedTuple):
    book: Book
    incidents: tuple[Incident, ...]
    """Those that changed; new ones have no id yet."""
    notes: tuple[tuple[str, str], ...]
    """(request id, words): lines for the threads of changes."""


def evaluate(
    book: Book,
    looked: Looked,
    *,
    rules: Sequence[Rule[Any] | type[Rule[Any]]],
    leases: Iterable[ChangeLease],
    mutes: Sequence[Mute],
    settings: IncidentSettings,
    now: datetime,
    drain_seconds: float = 0.0,
    scan_seconds: float = 0.0,
    clock_set_by: timedelta = timedelta(0),
) -> Evaluated:
    """The book after this round, and what there is to tell.

    `rules` are those that looked: alerts of others end. `drain_seconds`: how long the slowest consumer
    group needs to catch up at its present pace; it decides the grace of a change that begins now.
    `clock_set_by`: by how much the clock was set since the last round.
    """
    pause = timedelta(seconds=max(60 * settings.pause_minutes, PAUSE_SCANS * scan_seconds))
    book = in_step(book, now=now, set_by=clock_set_by, pause=pause)
    ours = [one for one in leases if one.cluster == book.cluster]
    changes = aftermath.followed(
        book.changes, ours, drain_seconds=drain_seconds, settings=settings, now=now
    )
    sightings = sighted(offered_now(looked, changes, now))
    stepped = _moved(book, sightings, rules, settings, now)
    muted = _family_mutes(book, now)
    hushed = _hushed(book, stepped, rules, changes, mutes, muted, now)
    incidents = _told(book, hushed, stepped, changes, settings, now)
    noted = aftermath.noted(
        changes,
        hushed.alerts,
        incidents,
        figures=_figures(book.alerts),
        most=settings.lines_shown_max,
        now=now,
    )
    judged = aftermath.judged(noted.changes, hushed.alerts, sightings, now=now)
    kinds, third = one_off.counted(book.one_off, _just_told(hushed.alerts, now))
    incidents = _with_checks(incidents, judged.checks, now)
    incidents = _with_hints(incidents, third, now)
    after = book.with_(
        at=now,
        alerts=slimmed(hushed.alerts),
        left_out=len(stepped.left_out),
        muted=muted,
        changes=judged.changes,
        past=_past(book.past, stepped.vanished, hushed.alerts, now),
        one_off=kinds,
    )
    before = {one.id: one for one in book.incidents}
    changed = tuple(one for one in incidents if one != before.get(one.id))
    return Evaluated(after, changed, noted.notes)


def _moved(
    book: Book,
    sightings: Sightings,
    rules: Iterable[Rule[Any] | type[Rule[Any]]],
    settings: IncidentSettings,
    now: datetime,
) -> Moved:
    step = Step(
        sightings=sightings,
        rules={one.name for one in rules},
        settings=settings,
        now=now,
        passed=max(timedelta(0), now - (book.at or now)),
    )
    return moved(book.alerts, step)


def _family_mutes(book: Book, now: datetime) -> tuple[FamilyMute, ...]:
    """Mutes of messages: those that hold now, and those of messages that are over."""
    known = {one.incident_id: one for one in book.muted if one.until > now}
    before = dict(known)
    for one in book.incidents:
        holds = one.muted_until is not None and one.muted_until > now
        if one.ended_at is None or not holds:
            known.pop(one.id, None)
        if one.ended_at is None and one.muted_until is not None and holds:
            same = before.get(one.id)
            if same is not None and (same.by, same.until) == (one.muted_by, one.muted_until):
                known[one.id] = same  # muted at what it was then, however bad it became
                continue
            known[one.id] = FamilyMute(
                family=one.family,
                incident_id=one.id,
                by=one.muted_by,
                until=one.muted_until,
                severity=one.told or Severity.INFO,
                known=tuple(alert.key for alert in one.firing if alert.finding.grave),
            )
    return tuple(known.values())


def _hushed(
    book: Book,
    stepped: Moved,
    rules: Iterable[Rule[Any] | type[Rule[Any]]],
    changes: Sequence[WatchedChange],
    mutes: Sequence[Mute],
    family_mutes: Sequence[FamilyMute],
    now: datetime,
) -> Hushed:
    return Hush(
        excused_by={one.name: one.excused_by for one in rules},
        changes=changes,
        mutes=[one for one in mutes if one.cluster == book.cluster],
        family_mutes=family_mutes,
        open_incidents=frozenset(one.id for one in book.incidents if one.ended_at is None),
        now=now,
    ).of(stepped.alerts)


def _told(
    book: Book,
    hushed: Hushed,
    stepped: Moved,
    changes: Sequence[WatchedChange],
    settings: IncidentSettings,
    now: datetime,
) -> list[Incident]:
    """Every incident of the book after this round, and the new ones."""
    ended = {
        one.lease.request_id
        for one in changes
        if one.lease.ended_at is not None and not one.in_grace(now)
    }
    after_change = {key: by for key, by in hushed.released.items() if by in ended}
    shown = {one.family: one for one in book.incidents if one.ended_at is None}
    others = [one for one in book.incidents if one is not shown.get(one.family)]
    found = list(others)
    for family in Family:
        alerts = [one for one in hushed.alerts if one.finding.family is family]
        told = tell(
            FamilyRound(
                cluster=book.cluster,
                family=family,
                alerts=[one for one in alerts if _known(one)],
                held=[one for one in alerts if one.held_by and one.fired_at is None],
                released=hushed.released,
                after_change=after_change,
                settings=settings,
                now=now,
                left_out=sum(1 for one in stepped.left_out if one.family is family),
                restless=any(restless(one, now) for one in alerts),
            ),
            shown.get(family),
        )
        if told is not None:
            found.append(told)
    return found


def _known(alert: Alert) -> bool:
    """Were people told of it, as of the last time it fired?"""
    return alert.fired_at is not None and alert.state is not AlertState.PENDING


def _figures(alerts: Iterable[Alert]) -> dict[str, float]:
    """As of the last round: when a lease is seen first, its change may have done something already."""
    return {one.key: one.finding.measure for one in alerts if one.finding.measure is not None}


def _just_told(alerts: Iterable[Alert], now: datetime) -> list[Alert]:
    return [one for one in alerts if one.fired_at == now]


def _with_checks(
    incidents: Iterable[Incident], checks: Mapping[str, Sequence[str]], now: datetime
) -> list[Incident]:
    return [
        aftermath.checked(one, checks[one.id], now) if one.id in checks else one
        for one in incidents
    ]


def _with_hints(
    incidents: Iterable[Incident], patterns: Sequence[str], now: datetime
) -> list[Incident]:
    after = list(incidents)
    for pattern in patterns:
        for at, one in enumerate(after):
            if one.ended_at is None and any(_fits(alert, pattern) for alert in one.alerts):
                after[at] = one.said(now=now, text=one_off.hint(pattern))
                break
    return after


def _fits(alert: Alert, pattern: str) -> bool:
    return one_off.kind_of(alert).partition("/")[2] == pattern


def _past(
    past: Sequence[Line], vanished: Sequence[Alert], alerts: Iterable[Alert], now: datetime
) -> tuple[Line, ...]:
    """What was over before anybody was told: seen too short, or held back until its end."""
    held = [
        one
        for one in alerts
        if one.state is AlertState.RESOLVED
        and one.ended_at == now
        and one.fired_at is None
        and one.held_by
    ]
    over = [*vanished, *held]
    lines = [Line(at=now, text=fitted(_over_unsaid(one, now))) for one in over]
    if len(lines) > PAST_LINES_A_ROUND:
        more = len(lines) - PAST_LINES_A_ROUND
        lines = [*lines[:PAST_LINES_A_ROUND], Line(at=now, text=f"and {more:,} more like these")]
    oldest = now - timedelta(days=PAST_DAYS)
    return tuple(one for one in (*past, *lines) if one.at >= oldest)[-PAST_MAX:]


def _over_unsaid(alert: Alert, now: datetime) -> str:
    length = duration_words((now - alert.began_at).total_seconds())
    why = f"held back by {alert.held_by}" if alert.held_by else "before anybody was told"
    return f"{sentence(alert)}; over after {length}, {why}"
