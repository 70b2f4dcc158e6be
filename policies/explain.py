"""Which rules looked at a change, what each said, and why: for people who write policies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from changes.change import Change
from changes.tagged import Value
from changes.verdict import ApprovalNeed, Verdict
from policies.clusters import Cluster
from policies.evaluate import CompiledPolicy, Weighed, verdict_of, weigh
from policies.policies import Policies, uncovered
from policies.vocabulary import Facts, phrase_of


class RuleSaid(Value):
    rule: str
    passed: bool
    effect: str
    message: str = ""
    would_pass: str = ""

    def words(self) -> str:
        if self.passed:
            return f"  ✓ {self.rule}"
        hint = f" (would pass: {self.would_pass})" if self.would_pass else ""
        return f"  ✗ {self.rule} {self.effect}: {self.message}{hint}"


class PolicySaid(Value):
    """`mismatch` says why a policy does not concern this change; empty = it does."""

    policy: str
    file: str
    mismatch: str = ""
    rules: tuple[RuleSaid, ...] = ()
    needs: tuple[ApprovalNeed, ...] = ()

    def words(self) -> list[str]:
        head = f"policy {self.policy} ({self.file})"
        if self.mismatch:
            return [f"{head}: does not match: {self.mismatch}"]
        needs = [f"  needs {need_in_words(need)}" for need in self.needs]
        return [head, *(rule.words() for rule in self.rules), *needs]


class Explanation(Value):
    change: str
    cluster: str
    environment: str
    facts_from: str
    facts: dict[str, int | float | str | bool | list[str]]
    policies: tuple[PolicySaid, ...]
    verdict: Verdict

    def words(self) -> str:
        lines = [f"{self.change} ({self.environment})", f"facts: {self.facts_from}", ""]
        for policy in self.policies:
            lines += policy.words()
        return "\n".join([*lines, "", verdict_in_words(self.verdict)])


def explain(
    policies: Policies,
    *,
    change: Change,
    facts: Facts,
    facts_from: str,
    risk: str,
    now: datetime | None,
) -> Explanation:
    """Every policy in the folder is listed, those that do not match with the reason."""
    cluster = policies.clusters[change.cluster]
    phrase = phrase_of(type(change))
    here = {**facts, "cluster.name": cluster.name, "cluster.environment": cluster.environment}
    matching = policies.matching(cluster=cluster.name, change=phrase)
    weighed = {one.policy.name: weigh(one, here, now) for one in matching}
    said = [
        said_by(one, weighed.get(one.policy.name), phrase, cluster) for one in policies.compiled
    ]
    verdict = judged(policies, list(weighed.values()), risk, phrase, cluster)
    return Explanation(
        change=change.describe(),
        cluster=cluster.name,
        environment=cluster.environment,
        facts_from=facts_from,
        facts=here,
        policies=tuple(said),
        verdict=verdict,
    )


def judged(
    policies: Policies, weighed: Sequence[Weighed], risk: str, change: str, cluster: Cluster
) -> Verdict:
    if not weighed:
        return policies.denied(uncovered(change, cluster))
    return verdict_of(weighed, risk=risk, digest=policies.digest)


def said_by(
    policy: CompiledPolicy, weighed: Weighed | None, change: str, cluster: Cluster
) -> PolicySaid:
    name, file = policy.policy.name, policy.file
    if weighed is None:
        return PolicySaid(policy=name, file=file, mismatch=mismatch(policy, change, cluster))
    rules = tuple(
        RuleSaid(
            rule=one.rule,
            passed=one.passed,
            effect=one.effect,
            message=one.message,
            would_pass=one.would_pass,
        )
        for one in weighed.results
    )
    return PolicySaid(policy=name, file=file, rules=rules, needs=weighed.needs)


def mismatch(policy: CompiledPolicy, change: str, cluster: Cluster) -> str:
    match = policy.policy.match
    if match.changes and change not in match.changes:
        return f"it is about {', '.join(match.changes)}"
    if match.clusters and cluster.name not in match.clusters:
        return f"it is about the clusters {', '.join(match.clusters)}"
    return f"it is about the environments {', '.join(match.environments)}"


def verdict_in_words(verdict: Verdict) -> str:
    lines = [f"verdict: {verdict.outcome.replace('_', ' ')}"]
    for one in verdict.reasons:
        lines.append(f"  because {one.rule}: {one.message}")
        lines += [f"  would pass: {one.would_pass}"] if one.would_pass else []
    lines += [f"  {need_in_words(need)}" for need in verdict.approvals]
    lines += [f"  warns: {warning}" for warning in verdict.warnings]
    return "\n".join(lines)


def need_in_words(need: ApprovalNeed) -> str:
    circle = need.label or ", ".join((*need.groups, *need.people))
    return f"{need.count} of {circle}"
