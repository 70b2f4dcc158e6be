"""What the loaded files say: one object for bot, workers and watch. Pure; it reads nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from changes.change import Change
from changes.facts import ClusterFacts
from changes.plan import CannotPlan, Plan
from changes.request import Person
from changes.verdict import ExecutionLimits, Reason, Verdict
from policies.clusters import Cluster
from policies.evaluate import CompiledPolicy, Weighed, verdict_of, weigh
from policies.vocabulary import facts_of, phrase_of

LARGEST_IS_STRICTEST = frozenset(
    {"poll_seconds", "add_brokers_minutes_low", "add_brokers_minutes_high", "lag_gate"}
)
"""For every other limit the smallest number is the strictest."""


@dataclass(frozen=True)
class Policies:
    clusters: Mapping[str, Cluster]
    compiled: tuple[CompiledPolicy, ...]
    digest: str

    def matching(self, *, cluster: str, change: str | None = None) -> tuple[CompiledPolicy, ...]:
        """The policies about a cluster, and about one change by its opening words."""
        known = self.clusters.get(cluster)
        if known is None:
            return ()
        return tuple(
            one
            for one in self.compiled
            if one.fits(change=change, cluster=cluster, environment=known.environment)
        )

    def limits(self, cluster: str) -> ExecutionLimits:
        """The strictest of whatever any policy about this cluster sets."""
        given: dict[str, list[float]] = {}
        for one in self.matching(cluster=cluster):
            for name in one.policy.limits.model_fields_set:
                given.setdefault(name, []).append(getattr(one.policy.limits, name))
        return ExecutionLimits.model_validate(
            {
                name: max(values) if name in LARGEST_IS_STRICTEST else min(values)
                for name, values in given.items()
            }
        )

    def judge(
        self, *, plan: Plan, facts: ClusterFacts, person: Person, because: str, now: datetime
    ) -> Verdict:
        weighed = self.weighed(plan=plan, facts=facts, person=person, because=because, now=now)
        if isinstance(weighed, Reason):
            return self.denied(weighed)
        return verdict_of(weighed, risk=plan.impact.risk, digest=self.digest)

    def weighed(
        self, *, plan: Plan, facts: ClusterFacts, person: Person, because: str, now: datetime
    ) -> Sequence[Weighed] | Reason:
        """What each matching policy says by itself; a reason when none may say anything."""
        if person.standing:
            return Reason(rule="who may ask", message=f"you may not ask: {person.standing}")
        change = plan.change
        if not isinstance(change, Change) or change.cluster not in self.clusters:
            known = ", ".join(self.clusters)
            name = getattr(change, "cluster", "")
            message = f"there is no cluster `{name}`"
            return Reason(rule="clusters", message=message, would_pass=f"one of: {known}")
        cluster = self.clusters[change.cluster]
        if facts.cluster.arn != cluster.arn:
            return Reason(rule="clusters", message="the facts are of another cluster")
        matching = self.matching(cluster=cluster.name, change=phrase_of(type(change)))
        if not matching:
            return uncovered(phrase_of(type(change)), cluster)
        # The files say which environment it is, not whoever collected the facts.
        known_facts = {
            **facts_of(plan=plan, facts=facts, person=person, because=because),
            "cluster.name": cluster.name,
            "cluster.environment": cluster.environment,
        }
        return [weigh(policy, known_facts, now) for policy in matching]

    def refusal(self, *, cannot: CannotPlan) -> Verdict:
        """A change that cannot be planned is denied in the planner's own words."""
        return self.denied(
            Reason(rule="what can be done", message=cannot.words, would_pass=cannot.would_pass)
        )

    def denied(self, reason: Reason) -> Verdict:
        return Verdict(outcome="denied", reasons=(reason,), policy_digest=self.digest)

    def cluster_of_channel(self, channel: str) -> str | None:
        """The one cluster shown in a channel; None when there is none, or more than one."""
        here = [one.name for one in self.clusters.values() if one.channel == channel]
        return here[0] if len(here) == 1 else None

    def approver_groups(self) -> frozenset[str]:
        """Every user group named anywhere: whose members the bot has to read live."""
        return frozenset(
            group
            for policy in self.compiled
            for approvals in (*policy.approvals, *(a for r in policy.rules for a in r.approvals))
            for group in approvals.approvals.groups
        )


def uncovered(change: str, cluster: Cluster) -> Reason:
    return Reason(
        rule="default",
        message=f"no policy covers `{change}` on {cluster.name} ({cluster.environment})",
        would_pass="a policy whose `match` fits it",
    )
