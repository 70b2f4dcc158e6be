"""Every policy carries its own examples; one that no longer holds is a problem of the file."""

from __future__ import annotations

from datetime import datetime

from changes.verdict import Verdict
from policies.evaluate import CompiledPolicy, Weighed, verdict_of, weigh
from policies.expressions import Scalar, VariableType
from policies.model import Example
from policies.problems import Problem, did_you_mean
from policies.vocabulary import Facts
from policies.windows import zone_of
from policies.yaml_nodes import Document


def failing(policy: CompiledPolicy, index: int, document: Document) -> list[Problem]:
    found: list[Problem] = []
    for number, example in enumerate(policy.policy.examples):
        path = ("policies", index, "examples", number)
        facts, wrong = typed(example.facts, policy.variables)
        for name, message in wrong.items():
            hint = did_you_mean(name, policy.variables) if name not in policy.variables else ""
            found.append(
                document.problem((*path, "facts", name), message, suggestion=hint, at_key=True)
            )
        if not wrong and (message := disagreement(policy, example, facts)):
            found.append(document.problem((*path, "expect"), message))
    return found


def typed(
    facts: dict[str, int | float | str | bool | list[str]],
    variables: dict[str, VariableType],
) -> tuple[Facts, dict[str, str]]:
    """Facts as CEL wants them, and what is wrong with the others."""
    good: dict[str, Scalar | list[str]] = {}
    wrong: dict[str, str] = {}
    for name, value in facts.items():
        kind = variables.get(name)
        if kind is None:
            wrong[name] = f"fact `{name}` is not known"
        elif kind == "double" and type(value) is int:
            good[name] = float(value)
        elif kind_of(value) != kind:
            wrong[name] = f"fact `{name}` must be {kind}, not {kind_of(value)}"
        else:
            good[name] = value
    return good, wrong


def kind_of(value: object) -> str:
    names = {bool: "bool", int: "int", float: "double", str: "string", list: "list<string>"}
    return names[type(value)]


def judged(policy: CompiledPolicy, example: Example, facts: Facts) -> tuple[Weighed, Verdict]:
    """This policy alone; the floor only where it names approvers itself."""
    now = None
    if example.at:
        now = datetime.fromisoformat(example.at).replace(tzinfo=zone_of(policy.policy.tz))
    weighed = weigh(policy, facts, now)
    risk = str(facts.get("plan.risk", "low"))
    floor = policy.names_approvers
    return weighed, verdict_of([weighed], risk=risk, digest="", floor=floor)


def disagreement(policy: CompiledPolicy, example: Example, facts: Facts) -> str:
    """Nothing when the example holds; else what was said instead."""
    verdict = judged(policy, example, facts)[1]
    reasons = "; ".join(f"{one.rule}: {one.message}" for one in verdict.reasons)
    said = f"example `{example.name}`: the verdict is {verdict.outcome}"
    if verdict.outcome != example.expect:
        return f"{said}, not {example.expect}" + (f" ({reasons})" if reasons else "")
    told = "; ".join([reasons, *verdict.warnings])
    if example.reason_contains not in told:
        return f"{said} as expected, but `{example.reason_contains}` is not in: {told or 'nothing'}"
    count = sum(need.count for need in verdict.approvals)
    if example.approvals is not None and count != example.approvals:
        return f"{said} as expected, but with {count} approvals, not {example.approvals}"
    return ""
