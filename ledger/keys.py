"""Every key of the ledger with its lifetime.

All begin with `ottla:`; RQ's own keys begin with `rq:` (or `RQ_KEY_PREFIX`) and may be wiped at any
time. Requests, their indexes and the audit chain are kept for ever: a finished request costs a few
kilobytes, and the chain proves nothing when its beginning is gone. Everything else expires or is
capped, so a lost clean-up cannot fill the server.
"""

from __future__ import annotations

DAY_SECONDS = 86_400

COUNTER = "ottla:request:last"
"""The number of the newest request. For ever."""
ALL = "ottla:requests"
"""Sorted set of request ids by number. For ever."""
OPEN = "ottla:requests:open"
"""The same, without the ended ones: listing what is open costs what is open."""
DUE = "ottla:due"
"""Sorted set of request ids by next due time (seconds since 1970). An entry leaves with its end."""
AUDIT = "ottla:audit"
"""Stream of chained lines; the entry id is the line's number. For ever."""
NEWS = "ottla:news"
"""Stream of ids of requests that changed, capped at about `NEWS_LENGTH`."""
BEHIND = "ottla:cards:behind"
"""Sorted set of requests whose card in Slack does not show the newest state yet."""
FENCE = "ottla:fence"
"""One counter for all leases, so that a later holder always has the higher number. For ever."""

INCIDENT_COUNTER = "ottla:incident:last"
"""The number of the newest incident. For ever."""
INCIDENTS = "ottla:incidents"
"""Sorted set of incident ids by number, the newest `INCIDENTS_KEPT`."""
OPEN_INCIDENTS = "ottla:incidents:open"
"""The same, without those that are over."""
INCIDENTS_BEHIND = "ottla:incidents:behind"
"""Sorted set of incidents whose message in Slack does not show the newest state yet."""
MUTE_COUNTER = "ottla:mute:last"
"""The number of the newest mute. For ever."""

NEWS_LENGTH = 10_000
INCIDENTS_KEPT = 2_000
"""Of all clusters together; of those that are over, none longer than `INCIDENT_DAYS_AFTER_END`."""
INCIDENT_DAYS_AFTER_END = 90
BOOK_DAYS_AFTER_SAVE = 30
MUTES_MAX = 500
"""Per cluster at a time."""
ASKED_SECONDS = 60
TICK_MARK_SECONDS = DAY_SECONDS
DELIVERY_SECONDS = 900
"""Slack's last retry comes within six minutes."""
CARD_DAYS_AFTER_SAVE = 400
VIEW_SECONDS = 7 * DAY_SECONDS
ENDED_LEASE_SECONDS = 2 * 3600
"""Longer than the longest grace after a change, so that a watch that was away still learns of its end."""


def request(request_id: str) -> str:
    """Hash: format, version, state, log length and the compressed body. For ever."""
    return f"ottla:request:{request_id}"


def all_of(cluster: str) -> str:
    return f"ottla:requests:of:{cluster}"


def open_of(cluster: str) -> str:
    return f"ottla:requests:open:of:{cluster}"


def line(cluster: str) -> str:
    """Sorted set of queued and running requests in the order they were queued."""
    return f"ottla:line:{cluster}"


def audit_of(request_id: str) -> str:
    """List of the numbers of a request's audit lines. For ever."""
    return f"ottla:audit:of:{request_id}"


def asked(digest: str) -> str:
    """Who asked for the same a moment ago. Expires after `ASKED_SECONDS`."""
    return f"ottla:asked:{digest}"


def tick_mark(request_id: str) -> str:
    """The last job queued for a request. Expires after `TICK_MARK_SECONDS`."""
    return f"ottla:tick:{request_id}"


def lease(name: str) -> str:
    """Number of the fence that holds the lease. Expires with the lease."""
    return f"ottla:lease:{name}"


def picture(digest: str) -> str:
    """Bytes of a snapshot. Expires after the days its keeper says."""
    return f"ottla:picture:{digest}"


