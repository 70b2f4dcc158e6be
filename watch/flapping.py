"""How restless an alert is: +1 for every edge, halved each 15 minutes; from 4 on it is flapping.

An edge is a turn of the thing itself (it got bad, it got good), not of what people were told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from changes.incident import Alert

HALVED_EACH_SECONDS = 900.0
FLAPPING_FROM = 4.0
QUIET = timedelta(minutes=30)
TAME_BELOW = 2.0
FORGOTTEN_BELOW = 0.25
"""A score that a single edge needs half an hour to fall to."""


def score(alert: Alert, now: datetime) -> float:
    if alert.flaps_at is None:
        return 0.0
    seconds = max(0.0, (now - alert.flaps_at).total_seconds())
    return alert.flaps * float(2 ** (-seconds / HALVED_EACH_SECONDS))


def with_edge(alert: Alert, now: datetime) -> Alert:
    return alert.with_(flaps=score(alert, now) + 1, flaps_at=now)


def flapping(alert: Alert, now: datetime) -> bool:
    """It flapped at its last edge, and that is not long enough ago."""
    return alert.flaps >= FLAPPING_FROM and restless(alert, now)


def tame(alert: Alert, now: datetime) -> bool:
    """It came, or came and went, and no more than that lately: news also where something else flaps."""
    return score(alert, now) < TAME_BELOW


def restless(alert: Alert, now: datetime) -> bool:
    return alert.flaps_at is not None and now - alert.flaps_at < QUIET
