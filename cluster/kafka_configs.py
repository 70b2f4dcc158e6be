"""Replication throttles as Kafka keeps them: four settings on brokers and topics, all text.

The surprising truth: taking the last entry from a list leaves an empty setting behind, so an emptied
list is *deleted*. And on ZooKeeper clusters an append to an unset list leaves an empty first entry, so
there the first entries are *set*; there alone, because only there what was read is what is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from changes.facts import BrokerRates, ReplicaLists
from cluster.wire_codec import Row

TOPIC, BROKER = 2, 4
"""Resource types."""
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3
"""Operations of IncrementalAlterConfigs."""
DYNAMIC_TOPIC, DYNAMIC_BROKER = 1, 2
"""Config sources: set on this very topic, on this very broker."""

LEADER_RATE = "leader.replication.throttled.rate"
FOLLOWER_RATE = "follower.replication.throttled.rate"
RATES = (LEADER_RATE, FOLLOWER_RATE)
LEADER_LIST = "leader.replication.throttled.replicas"
FOLLOWER_LIST = "follower.replication.throttled.replicas"
LISTS = (LEADER_LIST, FOLLOWER_LIST)

Configs = Mapping[str, str]
"""Settings made dynamically on one resource, by key."""


def resource(kind: int, name: object, keys: Sequence[str]) -> Row:
    """What DescribeConfigs is asked for."""
    return {"resource_type": kind, "resource_name": str(name), "configuration_keys": list(keys)}


def description(resources: Sequence[Row]) -> Row:
    """One DescribeConfigs of several resources."""
    return {"resources": resources, "include_synonyms": False, "include_documentation": False}


def alteration(kind: int, name: object, configs: Sequence[Row]) -> Row:
    """What IncrementalAlterConfigs is asked for."""
    return {"resource_type": kind, "resource_name": str(name), "configs": list(configs)}


def dynamic(result: Row, source: int) -> Configs:
    """Of one described resource, only what was set on itself: no defaults, no inherited ones."""
    return {
        one["name"]: one["value"]
        for one in result["configs"]
        if one["config_source"] == source and one["value"] is not None
    }


def rates_from(configs: Configs) -> BrokerRates:
    leader, follower = configs.get(LEADER_RATE), configs.get(FOLLOWER_RATE)
    return BrokerRates(
        leader_bytes_per_second=int(leader) if leader else None,
        follower_bytes_per_second=int(follower) if follower else None,
    )


def lists_from(configs: Configs) -> ReplicaLists:
    return ReplicaLists(
        leader=entries(configs.get(LEADER_LIST)), follower=entries(configs.get(FOLLOWER_LIST))
    )


def entries(value: str | None) -> tuple[str, ...]:
    parts = (part.strip() for part in (value or "").split(","))
    return tuple(part for part in parts if part)


def rate_operations(rates: BrokerRates) -> tuple[Row, ...]:
    wanted = zip(
        RATES, (rates.leader_bytes_per_second, rates.follower_bytes_per_second), strict=True
    )
    return tuple(
        _operation(key, DELETE, None) if rate is None else _operation(key, SET, str(rate))
        for key, rate in wanted
    )


def add_operations(wanted: ReplicaLists, configs: Configs, *, kraft: bool) -> tuple[Row, ...]:
    """Append what is not there yet; `*` already names every replica."""
    found = []
    for key, adding in zip(LISTS, (wanted.leader, wanted.follower), strict=True):
        present = entries(configs.get(key))
        missing = [one for one in dict.fromkeys(adding) if one not in present]
        if missing and "*" not in present:
            found.append(_operation(key, APPEND if present or kraft else SET, ",".join(missing)))
    return tuple(found)


def remove_operations(unwanted: ReplicaLists, configs: Configs) -> tuple[Row, ...]:
    """Subtract what is there."""
    found = []
    for key, removing in zip(LISTS, (unwanted.leader, unwanted.follower), strict=True):
        present = [one for one in entries(configs.get(key)) if one in removing]
        if present:
            found.append(_operation(key, SUBTRACT, ",".join(present)))
    return tuple(found)


def holds(configs: Configs, lists: ReplicaLists) -> bool:
    """Is every one of these entries there?"""
    present = lists_from(configs)
    return all(
        "*" in there or set(wanted) <= set(there)
        for wanted, there in ((lists.leader, present.leader), (lists.follower, present.follower))
    )


def lacks(configs: Configs, lists: ReplicaLists) -> bool:
    """Is none of these entries there?"""
    present = lists_from(configs)
    return not set(lists.leader) & set(present.leader) and not (
        set(lists.follower) & set(present.follower)
    )


def sweep_operations(configs: Configs) -> tuple[Row, ...]:
    """Delete lists that are set and name nothing."""
    return tuple(
        _operation(key, DELETE, None)
        for key in LISTS
        if key in configs and not entries(configs[key])
    )


def _operation(name: str, operation: int, value: str | None) -> Row:
    return {"name": name, "config_operation": operation, "value": value}
