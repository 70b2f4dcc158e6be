"""The watch's newest view of a cluster, for those who ask: lag, balance, forecast.

The bot has no cloud client: what it answers is what the watch saw last, with the moment it was seen.
A number that is missing is None, never zero.
"""

from __future__ import annotations

from pydantic import AwareDatetime

from changes.tagged import Value

GROUPS_MAX = 5_000
"""Worst first; the rest is counted."""
TOPICS_MAX = 5_000
"""Names that are kept, so that one typed wrongly is answered with the nearest."""


class GroupLine(Value):
    """One consumer group as of the last scan."""

    group: str
    state: str
    """Ottla's verdict: ok, falling behind, stopped, stalled, catching up, no data, …"""
    kafka_state: str
    lag: int | None
    """Messages over all partitions that could be read; None = none could."""
    age_words: str = ""
    """Age of the oldest unread record as far as known, such as `4 min` or `over 30 min`."""
    messages_per_second_in: float | None = None
    messages_per_second_out: float | None = None
    worst: tuple[tuple[str, int], ...] = ()
    """(`orders-3`, lag), at most five."""
    unread_partitions: int = 0
    """Partitions that could not be read."""


class BrokerLine(Value):
    broker_id: int
    rack: str
    leaders: int
    replicas: int
    size_bytes: int | None = None
    disk_used_percent: float | None = None
    cpu_percent: float | None = None
    bytes_in_per_second: float | None = None


class ForecastLine(Value):
    """When one broker reaches a limit at the present pace."""

    broker_id: int
    what: str
    """`disk` or `CPU`."""
    now_percent: float | None
    percent_per_hour: float | None
    hours_left: float | None
    """Until the limit; None = not rising, or not known: `words` says which."""
    words: str


class ClusterView(Value):
    cluster: str
    at: AwareDatetime
    scan_seconds: float
    """How often the watch looks: a view older than three of these is told as old."""
    groups: tuple[GroupLine, ...] = ()
    groups_total: int = 0
    groups_unread: int = 0
    topics: tuple[str, ...] = ()
    """Every topic's name; empty = they were not seen, or are more than `TOPICS_MAX`."""
    brokers: tuple[BrokerLine, ...] = ()
    forecasts: tuple[ForecastLine, ...] = ()
    advice: tuple[str, ...] = ()
    """What the rules would say of balance and growth, in sentences."""
    blind: tuple[str, ...] = ()
    """What could not be seen, in words."""
    on_call: str = ""
    """Whom critical incidents call, from `alerts.yaml`: Slack's id of a user group (S…) or a person
    (U…), `here` or `channel`; empty = nobody."""
