"""Why an approved plan cannot start right now, for reasons that pass.

The rule that tells these from a difference: what passes by itself (a broker restarting, MSK at work,
somebody's running moves, a replica catching up) holds the start, and the approvals stay; what lasts
voids them (`preconditions`). Held in the queue, a request still expires like any other.
"""

from __future__ import annotations

from changes.facts import ClusterFacts
from changes.gates import foreign_gate, partition_gate


def not_yet(facts: ClusterFacts) -> str:
    """The first reason to wait, or nothing."""
    return (
        _msk(facts)
        or _brokers(facts)
        or foreign_gate([one.key for one in facts.reassignments])
        or partition_gate(facts.partitions, moving=())
    )


def _msk(facts: ClusterFacts) -> str:
    msk = facts.msk
    if msk.state != "ACTIVE":
        why = f" ({msk.state_message})" if msk.state_message else ""
        return f"MSK says the cluster is {msk.state}{why}; work starts when it is ACTIVE"
    if msk.active_operation_arn:
        return "MSK has an operation of somebody else under way; work starts when it has ended"
    return ""


def _brokers(facts: ClusterFacts) -> str:
    """A broker MSK counts and Kafka does not know is away; one that MSK does not count is gone."""
    known = {broker.broker_id for broker in facts.brokers}
    away = sorted({node.broker_id for node in facts.nodes} - known)
    if not away:
        return ""
    return f"broker {', '.join(map(str, away))} is not in Kafka; work starts when it is back"
