"""Replay recorded facts against the policies as they are now: "would have denied 3 of 40"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, ValidationError

from changes.change import Change
from changes.tagged import Value
from changes.verdict import Verdict
from policies.evaluate import weigh
from policies.examples import typed
from policies.explain import judged, verdict_in_words
from policies.given import read_json
from policies.model import Expected
from policies.policies import Policies
from policies.vocabulary import phrase_of, variables_for


class Recorded(Value):
    """One line of the file. `change` is what a change begins with, such as `scale brokers`."""

    name: str = ""
    cluster: str
    change: str
    facts: dict[str, int | float | str | bool | list[str]]
    at: AwareDatetime | None = None
    expect: Expected | None = None


class Replayed(Value):
    name: str
    verdict: Verdict
    expect: Expected | None

    @property
    def as_expected(self) -> bool:
        return self.expect in (None, self.verdict.outcome)

    def words(self) -> str:
        differs = "" if self.as_expected else f" [was {self.expect}]"
        return f"{self.name}: {verdict_in_words(self.verdict)}{differs}"


def simulate(
    policies: Policies, file: Path, *, catalog: Sequence[type[Change]]
) -> list[Replayed] | str:
    """The verdict on every entry, or a sentence about the first that cannot be replayed."""
    data = read_json(file)
    if isinstance(data, str):
        return data
    found: list[Replayed] = []
    for number, entry in enumerate(data if isinstance(data, list) else [data], start=1):
        replayed = replay(policies, entry, f"entry {number}", catalog)
        if isinstance(replayed, str):
            return f"{file}: entry {number}: {replayed}"
        found.append(replayed)
    return found


def replay(
    policies: Policies, entry: Any, name: str, catalog: Sequence[type[Change]]
) -> Replayed | str:
    try:
        recorded = Recorded.model_validate(entry)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    change = next((one for one in catalog if phrase_of(one) == recorded.change), None)
    cluster = policies.clusters.get(recorded.cluster)
    if change is None:
        return f"there is no change `{recorded.change}`"
    if cluster is None:
        return f"there is no cluster `{recorded.cluster}`"
    facts, wrong_facts = typed(recorded.facts, variables_for([change]))
    if wrong_facts:
        return "; ".join(wrong_facts.values())
    here = {**facts, "cluster.name": cluster.name, "cluster.environment": cluster.environment}
    matching = policies.matching(cluster=cluster.name, change=recorded.change)
    weighed = [weigh(one, here, recorded.at) for one in matching]
    risk = str(facts.get("plan.risk", "low"))
    verdict = judged(policies, weighed, risk, recorded.change, cluster)
    return Replayed(name=recorded.name or name, verdict=verdict, expect=recorded.expect)


def summary(replayed: Sequence[Replayed]) -> str:
    counts = Counter(one.verdict.outcome for one in replayed)
    differing = sum(not one.as_expected for one in replayed)
    told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items())
    return f"{len(replayed)} replayed: {told or 'none'}; {differing} unlike what was recorded"
