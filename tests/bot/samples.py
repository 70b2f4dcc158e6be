"""Requests in every state, built by hand, so that cards are drawn without any other room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from changes.change import Change
from changes.facts import ClusterFacts
from changes.lifecycle import State
from changes.plan import CannotPlan, CardLine, Impact, Plan
from changes.ports import World
from changes.request import LogLine, Outcome, Person, Progress, Request, Vote
from changes.steps import Finished, Look, Step
from changes.verdict import ApprovalNeed, ExecutionLimits, Reason, Verdict

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANN = Person(user_id="U0ANN", name="ann")
BOB = Person(user_id="U0BOB", name="bob", groups=("S0APPROVE",))
CAROL = Person(user_id="U0CAROL", name="carol", groups=("S0APPROVE",))

HOSTILE = (
    "<!channel> <@U0BOB> <https://evil.example|docs> *bold* _it_ ~no~ `rm` & @here :smile:\n"
    "> quoted \u202egnp.exe \u200b https://evil.example/x"
)


class SampleGrow(Change):
    """A change that only cards look at."""

    usage: ClassVar[str] = "sample grow <brokers>"
    examples: ClassVar[tuple[str, ...]] = ("sample grow 6",)
    policy_fact_types: ClassVar[Mapping[str, Any]] = {}

    brokers: int

    def describe(self) -> str:
        return f"Scale {self.cluster} from 3 to {self.brokers} brokers"

    def plan(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        raise NotImplementedError("cards never plan")


class SampleStep(Step):
    words: str

    def title(self) -> str:
        return self.words

    async def look(self, world: World) -> Look:
        del world
        return Finished()


GROW = SampleGrow(cluster="orders-prod", brokers=6)
STEPS = tuple(
    SampleStep(words=words)
    for words in (
        "Add 3 brokers",
        "Wait until brokers 4, 5, 6 are registered with their AZ",
        "Move 34 replicas in 4 batches",
        "Elect preferred leaders",
        "Remove throttles",
        "Validate every broker",
    )
)
IMPACT = Impact(
    bytes_moved=41_200_000_000,
    bytes_lower_bound=40_900_000_000,
    replicas_moved=34,
    leaders_changed=12,
    partitions_touched=30,
    batches=4,
    throttle_bytes_per_second=50_000_000,
    duration_seconds_low=35 * 60,
    duration_seconds_high=50 * 60,
    cost_usd_per_month=1234.4,
    risk="medium",
)
PLAN = Plan(
    change=GROW,
    cluster_arn="arn:aws:kafka:eu-west-1:111122223333:cluster/orders-prod/abc-1",
    msk_current_version="K3P5ROKL5A1OLE",
    summary="Add one broker per AZ (4, 5, 6) and spread 30 partitions over all six",
    steps=STEPS,
    lines=(
        CardLine(label="Brokers", text="3 → 6, one more in each of use1-az1, use1-az2, use1-az4"),
        CardLine(label="Fullest disk", text="71 % now, at most 74 % on the way, 36 % afterwards"),
    ),
    warnings=("Consumers reconnect as leaders move.",),
    cannot_be_undone=("MSK bills the new brokers until they are removed",),
    undo="Before brokers are added: cancel. Afterwards: a new change that removes them.",
    impact=IMPACT,
)
NEED = ApprovalNeed(
    rule="second-engineer", count=1, groups=("S0APPROVE",), label="@kafka-approvers"
)
NEEDS = Verdict(outcome="needs_approvals", approvals=(NEED,), policy_digest="d" * 64)
DENIED = Verdict(
    outcome="denied",
    reasons=(
        Reason(
            rule="brokers-max",
            message="orders-prod may have at most 12 brokers; 30 were asked for.",
            would_pass="6, 9 or 12 brokers",
        ),
    ),
    policy_digest="d" * 64,
)


def request(**fields: Any) -> Request:
    """R-17, just asked for; fields as the test wants them."""
    base: dict[str, Any] = {
        "id": "R-17",
        "change": GROW,
        "because": "Black Friday",
        "requester": ANN,
        "channel": "C0KAFKA",
        "asked_in": "C0KAFKA",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Request(**(base | fields))


def planned(**fields: Any) -> Request:
    """R-17 with its plan, waiting for a second engineer."""
    base: dict[str, Any] = {
        "state": State.AWAITING_APPROVAL,
        "revision": 1,
        "plan": PLAN.sealed(policy_digest="d" * 64),
        "verdict": NEEDS,
        "expires_at": NOON + timedelta(hours=8),
    }
    return request(**(base | fields))


def vote(person: Person, choice: str = "approve", reason: str = "") -> Vote:
    fingerprint = planned().fingerprint
    return Vote.model_validate(
        {
            "person": person,
            "choice": choice,
            "fingerprint": fingerprint,
            "at": NOON + timedelta(minutes=3),
            "reason": reason,
        }
    )


def progress(**fields: Any) -> Progress:
    base: dict[str, Any] = {
        "step": 2,
        "started_at": NOON,
        "step_started_at": NOON + timedelta(minutes=8),
        "note": "Batch 3 of 4: orders-12, orders-13, payments-2",
        "done": 25_500_000_000,
        "total": 41_200_000_000,
        "unit": "bytes",
    }
    return Progress(**(base | fields))


def running(**fields: Any) -> Request:
    later = NOON + timedelta(minutes=28)
    base: dict[str, Any] = {
        "state": State.RUNNING,
        "votes": (vote(BOB),),
        "progress": progress(),
        "updated_at": later,
    }
    return planned(**(base | fields))


def every_state() -> dict[str, Request]:
    """One request for each state, and for each face a state can show."""
    needs_two = NEEDS.with_(approvals=(NEED.with_(count=2),), warnings=("Peak hours.",))
    outcome = Outcome(
        words="Six brokers carry the load; nothing is under-replicated.",
        seconds=41 * 60,
        bytes_moved=41_350_000_000,
        replicas_moved=34,
        leaders_changed=13,
    )
    broke = Outcome(words="Broker 5 did not come back for 15 minutes.", seconds=1900)
    line = LogLine(at=NOON, text="Cancelled by <@U0ANN>")
    return {
        "preparing": request(),
        "awaiting_approval": planned(),
        "awaiting_one_more": planned(verdict=needs_two, votes=(vote(BOB),)),
        "awaiting_again": planned(
            revision=2,
            differences=("MSK has 4 brokers, it had 3", "topic orders grew from 1.0 GB to 3.2 GB"),
        ),
        "queued_first": planned(state=State.QUEUED, votes=(vote(BOB),)),
        "queued_third": planned(state=State.QUEUED, votes=(vote(BOB),), line_position=2),
        "allowed_as_it_is": planned(
            state=State.QUEUED, verdict=Verdict(outcome="allowed", policy_digest="d" * 64)
        ),
        "running_unplanned_yet": running(progress=None),
        "running": running(),
        "running_without_total": running(progress=progress(step=0, total=0, done=0, unit="")),
        "running_held": running(
            progress=progress(hold="2 partitions are under-replicated (orders-3, orders-4)")
        ),
        "rolling_back": running(state=State.ROLLING_BACK),
        "done": running(state=State.DONE, progress=progress(step=6), outcome=outcome),
        "failed": running(state=State.FAILED, outcome=broke),
        "rolled_back": running(state=State.ROLLED_BACK, outcome=broke),
        "needs_attention": running(state=State.NEEDS_ATTENTION, outcome=broke),
        "cancelled": planned(state=State.CANCELLED, log=(line,)),
        "rejected": planned(
            state=State.REJECTED, votes=(vote(BOB, "reject", "not before the release"),)
        ),
        "expired": planned(state=State.EXPIRED),
        "denied": planned(state=State.DENIED, verdict=DENIED),
        "denied_without_plan": request(state=State.DENIED, verdict=DENIED),
    }
