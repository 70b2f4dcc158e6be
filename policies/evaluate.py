"""Compiled policies and named facts → verdict. Pure: the moment is handed in.

1. Each policy that matches is weighed by itself: rules, windows, approvals.
2. The strictest wins: one denial denies, every circle of approvers is needed, the earliest expiry.
3. The built-in floor is laid under it: a second person for whatever acts, two for high risk.

The surprising truth: a rule that cannot be evaluated denies, whatever its severity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from changes.verdict import ApprovalNeed, Reason, Verdict
from policies.expressions import Compiled, VariableType
from policies.model import Approvals, Policy, Rule
from policies.vocabulary import Facts, time_facts
from policies.windows import first_moment, zone_of

FLOOR = "built-in floor"


@dataclass(frozen=True)
class CompiledApprovals:
    approvals: Approvals
    when: Compiled | None


@dataclass(frozen=True)
class CompiledRule:
    name: str
    rule: Rule
    expression: Compiled
    message: Compiled | None
    approvals: tuple[CompiledApprovals, ...] = ()


@dataclass(frozen=True)
class CompiledPolicy:
    file: str
    policy: Policy
    rules: tuple[CompiledRule, ...]
    approvals: tuple[CompiledApprovals, ...]
    variables: dict[str, VariableType]
    """The facts its expressions and examples may name."""

    def fits(self, *, change: str | None, cluster: str, environment: str) -> bool:
        return self.policy.match.fits(change=change, cluster=cluster, environment=environment)

    def open_at(self, now: datetime) -> bool:
        policy = self.policy
        opened = not policy.windows or any(window.holds(now) for window in policy.windows)
        return opened and not any(freeze.holds(now) for freeze in policy.freezes)

    @property
    def names_approvers(self) -> bool:
        return bool(self.approvals) or any(rule.approvals for rule in self.rules)


@dataclass(frozen=True)
class RuleResult:
    """What one rule said; `denies`, `warns` and `needs` follow from its severity."""

    rule: str
    passed: bool
    effect: Literal["", "denies", "warns", "needs approvals"]
    message: str = ""
    would_pass: str = ""
    needs: tuple[ApprovalNeed, ...] = ()
    passes: bool = False
    """Time alone will lift it."""


@dataclass(frozen=True)
class Weighed:
    """What one policy says."""

    policy: CompiledPolicy
    results: tuple[RuleResult, ...]
    needs: tuple[ApprovalNeed, ...]


def weigh(policy: CompiledPolicy, facts: Facts, now: datetime | None) -> Weighed:
    """`now` is None where time plays no part (an example without `at`)."""
    timed = facts if now is None else {**facts, **time_facts(now, zone_of(policy.policy.tz))}
    results = [result_of(rule, timed) for rule in policy.rules]
    if now is not None and not policy.open_at(now):
        results.append(closed(policy, now))
    needs = [*needed(policy.approvals, policy.policy.name, timed)]
    needs += [need for result in results for need in result.needs]
    return Weighed(policy, tuple(results), tuple(needs))


def result_of(rule: CompiledRule, facts: Facts) -> RuleResult:
    answer = rule.expression.evaluate(facts)
    if answer.true:
        return RuleResult(rule.name, True, "")
    if answer.value is None:
        return RuleResult(rule.name, False, "denies", f"could not be judged: {answer.error}")
    message, would_pass = told(rule, facts), rule.rule.would_pass
    if rule.rule.severity == "require-approvals":
        needs = needed(rule.approvals, rule.name, facts)
        return RuleResult(rule.name, False, "needs approvals", message, would_pass, needs)
    effect: Literal["warns", "denies"] = "warns" if rule.rule.severity == "warn" else "denies"
    return RuleResult(rule.name, False, effect, message, would_pass)


def told(rule: CompiledRule, facts: Facts) -> str:
    if rule.message is None:
        return rule.rule.message
    answer = rule.message.evaluate(facts)
    return answer.value if isinstance(answer.value, str) else f"not true: {rule.rule.expression}"


def needed(
    approvals: Iterable[CompiledApprovals], rule: str, facts: Facts
) -> tuple[ApprovalNeed, ...]:
    """Those whose `when` is not plainly false: what cannot be evaluated is asked for."""
    return tuple(
        ApprovalNeed(
            rule=rule,
            count=one.approvals.count,
            groups=one.approvals.groups,
            people=one.approvals.people,
            label=one.approvals.label,
        )
        for one in approvals
        if one.when is None or one.when.evaluate(facts).value is not False
    )


def closed(policy: CompiledPolicy, now: datetime) -> RuleResult:
    """Outside its windows, or in a freeze, in words."""
    name = policy.policy.name
    frozen = next((one for one in policy.policy.freezes if one.holds(now)), None)
    if frozen:
        why = f": {frozen.reason}" if frozen.reason else ""
        message = f"changes are frozen ({frozen.words()}){why}"
    else:
        windows = "; ".join(window.words() for window in policy.policy.windows)
        message = f"changes may start only in these windows: {windows}"
    opens = first_moment(now, policy.open_at)
    local = opens.astimezone(zone_of(policy.policy.tz)) if opens else None
    would_pass = f"from {local:%a %Y-%m-%d %H:%M} {policy.policy.tz}" if local else ""
    return RuleResult(name, False, "denies", message, would_pass, passes=True)


def verdict_of(
    weighed: Sequence[Weighed], *, risk: str, digest: str, floor: bool = True
) -> Verdict:
    """`floor=False` only for an example of a policy that leaves approvers to others."""
    results = [result for one in weighed for result in one.results]
    warnings = tuple(result.message for result in results if result.effect == "warns")
    reasons = [
        Reason(
            rule=result.rule,
            message=result.message,
            would_pass=result.would_pass,
            passes=result.passes,
        )
        for result in results
        if result.effect == "denies"
    ]
    needs = merged(need for one in weighed for need in one.needs)
    unattended = any(one.policy.policy.without_approval for one in weighed)
    if floor and not unattended:
        needs = raised(needs, risk)
        reasons += [] if needs or reasons else [nobody_named()]
    expires = min((one.policy.policy.expires_after_minutes for one in weighed), default=480)
    outcome: Literal["allowed", "needs_approvals", "denied"] = (
        "denied" if reasons else "needs_approvals" if needs else "allowed"
    )
    return Verdict(
        outcome=outcome,
        reasons=tuple(reasons),
        approvals=() if reasons else needs,
        warnings=warnings,
        policy_digest=digest,
        expires_after_minutes=expires,
    )


def merged(needs: Iterable[ApprovalNeed]) -> tuple[ApprovalNeed, ...]:
    """The same circle asked for twice is asked for once, with the larger number."""
    by_circle: dict[tuple[frozenset[str], frozenset[str]], ApprovalNeed] = {}
    for need in needs:
        circle = frozenset(need.groups), frozenset(need.people)
        before = by_circle.get(circle)
        if before is None or need.count > before.count:
            by_circle[circle] = need
    return tuple(by_circle.values())


def raised(needs: tuple[ApprovalNeed, ...], risk: str) -> tuple[ApprovalNeed, ...]:
    """High risk takes two people, whatever the files say."""
    lacking = 2 - sum(need.count for need in needs)
    if risk != "high" or not needs or lacking <= 0:
        return needs
    return (needs[0].with_(count=needs[0].count + lacking), *needs[1:])


def nobody_named() -> Reason:
    return Reason(
        rule=FLOOR,
        message="no policy says who approves this, and nothing acts without a second person",
        would_pass="a policy with `approvals` that covers it",
    )
