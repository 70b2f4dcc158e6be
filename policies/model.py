"""The shape of a policy file: who may change what, when, how hard, and with whose approval.

In the manner of Kubernetes' ValidatingAdmissionPolicy. A rule's `expression` says what must be true;
several policies may match one change, and then every one of them has its say.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from changes.tagged import Value
from changes.verdict import ExecutionLimits
from policies.windows import Dated, Weekly, zone_of

UNATTENDED = frozenset({"lab", "dev"})
"""The only environments in which `without_approval: true` is believed: the built-in floor."""

RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(B|kB|MB|GB|KiB|MiB|GiB)/s")
RATE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
GROUP_ID = re.compile(r"S[A-Z0-9]{5,}")
PERSON_ID = re.compile(r"[UW][A-Z0-9]{5,}")

Expected = Literal["allowed", "needs_approvals", "denied"]


class Match(Value):
    """What a policy is about. What is left out matches everything."""

    changes: tuple[str, ...] = ()
    """By the words they begin with, such as `scale brokers`."""
    clusters: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def fits(self, *, change: str | None, cluster: str, environment: str) -> bool:
        return (
            (change is None or not self.changes or change in self.changes)
            and (not self.clusters or cluster in self.clusters)
            and (not self.environments or environment in self.environments)
        )


class Approvals(Value):
    """`count` distinct people of these groups or people; ids, since names can be taken."""

    count: int = Field(default=1, ge=1, le=10)
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    label: str = ""
    when: str = ""
    """Needed when this expression is true, or cannot be evaluated; always, when it is left out."""

    @field_validator("groups")
    @classmethod
    def group_ids(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return checked(ids, GROUP_ID, "Slack user group ids like S0123456789")

    @field_validator("people")
    @classmethod
    def person_ids(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return checked(ids, PERSON_ID, "Slack user ids like U0123456789")

    @model_validator(mode="after")
    def somebody(self) -> Self:
        if not self.groups and not self.people:
            raise ValueError("names nobody: give `groups` or `people`, since empty means nobody")
        if not self.groups and self.count > len(set(self.people)):
            raise ValueError(
                f"needs {self.count} approvals and names {len(set(self.people))} people"
            )
        return self


def checked(ids: tuple[str, ...], pattern: re.Pattern[str], wanted: str) -> tuple[str, ...]:
    for one in ids:
        if not pattern.fullmatch(one):
            raise ValueError(f"must be {wanted}; the name belongs in `label`; found `{one}`")
    return ids


class Rule(Value):
    """`expression` must be true. `message` or `messageExpression` tells people when it is not."""

    name: str = ""
    expression: str
    message: str = ""
    message_expression: str = Field(default="", alias="messageExpression")
    would_pass: str = ""
    severity: Literal["deny", "warn", "require-approvals"] = "deny"
    approvals: tuple[Approvals, ...] = ()

    @model_validator(mode="after")
    def complete(self) -> Self:
        if bool(self.message) == bool(self.message_expression):
            raise ValueError("needs either `message` or `messageExpression`")
        if self.severity == "require-approvals" and not self.approvals:
            raise ValueError("needs `approvals` with severity require-approvals")
        if self.severity != "require-approvals" and self.approvals:
            raise ValueError("takes `approvals` with severity require-approvals only")
        return self


class Limits(ExecutionLimits):
    """Only what is written here counts; the rest keeps its default or another policy's value."""

    @field_validator("throttle_bytes_per_second", mode="before")
    @classmethod
    def rate(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = RATE.fullmatch(value)
        if not found:
            raise ValueError(f"must be a rate like 50MB/s; found `{value}`")
        try:
            return round(float(found[1]) * RATE_UNITS[found[2]])
        except OverflowError:
            raise ValueError("must be a rate like 50MB/s; found one beyond all numbers") from None


class Example(Value):
    """Facts → what this policy says of them; run whenever the file is loaded."""

    name: str
    facts: dict[str, int | float | str | bool | list[str]]
    expect: Expected
    reason_contains: str = ""
    approvals: int | None = None
    """How many approvals are needed in all."""
    at: str = ""
    """A moment in the policy's time zone; without it windows and freezes are not asked."""

    @field_validator("at")
    @classmethod
    def moment(cls, text: str) -> str:
        if text:
            try:
                local = datetime.fromisoformat(text)
            except ValueError:
                raise ValueError(f"must be like 2026-11-23 10:00; found `{text}`") from None
            if not 1970 <= local.year <= 2200:
                raise ValueError(f"must lie between the years 1970 and 2200; found `{text}`")
            if local.tzinfo:
                raise ValueError("must be local time, in the policy's `tz`")
        return text


def how_often(freeze: Any) -> str:
    """A clock time means every week, a date once; complaints are then about the one that was meant."""
    if not isinstance(freeze, dict):
        return "dated" if isinstance(freeze, Dated) else "weekly"
    return "dated" if str(freeze.get("from", ""))[:4].isdigit() else "weekly"


Freeze = Annotated[
    Annotated[Weekly, Tag("weekly")] | Annotated[Dated, Tag("dated")], Discriminator(how_often)
]


class Policy(Value):
    name: str = Field(min_length=1)
    match: Match
    tz: str = "UTC"
    rules: tuple[Rule, ...] = ()
    approvals: tuple[Approvals, ...] = ()
    without_approval: bool = False
    windows: tuple[Weekly, ...] = ()
    """It may start in any of these; always, when there is none."""
    freezes: tuple[Freeze, ...] = ()
    expires_after_minutes: int = Field(default=480, ge=1, le=30 * 24 * 60)
    limits: Limits = Limits()
    examples: tuple[Example, ...] = ()

    @field_validator("tz")
    @classmethod
    def zone(cls, name: str) -> str:
        zone_of(name)
        return name

    @model_validator(mode="after")
    def floor_kept(self) -> Self:
        if not self.without_approval:
            return self
        if not self.match.environments or not set(self.match.environments) <= UNATTENDED:
            raise ValueError(
                "may say `without_approval: true` only where `match.environments` is lab or dev: "
                "everywhere else a second person approves"
            )
        return self


class PolicyFile(Value):
    policies: tuple[Policy, ...]
