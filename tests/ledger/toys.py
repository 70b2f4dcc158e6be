"""A change nobody needs, people and moments for the ledger's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from pydantic import PositiveInt

from changes.change import Change
from changes.lifecycle import Event
from changes.plan import Plan
from changes.request import Person, Request
from changes.steps import Step
from ledger import Audit, Ledger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PERSON = Person(user_id="U-ANA", name="Ana", groups=("S-SRE",))
SAID = Audit(actor="worker", event="moved", words="moved by a test")


class PolishBrokers(Change):
    """Make the brokers shine."""

    usage: ClassVar[str] = "polish brokers <times>"
    examples: ClassVar[tuple[str, ...]] = ("polish brokers 3",)

    times: PositiveInt

    def describe(self) -> str:
        return f"polish the brokers of {self.cluster} {self.times} times"


class Polish(Step):
    broker: int

    def title(self) -> str:
        return f"polish broker {self.broker}"


def plan_for(request: Request) -> Plan:
    plan = Plan(
        change=request.change,
        cluster_arn="arn:aws:kafka:eu-west-1:1:cluster/orders/1",
        msk_current_version="K1",
        summary="shine",
        steps=tuple(Polish(broker=broker) for broker in range(3)),
    )
    return plan.sealed(policy_digest="d" * 64)


def moved(ledger: Ledger, request: Request, *events: Event) -> Request:
    """Save one move after another."""
    for event in events:
        request = ledger.save(request.moved(event=event, now=NOW), audit=SAID)
    return request
