"""Which alerts an incident keeps in detail: the worst, then what is held back, then what is over.

The surprising truth: a storm must fit into one message and one entry. Beyond `DETAIL_MAX` alerts are
counted; charts and lines are kept for the few that anybody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from changes.incident import Alert, AlertState, Incident

DETAIL_MAX = 200
LINES_FOR = 20
TRENDS_FOR = 3
BOOK_LINES_FOR = 200
BOOK_TRENDS_FOR = 20
"""The book keeps more than one message shows: what cannot be seen next time is shown from it."""
LIVE = (AlertState.FIRING, AlertState.RESOLVING)


class Shown(NamedTuple):
    alerts: tuple[Alert, ...]
    more: int
    """Alerts that fire and are not among them."""


def shown(alerts: Sequence[Alert], before: Incident | None, *, more: int = 0) -> Shown:
    """`alerts` are those of the family that people were told of; `before` is what they saw last."""
    current = {one.key: one for one in alerts if one.state in LIVE}
    over = {one.key: one for one in alerts if one.state is AlertState.RESOLVED}
    seen = {one.key: one for one in before.alerts} if before else {}
    # What was shown as firing and went on under another kind is not over, and not shown twice.
    past = [over.get(key, one) for key, one in seen.items() if key not in current]
    past = [one for one in past if one.state is AlertState.RESOLVED]
    live = sorted(current.values(), key=_rank)
    kept = [*live, *past][:DETAIL_MAX]
    return Shown(
        alerts=tuple(_slim(one, at) for at, one in enumerate(kept)),
        more=max(0, sum(1 for one in live if not one.held_by) - DETAIL_MAX) + more,
    )


def _rank(alert: Alert) -> tuple[bool, int, float, str]:
    return (bool(alert.held_by), -alert.finding.severity, alert.began_at.timestamp(), alert.key)


def slimmed(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """The alerts in their order, lines and charts only for the worst: what the book stores."""
    worst = sorted(range(len(alerts)), key=lambda at: _rank(alerts[at]))
    after = list(alerts)
    for place, at in enumerate(worst):
        after[at] = _slim(alerts[at], place, lines_for=BOOK_LINES_FOR, trends_for=BOOK_TRENDS_FOR)
    return tuple(after)


def _slim(
    alert: Alert, at: int, *, lines_for: int = LINES_FOR, trends_for: int = TRENDS_FOR
) -> Alert:
    finding = alert.finding
    keep_lines, keep_trend = at < lines_for, at < trends_for
    if (keep_lines or not finding.lines) and (keep_trend or finding.trend is None):
        return alert
    lines = finding.lines if keep_lines else ()
    return alert.with_(
        finding=finding.with_(lines=lines, trend=finding.trend if keep_trend else None)
    )
