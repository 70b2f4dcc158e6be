"""The facts a rule may speak of: their names, their types, and where each comes from.

A fact that is not known for a plan is left out, never filled in: a rule that needs it then fails to
evaluate, and that denies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from changes.change import Change
from changes.facts import ClusterFacts
from changes.grammar_usage import Usage
from changes.msk_limits import broker_quota, partitions_per_broker
from changes.plan import Plan
from changes.request import Person
from policies.expressions import Scalar, VariableType

Facts = Mapping[str, Scalar | list[str]]

BUILT_IN: Mapping[str, VariableType] = {
    "request.requester": "string",
    "request.requester_groups": "list<string>",
    "request.because": "string",
    "cluster.name": "string",
    "cluster.environment": "string",
    "cluster.brokers": "int",
    "cluster.broker_quota": "int",
    "cluster.az_count": "int",
    "cluster.instance_type": "string",
    "cluster.express": "bool",
    "cluster.partitions_per_broker_max": "int",
    "plan.bytes_moved": "int",
    "plan.replicas_moved": "int",
    "plan.leaders_changed": "int",
    "plan.cost_known": "bool",
    "plan.cost_usd_per_month": "double",
    "plan.duration_minutes_high": "double",
    "plan.risk": "string",
    "time.hour": "int",
    "time.weekday": "string",
}
"""`time.weekday` is Mon … Sun and `time.hour` 0 … 23, both in the policy's time zone."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def phrase_of(change: type[Change]) -> str:
    """How policies and people call a change: its usage line up to the first gap."""
    return " ".join(Usage(line=change.usage, means=change).phrase)


def variables_for(changes: Iterable[type[Change]]) -> dict[str, VariableType]:
    """Built-in facts and those that every one of these changes declares."""
    declared = [dict(change.policy_fact_types) for change in changes]
    common: dict[str, VariableType] = {}
    for name, kind in (declared[0] if declared else {}).items():
        if all(one.get(name) == kind for one in declared):
            common[name] = kind
    return {**common, **BUILT_IN}


def facts_of(*, plan: Plan, facts: ClusterFacts, person: Person, because: str) -> Facts:
    """Everything but the time, which depends on a policy's zone."""
    return {
        **own_facts(plan),
        "request.requester": person.user_id,
        "request.requester_groups": list(person.groups),
        "request.because": because,
        **cluster_facts(facts),
        **plan_facts(plan),
    }


def own_facts(plan: Plan) -> Facts:
    types = plan.change.policy_fact_types if isinstance(plan.change, Change) else {}
    return {
        name: float(value) if types[name] == "double" else value
        for name, value in plan.policy_facts.items()
        if name in types
    }


def cluster_facts(facts: ClusterFacts) -> Facts:
    msk = facts.msk
    limit = partitions_per_broker(msk.instance_type)
    known: dict[str, Scalar | list[str]] = {
        "cluster.name": facts.cluster.name,
        "cluster.environment": facts.cluster.environment,
        "cluster.brokers": msk.broker_count,
        "cluster.broker_quota": broker_quota(kraft=msk.kraft),
        "cluster.az_count": len(msk.az_ids),
        "cluster.instance_type": msk.instance_type,
        "cluster.express": msk.express,
    }
    if limit:
        known["cluster.partitions_per_broker_max"] = limit.maximum
    return known


def plan_facts(plan: Plan) -> Facts:
    impact = plan.impact
    known: dict[str, Scalar | list[str]] = {
        "plan.bytes_moved": impact.bytes_moved,
        "plan.replicas_moved": impact.replicas_moved,
        "plan.leaders_changed": impact.leaders_changed,
        "plan.cost_known": impact.cost_usd_per_month is not None,
        "plan.duration_minutes_high": impact.duration_seconds_high / 60,
        "plan.risk": impact.risk,
    }
    if impact.cost_usd_per_month is not None:
        known["plan.cost_usd_per_month"] = float(impact.cost_usd_per_month)
    return known


def time_facts(now: datetime, zone: ZoneInfo) -> Facts:
    local = now.astimezone(zone)
    return {"time.hour": local.hour, "time.weekday": WEEKDAYS[local.weekday()]}
