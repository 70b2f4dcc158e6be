"""A change that only counts, for tests of everything around changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from changes.change import Change, FactType
from changes.facts import ClusterFacts
from changes.lifecycle import Event
from changes.plan import CannotPlan, Plan
from changes.ports import World
from changes.request import Person, Request, judged
from changes.steps import Acted, Finished, Look, NotStarted, Step
from changes.verdict import ApprovalNeed, ExecutionLimits, Verdict

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class CountStep(Step):
    to: int

    def title(self) -> str:
        return f"Count to {self.to}"

    async def look(self, world: World) -> Look:
        if world.memory.get("counted") == self.to:
            return Finished(note="counted")
        return NotStarted()

    async def act(self, world: World) -> Acted:
        del world
        return {"counted": self.to}


class Count(Change):
    usage: ClassVar[str] = "count <to>"
    examples: ClassVar[tuple[str, ...]] = ("count 3",)
    policy_fact_types: ClassVar[Mapping[str, FactType]] = {"count.to": "int"}

    to: int

    def describe(self) -> str:
        return f"Count to {self.to} on {self.cluster}"

    def plan(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        del facts, limits
        return toy_plan(self)


def toy_plan(change: Change, to: int = 3) -> Plan:
    return Plan(
        change=change,
        cluster_arn="arn:aws:kafka:us-east-1:123456789012:cluster/orders-prod/x-1",
        msk_current_version="K1",
        summary=f"Count to {to}",
        steps=(CountStep(to=to),),
    )


ANN = Person(user_id="UANN", name="ann")
BOB = Person(user_id="UBOB", name="bob", groups=("SAPPROVERS",))
CAROL = Person(user_id="UCAROL", name="carol", groups=("SAPPROVERS",))
DAN = Person(user_id="UDAN", name="dan", groups=("SLEADS",))
EVE = Person(user_id="UEVE", name="eve", groups=("SAPPROVERS",), standing="you are deactivated")
FAY = Person(user_id="UFAY", name="fay")

ONE = ApprovalNeed(rule="one", count=1, groups=("SAPPROVERS",), label="@kafka-approvers")


def waiting(*needs: ApprovalNeed, requester: Person = ANN) -> Request:
    """A request that waits for approvals."""
    change = Count(cluster="orders-prod", to=3)
    request = Request(
        id="R-17",
        change=change,
        requester=requester,
        channel="CKAFKA",
        created_at=NOW,
        updated_at=NOW,
    )
    verdict = Verdict(outcome="needs_approvals", approvals=needs or (ONE,), policy_digest="d" * 64)
    planned = judged(request, plan=toy_plan(change), verdict=verdict, now=NOW)
    return planned.moved(event=Event.PREPARED_NEEDS_APPROVALS, now=NOW)
