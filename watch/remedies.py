"""What would help: more brokers (as text for the grammar), more storage, or neither, and why.

The surprising truth: MSK's disks cannot simply grow in need. After each growth MSK refuses the next
for six hours and more, so an alert must know when the last one was before it names the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from changes.facts import MskCluster
from changes.msk_limits import allowed_counts, broker_quota
from watch.history import History
from watch.seen import Seen

STORAGE_KINDS = ("UPDATE_BROKER_STORAGE", "UPDATE_STORAGE", "INCREASE_BROKER_STORAGE")
"""Operation kinds that grow disks; AWS's model leaves the word free."""
COOLDOWN_HOURS_MIN = 6
"""AWS: at least so long between two growths …"""
COOLDOWN_HOURS_USUAL = 24
"""… and as long as the volumes optimise, which takes a day or more."""

UNEVEN_RATIO = 1.4
"""A broker this much above the others is a case for spreading, not for growing."""
GIANT_SHARE = 0.5


class Remedy(NamedTuple):
    """Exactly one of the two is said; both empty = not known."""

    proposal: str = ""
    why_not: str = ""


def more_brokers(msk: MskCluster | None) -> Remedy:
    """The next larger count MSK takes, as a change people can ask for."""
    if msk is None:
        return Remedy()
    if msk.cluster_type != "PROVISIONED":
        return Remedy(why_not=f"{msk.name} is {msk.cluster_type}: it has no brokers to add")
    quota = broker_quota(kraft=msk.kraft)
    counts = allowed_counts(azs=len(msk.az_ids), current=msk.broker_count, quota=quota)
    if not counts:
        return Remedy(
            why_not=f"AWS's quota is {quota} brokers per cluster; it must be raised first"
        )
    return Remedy(proposal=f"scale brokers {counts[0]}")


def storage_words(history: History, seen: Seen, now: datetime) -> str:
    """May the disks grow now? One sentence that names the remedy that is open."""
    grown = last_growth(history, seen)
    if grown is None:
        if seen.operations is None:
            return "whether MSK's disks may grow now is not known: its operations could not be read"
        return (
            "MSK's disks can grow (they never shrink again); shorter retention frees them at once"
        )
    hours = (now - grown) / timedelta(hours=1)
    if hours < COOLDOWN_HOURS_MIN:
        return (
            f"MSK's disks grew {hours:.0f} h ago and cannot grow again for another "
            f"{COOLDOWN_HOURS_MIN - hours:.0f} h at least: shorten retention or add brokers"
        )
    if hours < COOLDOWN_HOURS_USUAL:
        return (
            f"MSK's disks grew {hours:.0f} h ago and may still refuse to grow (often for "
            f"{COOLDOWN_HOURS_USUAL} h): shorten retention or add brokers"
        )
    return "MSK's disks can grow (they never shrink again); shorter retention frees them at once"


def last_growth(history: History, seen: Seen) -> datetime | None:
    """The later of what MSK's operations say and what was seen of the volume."""
    found = [one.created_at for one in seen.operations or () if one.kind in STORAGE_KINDS]
    if history.brokers.grown_at is not None:
        found.append(history.brokers.grown_at)
    return max(found, default=None)


def room_for(
    values: Mapping[int, float | None], worst: int, *, comfortable: float, what: str
) -> str:
    """Why more brokers are not needed: the others have room. Empty = they have not, or who knows."""
    others = [value for broker, value in values.items() if broker != worst and value is not None]
    if not others or len(others) + 1 < len(values):
        return ""
    mean = sum(others) / len(others)
    most = values[worst]
    if most is None or mean >= comfortable or most < UNEVEN_RATIO * mean:
        return ""
    return (
        f"the other brokers' {what} is at {mean:.0f} % on average: "
        "spreading what there is helps, more brokers are not needed"
    )


def left_behind(before: float, now: float, *, minutes: float) -> Remedy:
    """Nothing is proposed for a level that was left minutes ago: a change that helped would be followed
    by the offer of the next one."""
    return Remedy(
        why_not=f"it was at {before:.0f} % within {minutes:.0f} min and is at {now:.0f} % now: "
        "nothing more is needed unless it comes back"
    )


def one_giant(seen: Seen, broker_id: int) -> str:
    """Why more brokers cannot help: one partition is most of what this one holds."""
    held = [one for one in seen.partitions or () if broker_id in one.replicas]
    total = sum(one.size_bytes for one in held)
    if not total:
        return ""
    giant = max(held, key=lambda one: one.size_bytes)
    share = giant.size_bytes / total
    if share < GIANT_SHARE:
        return ""
    return (
        f"{share:.0%} of broker {broker_id}'s data is {giant.key} alone, and a partition cannot be "
        "split over brokers: shorten its retention or give the topic more partitions"
    )