def card(request_id: str) -> str:
    """What Slack shows of a request. Expires `CARD_DAYS_AFTER_SAVE` days after its last save."""
    return f"ottla:card:{request_id}"


def card_at(channel: str, ts: str) -> str:
    """Whose card this message is: the id of its request. Expires with the card."""
    return f"ottla:card:at:{channel}:{ts}"


def change_lease(request_id: str) -> str:
    """What a change explains to the watch. Expires soon after its worker stops renewing it, and
    `ENDED_LEASE_SECONDS` after the change has ended."""
    return f"ottla:change:{request_id}"


def change_leases(cluster: str) -> str:
    """Sorted set of the newest requests that had such a lease. Expires a day after the last one."""
    return f"ottla:changes:of:{cluster}"


def view(cluster: str) -> str:
    """What the watch saw last of a cluster, for those who ask. Expires `VIEW_SECONDS` after it."""
    return f"ottla:watch:view:{cluster}"


def swept(cluster: str) -> str:
    """A sweep of this cluster was queued lately. Expires after `sweeps.EVERY_SECONDS`."""
    return f"ottla:swept:{cluster}"


def budget(name: str) -> str:
    """Sorted set of what was spent, by when. Expires with its window."""
    return f"ottla:budget:{name}"


def incidents_of(cluster: str) -> str:
    return f"ottla:incidents:of:{cluster}"


def open_incidents_of(cluster: str) -> str:
    return f"ottla:incidents:open:of:{cluster}"


def incident(incident_id: str) -> str:
    """Hash: format, version, log length and the compressed body. Expires `INCIDENT_DAYS_AFTER_END`
    days after the incident is over."""
    return f"ottla:incident:{incident_id}"


def incident_card(incident_id: str) -> str:
    """What Slack shows of an incident. Expires like a request's card."""
    return f"ottla:incident:card:{incident_id}"


def book(cluster: str) -> str:
    """Hash: what the watch remembers of a cluster. Expires `BOOK_DAYS_AFTER_SAVE` days after a save."""
    return f"ottla:watch:book:{cluster}"


def mute(mute_id: str) -> str:
    """One mute. Expires with itself."""
    return f"ottla:mute:{mute_id}"


def mutes_of(cluster: str) -> str:
    """Sorted set of mutes by the moment they end (Redis's time), at most `MUTES_MAX`."""
    return f"ottla:mutes:of:{cluster}"


def frames(cluster: str) -> str:
    """Sorted set of the rounds the watch saw, by time. They and their parts are kept for 24 hours and
    weigh at most 32 MiB a cluster, bodies and tables together; the oldest leave first. Expires 24
    hours after the last round."""
    return f"ottla:frames:{cluster}"


def frame_bodies(cluster: str) -> str:
    """Hash: round → its packed bytes."""
    return f"ottla:frames:bodies:{cluster}"


def frame_tables(cluster: str) -> str:
    """Hash: digest → a table that rounds refer to. It leaves with the last of them."""
    return f"ottla:frames:tables:{cluster}"


def frame_table_uses(cluster: str) -> str:
    """Sorted set of those digests by the time of the last round that refers to them."""
    return f"ottla:frames:uses:{cluster}"


def frame_size(cluster: str) -> str:
    """Bytes of all bodies and tables of a cluster."""
    return f"ottla:frames:size:{cluster}"


def frames_all(cluster: str) -> tuple[str, ...]:
    """Every key of a cluster's frames."""
    return (
        frames(cluster),
        frame_bodies(cluster),
        frame_tables(cluster),
        frame_table_uses(cluster),
        frame_size(cluster),
    )


def broker_history(cluster: str) -> str:
    """Packed figures of a cluster's brokers. Expires three days after they were kept."""
    return f"ottla:history:brokers:{cluster}"


def delivery(name: str) -> str:
    """Was this act of somebody's carried out? Expires after `DELIVERY_SECONDS`."""
    return f"ottla:delivery:{name}"


def lag_memory(cluster: str) -> str:
    """Rhythms, rewinds, losses and standstills of consumer groups. Expires a day after it was kept."""
    return f"ottla:history:lag:{cluster}"
