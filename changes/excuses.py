"""Which alerts a running change explains: what it does to a cluster, and for how long.

A change says what it does (`effects`), an alert rule says which effects explain it; neither knows the
other, so adding one of either stays one file. The surprising truth: the lease is held by the worker,
not by the request. When the worker dies the lease runs out and the alerts come alive by themselves.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from changes.tagged import Value


class Effect(StrEnum):
    """What a running change does that a watcher would take for trouble."""

    MOVES_REPLICAS = "moves replicas"
    """Under-replication on the brokers of the plan, replication lag, uneven disks on the way."""
    MOVES_LEADERS = "moves leaders"
    """Leaders and group coordinators move: short rebalances, a little lag."""
    ADDS_BROKERS = "adds brokers"
    """MSK is UPDATING; new brokers are empty at first and may come and go while they start."""
    LOADS_BROKERS = "loads brokers"
    """Copying costs CPU, network and, until old replicas are deleted, disk."""
    RESETS_OFFSETS = "resets offsets"
    """Consumer groups are set back or forth on purpose."""


class ChangeLease(Value):
    """A running (or lately ended) change as the watch sees it."""

    request_id: str
    cluster: str
    title: str
    """Such as `scale brokers 6`."""
    effects: tuple[Effect, ...]
    broker_ids: tuple[int, ...] = ()
    """Brokers of the plan: those that give and those that take, new ones included once known."""
    topics: tuple[str, ...] = ()
    """Topics with partitions that move."""
    groups: tuple[str, ...] = ()
    """Consumer groups the change touches by name; empty for most changes."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    """None while a worker holds the lease."""
