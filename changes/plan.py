"""Plan: ordered steps, what they mean to people, preconditions, a fingerprint.

The surprising truth: live readings (lag, CPU, sizes) are not compared for equality, since they
change every second. A plan is never silently computed afresh either: what runs is the plan people
voted on, after each of its preconditions was held against new facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, SerializeAsAny

from changes.facts import ClusterFacts
from changes.preconditions import Precondition
from changes.steps import Step
from changes.tagged import Tagged, Value


class CannotPlan(Value):
    """An expected no: the sentence says what was wrong, `would_pass` what would be right."""

    words: str
    would_pass: str = ""


class CardLine(Value):
    """One labelled fact on the card: a change writes its own, the card draws any."""

    label: str
    text: str


class Impact(Value):
    """What carrying the plan out means. Byte figures count replicas written to new places."""

    bytes_moved: int = 0
    bytes_lower_bound: int = 0
    replicas_moved: int = 0
    leaders_changed: int = 0
    partitions_touched: int = 0
    batches: int = 0
    throttle_bytes_per_second: int = 0
    bytes_in_per_broker: Mapping[int, int] = {}
    bytes_out_per_broker: Mapping[int, int] = {}
    peak_disk_bytes_per_broker: Mapping[int, int] = {}
    duration_seconds_low: float = 0
    duration_seconds_high: float = 0
    cost_usd_per_month: float | None = None
    """Change of the list price; None = not known for this type."""
    risk: Literal["low", "medium", "high"] = "low"


class Plan(Value):
    """`change` is the request's own change, kept inside so that a plan says what it is for."""

    change: SerializeAsAny[Tagged]
    cluster_arn: str
    msk_current_version: str
    summary: str
    steps: tuple[SerializeAsAny[Step], ...]
    lines: tuple[CardLine, ...] = ()
    warnings: tuple[str, ...] = ()
    cannot_be_undone: tuple[str, ...] = ()
    undo: str = ""
    preconditions: tuple[SerializeAsAny[Precondition], ...] = ()
    impact: Impact = Impact()
    policy_facts: Mapping[str, int | float | str | bool] = {}
    policy_digest: str = ""
    fingerprint: str = Field(default="", max_length=64)

    def sealed(self, *, policy_digest: str) -> Plan:
        """The plan with the policies' digest and its fingerprint filled in."""
        plan = self.with_(policy_digest=policy_digest, fingerprint="")
        return plan.with_(fingerprint=fingerprint(plan))

    def differences(self, facts: ClusterFacts) -> tuple[str, ...]:
        """What is no longer as it was approved, in words; empty = the plan still fits."""
        return tuple(words for one in self.preconditions for words in one.differences(facts))

    @property
    def intact(self) -> bool:
        """Does the stored plan still have the fingerprint people voted on?"""
        return self.fingerprint == fingerprint(self.with_(fingerprint=""))

    @property
    def short_fingerprint(self) -> str:
        return self.fingerprint[:8]


def fingerprint(plan: Plan) -> str:
    """SHA-256 over canonical JSON (sorted keys, no blanks) of what was approved."""
    content = plan.model_dump(
        mode="json",
        include={
            "change",
            "cluster_arn",
            "msk_current_version",
            "steps",
            "preconditions",
            "policy_digest",
        },
    )
    return hashlib.sha256(canonical(content)).hexdigest()


def canonical(content: Any) -> bytes:
    """One byte string per meaning: sorted keys, no blanks, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
