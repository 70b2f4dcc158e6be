"""Which findings a running change explains, from its lease.

1. The change must have an effect that the rule says explains it (`excused_by`).
2. A finding about brokers is explained only when all of them are brokers of the plan.
3. A finding that only a reset of offsets explains must be about a group that the change names.
4. What is too serious (`never_excused`) is never explained.

The surprising truth: an excuse outlives its change by a grace, and does not outlive its worker. A lease
that ran out without an end explains nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from changes.book import WatchedChange
from changes.excuses import ChangeLease, Effect
from changes.incident import Finding


def excused(
    finding: Finding,
    *,
    excused_by: Mapping[Effect, str],
    changes: Sequence[WatchedChange],
    now: datetime,
) -> str:
    """The request that explains this finding; empty = none does."""
    for change in changes:
        if change.holds(now) and explains(change.lease, finding, excused_by):
            return change.lease.request_id
    return ""


def explains(lease: ChangeLease, finding: Finding, excused_by: Mapping[Effect, str]) -> bool:
    matching = set(lease.effects) & set(excused_by)
    if finding.never_excused or not matching:
        return False
    if not set(finding.broker_ids) <= set(lease.broker_ids):
        return False
    if matching == {Effect.RESETS_OFFSETS}:
        return finding.subject in {f"group {name}" for name in lease.groups}
    return True
