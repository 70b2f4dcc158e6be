"""Facts for `explain` and `simulate`: from a file, or from a policy's own examples."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from changes.change import Change
from changes.facts import ClusterFacts
from changes.plan import CannotPlan
from changes.request import Person
from policies.examples import typed
from policies.policies import Policies
from policies.vocabulary import Facts, facts_of, phrase_of, variables_for


class Given(NamedTuple):
    facts: Facts
    source: str
    risk: str


def from_file(
    file: Path, *, policies: Policies, change: Change, person: Person, because: str
) -> Given | CannotPlan | str:
    """A survey (it is planned for real) or named facts; a sentence when the file is neither."""
    data = read_json(file)
    if isinstance(data, str):
        return data
    if not isinstance(data, dict):
        return f"{file}: must hold one JSON object, a survey or named facts"
    if "taken_at" not in data:
        return named(data, str(file), change)
    try:
        facts = ClusterFacts.model_validate(data)
    except ValidationError as wrong:
        return f"{file}: this is no survey: {wrong.errors()[0]['loc']} {wrong.errors()[0]['msg']}"
    plan = change.plan(facts, policies.limits(change.cluster))
    if isinstance(plan, CannotPlan):
        return plan
    values = facts_of(plan=plan, facts=facts, person=person, because=because)
    return Given(values, f"a plan made from {file}", plan.impact.risk)


def named(data: dict[str, Any], source: str, change: Change) -> Given | str:
    values, wrong = typed(data, variables_for([type(change)]))
    if wrong:
        return f"{source}: {'; '.join(wrong.values())}"
    return Given(values, source, str(values.get("plan.risk", "low")))


def read_json(file: Path) -> Any:
    """What the file holds (one value, or one a line); a sentence when it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        return f"{file}: cannot be read: {wrong}"
    try:
        return json.loads(text)
    except ValueError as wrong:
        first = wrong
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return f"{file}: this is not JSON: {first}"


def from_examples(policies: Policies, change: Change) -> Given | str:
    """The example that fits what was typed; else the first, with what was typed put in."""
    phrase = phrase_of(type(change))
    typed_in = overlay(change)
    examples = [
        (one.policy.name, example)
        for one in policies.matching(cluster=change.cluster, change=phrase)
        for example in one.policy.examples
    ]
    if not examples:
        return f"no policy about {change.cluster} has an example to take facts from: use --facts"
    name, example = next(
        (one for one in examples if typed_in.items() <= one[1].facts.items()), examples[0]
    )
    source = f"example `{example.name}` of policy {name}"
    other = {key: value for key, value in typed_in.items() if example.facts.get(key) != value}
    if other:
        source += f", but {', '.join(f'{key} = {value}' for key, value in other.items())} as typed"
    return named({**example.facts, **typed_in}, source, change)


def overlay(change: Change) -> dict[str, Any]:
    """Declared facts that are simply a field of the change: `scale.brokers` is `brokers`."""
    return {
        fact: getattr(change, fact.rpartition(".")[2])
        for fact in change.policy_fact_types
        if fact.rpartition(".")[2] in type(change).model_fields
    }


def moment(text: str) -> datetime | str:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return f"`{text}` is no moment; write it like 2026-11-23T10:00+01:00"
    return when if when.tzinfo else f"`{text}` needs its offset, like 2026-11-23T10:00+01:00"
