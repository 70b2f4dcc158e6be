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


def _slim(alert: Alert, at: int) -> Alert:
    finding = alert.finding
    keep_lines, keep_trend = at < LINES_FOR, at < TRENDS_FOR
    if (keep_lines or not finding.lines) and (keep_trend or finding.trend is None):
        return alert
    lines = finding.lines if keep_lines else ()
    return alert.with_(
        finding=finding.with_(lines=lines, trend=finding.trend if keep_trend else None)
    )
