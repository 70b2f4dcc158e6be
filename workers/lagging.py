"""Consumer groups in trouble, out of what the watch wrote into the ledger; for the gate on lag.

Counted are alerts that fire, also those that cannot be seen just now: what flickers and what a person
muted holds no batch. Groups that nobody runs are left out, since no copy stops a consumer.
"""

from __future__ import annotations

import logging

from changes.book import Book
from changes.incident import Alert, AlertState, Severity
from changes.lag_gate import LagSeen, Trouble
from changes.lifecycle import State
from changes.progress import present_step
from changes.request import Request
from ledger import Ledger, UnreadableEntry

log = logging.getLogger(__name__)

RULE = "consumer_lag"
HURT = frozenset({"falling behind", "over the SLO", "stalled"})
"""Kinds of that rule which copying may bring about."""


def lag_for(ledger: Ledger, request: Request) -> LagSeen | None:
    """Where the step at work asks for it; None = it does not, or nobody watches this cluster."""
    if request.state is not State.RUNNING:
        return None
    step = present_step(request)
    if step is None or not step.minds_lag:
        return None
    try:
        return lag_seen(ledger.watch_book(request.cluster))
    except UnreadableEntry as newer:
        log.warning("consumer lag holds nothing: %s", newer)
        return None


def lag_seen(book: Book) -> LagSeen | None:
    if book.at is None:
        return None
    return LagSeen(
        at=book.at,
        groups={
            one.finding.subject.removeprefix("group "): Trouble(
                kind=one.finding.kind, began_at=one.began_at, certain_at=one.since
            )
            for one in book.alerts
            if counts(one)
        },
    )


def counts(alert: Alert) -> bool:
    finding = alert.finding
    known = finding.rule == RULE and finding.kind in HURT and finding.severity >= Severity.WARN
    fires = alert.state is AlertState.FIRING
    return fires and known and not alert.held_by.startswith("mute")
