"""Nothing is proposed while a change is at work, nor until its grace is over.

Figures of a cluster that grows lag behind it: there are six brokers already and the CPU of the last minutes
is that of three, so a rule would offer the next growth. What a change brings is seen first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from changes.book import WatchedChange
from changes.incident import Finding
from watch.rule import Looked


def offered_now(looked: Looked, changes: Sequence[WatchedChange], now: datetime) -> Looked:
    """What the rules said, without proposals where a change of this cluster still shows its effect."""
    at_work = [one for one in changes if one.holds(now)]
    if not at_work:
        return looked
    why_not = _why_not(at_work[0])
    return looked._replace(
        findings=tuple(_unoffered(one, why_not) if one.proposal else one for one in looked.findings)
    )


def _unoffered(finding: Finding, why_not: str) -> Finding:
    return finding.with_(proposal="", why_not=why_not)


def _why_not(change: WatchedChange) -> str:
    phase = "is at work" if change.runs else "has just ended"
    return f"{change.lease.request_id} {phase}: what it brings is seen first"
