"""Which alerts hold others back because they have the same cause: one small table.

The surprising truth: same time is part of same cause. An alert that began well before its supposed
cause has another one, and is told. What is too serious for any excuse is never held back here either,
and no rule stands on both sides of its own row, so no alert inhibits itself. A blind scan needs no row:
what cannot be seen is marked as unseen by its rule, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from changes.incident import Alert, AlertState

BEFORE = timedelta(minutes=2)
"""A consequence may be seen a little earlier than its cause: they are read at different moments."""

COPIES = ("under_replicated", "replication_lag")
SPREAD = ("imbalance", "idle_brokers", "preferred_leaders", "hot_partition")
CONSUMERS = ("consumer_lag", "group_churn", "open_transaction", "lag_witness")


class Inhibition(NamedTuple):
    source: str
    targets: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    """Of the source; empty = any."""


INHIBITIONS = (
    Inhibition(
        "cluster_state", (*COPIES, *SPREAD, *CONSUMERS), ("healing", "rebooting_broker", "failed")
    ),
    # A new broker that is away holds nothing yet, so it explains nothing: the row is of kinds too.
    Inhibition("broker_away", (*COPIES, *SPREAD, *CONSUMERS), ("broker_away",)),
    Inhibition("offline_partitions", (*COPIES, *CONSUMERS)),
)


def sources(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Alerts that may hold others back: as soon as they are seen, until they are over.

    What people cannot know of explains nothing to them: a cause that is itself held back, or that could
    not be looked at since before anybody was told, may last for days unseen.
    """
    names = {one.source for one in INHIBITIONS}
    return tuple(
        one
        for one in alerts
        if one.finding.rule in names
        and one.state is not AlertState.RESOLVED
        and (one.fired_at is not None or not (one.held_by or one.stale))
    )


def inhibitor(alert: Alert, among: Sequence[Alert]) -> Alert | None:
    """The alert that explains this one; None = nothing does."""
    if alert.finding.never_excused:
        return None
    return next((one for one in among if _explains(one, alert)), None)


def _explains(source: Alert, target: Alert) -> bool:
    return (
        any(_in_row(row, source, target) for row in INHIBITIONS)
        and target.began_at >= source.began_at - BEFORE
        and _same_brokers(source, target)
    )


def _in_row(row: Inhibition, source: Alert, target: Alert) -> bool:
    return (
        source.finding.rule == row.source
        and target.finding.rule in row.targets
        and (not row.kinds or source.finding.kind in row.kinds)
    )


def _same_brokers(source: Alert, target: Alert) -> bool:
    """Where both name brokers, what the target is about must be within the source's."""
    ours, theirs = source.finding.broker_ids, target.finding.broker_ids
    return not ours or not theirs or set(theirs) <= set(ours)
