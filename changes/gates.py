"""Why the next batch has to wait: AWS's own guard rails for reassignment, and plain caution.

The order is the order people are told in; the first reason is the one shown. Gates hold, they never
fail a change: on clear it goes on by itself (AWS: no reassignment at CPU > 70 %, with
under-replicated partitions, in MAINTENANCE or HEALING).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from changes.facts import BrokerLoad, MskCluster, Partition
from changes.moves import ReplicaMove


def msk_gate(msk: MskCluster) -> str:
    if msk.state in {"ACTIVE", "UPDATING"}:
        return ""
    if msk.state == "FAILED":
        why = f" ({msk.state_message})" if msk.state_message else ""
        return (
            f"MSK says the cluster is FAILED{why}; only AWS can mend that, so open a support case. "
            "What was moved stays valid, nothing new is begun; aborting cancels what runs"
        )
    return f"MSK says the cluster is {msk.state}; the next batch waits until it is ACTIVE"


def broker_gate(needed: Collection[int], living: Collection[int]) -> str:
    away = sorted(set(needed) - set(living))
    if not away:
        return ""
    names = ", ".join(str(i) for i in away)
    return f"broker {names} does not take part just now; the next batch waits until it is back"


def foreign_gate(keys: Collection[str]) -> str:
    """Moves of somebody else share disks and network with ours, so theirs end first."""
    if not keys:
        return ""
    first = min(keys)
    more = f" (and {len(keys) - 1} more)" if len(keys) > 1 else ""
    return f"{first}{more} is being reassigned by somebody else; the next batch waits for that"


def partition_gate(partitions: Sequence[Partition], *, moving: Collection[str]) -> str:
    """Offline anywhere, or under-replicated where we are not moving anything ourselves."""
    offline = [p.key for p in partitions if p.leader is None or p.leader < 0]
    if offline:
        return f"{len(offline)} partitions have no leader ({', '.join(offline[:3])})"
    thin = [p.key for p in partitions if p.under_replicated and p.key not in moving]
    if thin:
        return f"{len(thin)} partitions are under-replicated ({', '.join(thin[:3])})"
    return ""


def standing_copies_gate(moving: Sequence[ReplicaMove], partitions: Mapping[str, Partition]) -> str:
    """Of what we move, the copies that stand must be in sync: new ones are not yet to be counted on."""
    thin = []
    for move in moving:
        partition = partitions.get(move.key)
        if partition is None:
            continue
        standing = set(move.before) & set(move.after) or set(move.before)
        if not standing <= set(partition.isr):
            thin.append(move.key)
    if not thin:
        return ""
    return (
        f"{len(thin)} partitions that are being moved lack a copy in sync of those they had "
        f"({', '.join(thin[:3])})"
    )


def load_gate(
    loads: Sequence[BrokerLoad], *, cpu_percent_max: float, disk_used_percent_max: float
) -> str:
    """A broker without a datapoint does not hold: a new one has none for minutes."""
    for load in loads:
        if load.cpu_percent is not None and load.cpu_percent > cpu_percent_max:
            return (
                f"CPU of broker {load.broker_id} is {load.cpu_percent:.0f} %, "
                f"more than {cpu_percent_max:.0f} %"
            )
        used = load.disk_used_percent
        if used is not None and used > disk_used_percent_max:
            return (
                f"disk of broker {load.broker_id} is {used:.0f} % full, "
                f"more than {disk_used_percent_max:.0f} %"
            )
    return ""
