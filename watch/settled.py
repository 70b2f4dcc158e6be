"""Is a cluster at rest, so that its balance may be judged?

The surprising truth: uneven is the normal state of a cluster in motion. While a broker is away the
others lead more, and while replicas move they are counted twice.
"""

from __future__ import annotations

from watch.seen import Seen


def unsettled(seen: Seen) -> str:
    """Why balance cannot be judged just now; empty = it can. Needs brokers and partitions."""
    if seen.msk is not None and seen.msk.express and seen.msk.rebalancing == "ACTIVE":
        return "does not apply: AWS balances this Express cluster by itself"
    if seen.reassignments is None:
        return "whether replicas are moving could not be read"
    if seen.reassignments:
        return f"{len(seen.reassignments):,} partitions are being moved"
    away = away_brokers(seen)
    if away:
        names = ", ".join(str(one) for one in away[:5])
        return f"broker {names} is away: the others carry its share"
    return ""


def away_brokers(seen: Seen) -> tuple[int, ...]:
    """Brokers that hold replicas and do not take part."""
    known = {one.broker_id for one in seen.brokers or ()}
    held = {broker for one in seen.partitions or () for broker in one.replicas}
    return tuple(sorted(held - known))


ROLLING = ("MAINTENANCE", "REBOOTING_BROKER", "UPDATING")
"""States in which MSK restarts one broker after another, 5 to 15 minutes each."""


def restarts(seen: Seen) -> bool:
    """Does MSK itself restart brokers just now, so that an absence of minutes is no news?"""
    return seen.msk is not None and seen.msk.state in ROLLING
