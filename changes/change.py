"""The base of everything people can ask for: one file in `changes/catalog/` each.

The docstring of a change's module becomes its docs page and its help; `usage` becomes grammar,
help and suggestions; the typed fields check what was typed; `plan` is arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from changes.excuses import Effect
from changes.facts import ClusterFacts
from changes.plan import CannotPlan, Plan
from changes.tagged import Tagged
from changes.verdict import ExecutionLimits

FactType = Literal["int", "double", "string", "bool"]


class Change(Tagged):
    """A typed wish for one cluster."""

    usage: ClassVar[str]
    """Such as `scale brokers <brokers>`; `<name>` is a field. ` on <cluster>` and
    ` because <reason>` may follow every change and are the grammar's business."""
    examples: ClassVar[tuple[str, ...]]
    policy_fact_types: ClassVar[Mapping[str, FactType]] = {}
    """The named facts a rule may limit, with CEL types, such as `scale.brokers_added: int`."""

    effects: ClassVar[tuple[Effect, ...]] = ()
    """What it does to a cluster while it runs; the watch holds back the alerts this explains."""

    cluster: str

    def describe(self) -> str:
        """What is asked for, in a few words with the cluster's name."""
        raise NotImplementedError(f"{type(self).__name__} must describe itself")

    def plan(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        raise NotImplementedError(f"{type(self).__name__} must be able to plan")
