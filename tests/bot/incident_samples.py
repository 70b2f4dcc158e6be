"""Incidents as the watch would store them, for cards, messages and answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from changes.book import Book
from changes.incident import (
    Alert,
    AlertState,
    Family,
    Finding,
    Incident,
    Severity,
    Trend,
    TrendLine,
)
from ledger import Ledger

CLUSTER = "orders-prod"
NOW = datetime(2026, 3, 4, 18, 4, 20, tzinfo=UTC)


def trend(*names: str, points: int = 12, began: datetime = NOW) -> Trend:
    """Lines that rise, each from its own height."""
    return Trend(
        title="Unread messages",
        unit="messages",
        lines=tuple(
            TrendLine(
                name=name,
                points=tuple(
                    (began + timedelta(seconds=30 * at), 1_000.0 * (place + 1) + 1_700 * at)
                    for at in range(points)
                ),
            )
            for place, name in enumerate(names or ("payments",))
        ),
    )


def finding(subject: str = "group payments", **more: Any) -> Finding:
    given = {
        "rule": "consumer_lag",
        "kind": "stopped",
        "family": Family.CONSUMERS,
        "subject": subject,
        "severity": Severity.WARN,
        "words": "stopped: 18,240 messages unread, the oldest for 4 min",
    }
    return Finding.model_validate(given | more)


def alert(subject: str = "group payments", **more: Any) -> Alert:
    """Firing since a minute, unless told otherwise; what a finding has goes to the finding."""
    own = {name: more.pop(name) for name in list(more) if name in Alert.model_fields}
    found = finding(subject, **more)
    given = {
        "state": AlertState.FIRING,
        "finding": found,
        "since": NOW,
        "began_at": NOW,
        "fired_at": NOW + timedelta(minutes=1),
        "peak": found.severity,
    }
    return Alert.model_validate(given | own)


def incident(*alerts: Alert, **more: Any) -> Incident:
    given = {
        "id": "I-12",
        "cluster": CLUSTER,
        "family": Family.CONSUMERS,
        "opened_at": NOW,
        "alerts": alerts or (alert(),),
        "told": Severity.WARN,
    }
    return Incident.model_validate(given | more)


def over(one: Incident, *, minutes: int = 12) -> Incident:
    """The same when all of it is fine again."""
    end = one.opened_at + timedelta(minutes=minutes)
    alerts = tuple(
        found.with_(state=AlertState.RESOLVED, since=end, ended_at=end) for found in one.alerts
    )
    return one.with_(alerts=alerts, ended_at=end)


def opened(ledger: Ledger, *incidents: Incident) -> tuple[Incident, ...]:
    """Saved as the watch saves a round; new ones get their ids."""
    book = ledger.watch_book(CLUSTER)
    fresh = [one.with_(id="") if one.version == 0 else one for one in incidents]
    before = {one.id for one in book.incidents}
    saved: Book = ledger.save_watch(CLUSTER, book, fresh, expected_version=book.version)
    known = {one.id for one in fresh if one.id}
    return tuple(one for one in saved.incidents if one.id not in before or one.id in known)
