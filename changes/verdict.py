"""What policies say of a plan: allowed, needs approvals (which), denied (why, and what would pass)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from changes.tagged import Value


class ExecutionLimits(Value):
    """How hard a change may work the cluster; AWS advises at most 10 partitions a call (Standard)."""

    throttle_bytes_per_second: int = Field(default=50_000_000, ge=100_000)
    partitions_per_call: int = Field(default=10, ge=1, le=20)
    partitions_in_flight: int = Field(default=20, ge=1, le=1000)
    cpu_percent_max: float = Field(default=70.0, gt=0, le=100)
    disk_used_percent_max: float = Field(default=85.0, gt=0, le=100)
    lag_gate: bool = True
    """Does the next batch wait for consumer groups that got into trouble while partitions moved?"""
    poll_seconds: float = Field(default=15.0, ge=0.2, le=600)
    """Between two looks at the cluster: MSK's rate limits are unpublished, so gently."""
    add_brokers_minutes_low: float = Field(default=15.0, ge=0)
    add_brokers_minutes_high: float = Field(default=45.0, ge=0)
    """How long MSK takes to add brokers; AWS documents nothing, so say what was seen here."""


class Reason(Value):
    """Why a rule said no. `would_pass` is the nearest thing it would allow, when it can be told."""

    rule: str
    message: str
    would_pass: str = ""
    passes: bool = False
    """Time alone will lift it: a window opens, a freeze ends."""


class ApprovalNeed(Value):
    """`count` distinct people out of these groups (Slack user group ids) or people (user ids).

    An empty list of both means nobody can approve: the loader refuses such a rule.
    """

    rule: str
    count: int = Field(ge=1)
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    label: str = ""
    """How people call this circle, such as `@kafka-approvers`."""


class Verdict(Value):
    outcome: Literal["allowed", "needs_approvals", "denied"]
    reasons: tuple[Reason, ...] = ()
    approvals: tuple[ApprovalNeed, ...] = ()
    warnings: tuple[str, ...] = ()
    policy_digest: str
    expires_after_minutes: int = Field(default=480, ge=1)

    @property
    def not_now(self) -> str:
        """Why it is denied at this hour only, in words; empty when time alone would not lift it."""
        if not self.reasons or not all(reason.passes for reason in self.reasons):
            return ""
        return "; ".join(
            f"{reason.message} ({reason.would_pass})" if reason.would_pass else reason.message
            for reason in self.reasons
        )

    def differences(self, later: Verdict) -> tuple[str, ...]:
        """What a later judgement of the same plan says otherwise, in words; empty = the same."""
        if later.outcome == "denied":
            return tuple(reason.message for reason in later.reasons)
        if later.approvals == self.approvals:
            return ()
        circles = ", ".join(
            f"{need.count} of {need.label or need.rule}" for need in later.approvals
        )
        return (f"policies ask for other approvals by now: {circles or 'none'}",)
