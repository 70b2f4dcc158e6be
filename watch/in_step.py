"""The book as a round may count with it, when time did not pass as the wall clock says.

1. A watch that was away for long saw nothing meanwhile, and a clock that was set forward did not let time
   pass: what waits (to fire, to be over) waits as long as it has to.
2. A clock that went back leaves no moment in the future, else what comes next would be older than what
   people were told, and no news.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from changes.book import Book
from changes.incident import Alert, AlertState, Incident

JUST_BEFORE = timedelta(seconds=1)
"""Moments of the future become those of the last round, so that this one is later."""
WAITING = (AlertState.PENDING, AlertState.RESOLVING)
ALERT_MOMENTS = (
    "since",
    "began_at",
    "fired_at",
    "ended_at",
    "critical_at",
    "first_critical_at",
    "flaps_at",
)
INCIDENT_MOMENTS = (
    "opened_at",
    "ended_at",
    "updated_at",
    "told_at",
    "critical_told_at",
    "critical_since",
    "acked_at",
    "escalated_at",
    "muted_at",
)

T = TypeVar("T", Alert, Incident)


def in_step(book: Book, *, now: datetime, set_by: timedelta, pause: timedelta) -> Book:
    """`set_by`: how far the clock was set forward since the last round, as far as anybody noticed;
    `pause`: from which gap on nobody looked."""
    if book.at is None:
        return book
    if now < book.at:
        last = now - JUST_BEFORE
        return book.with_(
            alerts=tuple(_not_after(last, one, ALERT_MOMENTS) for one in book.alerts),
            incidents=tuple(_not_after(last, one, INCIDENT_MOMENTS) for one in book.incidents),
        )
    gap = now - book.at
    by = gap if gap > pause else min(gap, max(timedelta(0), set_by))
    return book.with_(alerts=tuple(_waiting_on(one, by) for one in book.alerts)) if by else book


def _waiting_on(alert: Alert, by: timedelta) -> Alert:
    return alert.with_(since=alert.since + by) if alert.state in WAITING else alert


def _not_after(last: datetime, one: T, names: tuple[str, ...]) -> T:
    later = [name for name in names if (at := getattr(one, name)) is not None and at > last]
    return one.with_(**dict.fromkeys(later, last)) if later else one
