"""A policy's expressions, compiled against the facts its changes have; complaints at their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from changes.change import Change
from policies.evaluate import CompiledApprovals, CompiledPolicy, CompiledRule
from policies.expressions import BadExpression, Compiled, VariableType, compiled
from policies.model import Approvals, Policy, Rule
from policies.problems import Problem, Problems, did_you_mean
from policies.vocabulary import phrase_of, variables_for
from policies.yaml_nodes import Document
from policies.yaml_nodes import Path as Keys


def compile_policy(
    policy: Policy, *, index: int, document: Document, catalog: Sequence[type[Change]]
) -> CompiledPolicy | Problems:
    path: Keys = ("policies", index)
    by_phrase = {phrase_of(change): change for change in catalog}
    unknown = unknown_changes(policy, path, document, by_phrase)
    meant = [by_phrase[name] for name in policy.match.changes if name in by_phrase]
    if policy.match.changes and not meant:
        return Problems(unknown)
    work = Compiler(document, variables_for(meant or catalog), by_phrase)
    rules = [
        work.rule(rule, policy.name, number, (*path, "rules", number))
        for number, rule in enumerate(policy.rules)
    ]
    approvals = work.approvals(policy.approvals, (*path, "approvals"))
    if problems := [*unknown, *work.problems]:
        return Problems(problems)
    return CompiledPolicy(
        file=document.file,
        policy=policy,
        rules=tuple(rule for rule in rules if rule is not None),
        approvals=approvals,
        variables=dict(work.variables),
    )


def unknown_changes(
    policy: Policy, path: Keys, document: Document, known: Mapping[str, type[Change]]
) -> list[Problem]:
    return [
        document.problem(
            (*path, "match", "changes", number),
            f"there is no change `{name}`",
            suggestion=did_you_mean(name, known) or f"known: {', '.join(known) or 'none'}",
        )
        for number, name in enumerate(policy.match.changes)
        if name not in known
    ]


class Compiler:
    """Compiles for one policy and keeps every problem, not only the first."""

    def __init__(
        self,
        document: Document,
        variables: Mapping[str, VariableType],
        changes: Mapping[str, type[Change]],
    ) -> None:
        self.document = document
        self.variables = variables
        self.changes = changes
        self.problems: list[Problem] = []

    def rule(self, rule: Rule, policy: str, number: int, path: Keys) -> CompiledRule | None:
        expression = self.expression(rule.expression, (*path, "expression"), "bool")
        message = None
        if rule.message_expression:
            message = self.expression(
                rule.message_expression, (*path, "messageExpression"), "string"
            )
        approvals = self.approvals(rule.approvals, (*path, "approvals"))
        if expression is None:
            return None
        name = f"{policy}: {rule.name or f'rule {number + 1}'}"
        return CompiledRule(name, rule, expression, message, approvals)

    def approvals(
        self, approvals: Sequence[Approvals], path: Keys
    ) -> tuple[CompiledApprovals, ...]:
        return tuple(
            CompiledApprovals(
                one,
                self.expression(one.when, (*path, number, "when"), "bool") if one.when else None,
            )
            for number, one in enumerate(approvals)
        )

    def expression(
        self, source: str, path: Keys, gives: Literal["bool", "string"]
    ) -> Compiled | None:
        found = compiled(source, variables=self.variables, gives=gives)
        if isinstance(found, Compiled):
            return found
        line, column = self.document.inside(path, source, found.line, found.column)
        self.problems.append(
            Problem(
                file=self.document.file,
                line=line,
                column=column,
                message=f"in `{path[-1]}`: {found.message}",
                suggestion=self.hint(found),
            )
        )
        return None

    def hint(self, bad: BadExpression) -> str:
        """The nearest fact; or whose fact it is; or how numbers are made alike."""
        if bad.message.endswith("is not known"):
            name = bad.message.split("`")[1]
            return self.owner(name) or nearest_fact(name, self.variables)
        if "overload" in bad.message and "int" in bad.message and "double" in bad.message:
            return (
                "write both sides alike: 12 beside whole numbers, 12.0 or double(…) beside others"
            )
        return ""

    def owner(self, name: str) -> str:
        of = [phrase for phrase, change in self.changes.items() if name in change.policy_fact_types]
        return f"only `{'`, `'.join(of)}` has it: name that in `match.changes`" if of else ""


def nearest_fact(name: str, known: Mapping[str, VariableType]) -> str:
    """`brokers` may be short for `scale.brokers`; else by likeness."""
    longer = [one for one in known if one.endswith(f".{name}")]
    return f"did you mean `{longer[0]}`?" if longer else did_you_mean(name, known)
