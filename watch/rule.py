"""The base of everything worth telling somebody: one file in `watch/rules/` each.

The docstring of a rule's module becomes its docs page and its help; the typed settings are the names
`policies/alerts.yaml` may set; `look` is a pure function. How long something must hold, flapping,
muting, excuses, grouping and Slack's budget are the incident's business, never a rule's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

from pydantic import model_validator

from changes.excuses import Effect
from changes.incident import Family, Finding, Unseen
from changes.tagged import Value
from watch.history import History
from watch.seen import Seen


class RuleSettings(Value):
    """What every rule may be told; each rule adds its own figures with units and defaults."""

    enabled: bool = True
    rising: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Names of settings that only make sense when none is above the one behind it: what is over cannot
    be worse than what is told."""

    @model_validator(mode="after")
    def in_order(self) -> Self:
        for names in self.rising:
            values = [getattr(self, name) for name in names]
            if any(low > high for low, high in pairwise(values)):
                order = " ≤ ".join(f"`{name}`" for name in names)
                found = ", ".join(f"{value:g}" for value in values)
                raise ValueError(f"needs {order}; they would be {found}")
        return self


S = TypeVar("S", bound=RuleSettings)


@dataclass(frozen=True)
class Tuned(Generic[S]):
    """A rule's settings for one cluster, with the exceptions made for some groups or topics."""

    base: S
    exceptions: tuple[tuple[str, S], ...] = field(default=())
    """(pattern, settings): the first pattern that fits an object's plain name decides."""

    def of(self, name: str) -> S:
        """Settings for the group or topic of this name."""
        for pattern, settings in self.exceptions:
            if fnmatchcase(name, pattern):
                return settings
        return self.base


class Looked(NamedTuple):
    """What a rule says: what it found, and what it could not look at."""

    findings: tuple[Finding, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    measures: tuple[tuple[str, float], ...] = ()
    """(a finding's key, the figure now) of objects that are fine: after a change it is said what
    became of a figure that is no finding any more. Optional."""


class Rule(Generic[S]):
    """One thing worth telling somebody. Subclasses live in `watch/rules/`, one file each."""

    name: ClassVar[str]
    """The file's name: what `alerts.yaml` calls it."""
    title: ClassVar[str]
    """A few words for people."""
    family: ClassVar[Family]
    excused_by: ClassVar[Mapping[Effect, str]] = {}
    """Effects of a running change that explain its findings, each with the reason in words."""
    Settings: ClassVar[type[RuleSettings]] = RuleSettings

    def look(self, history: History, seen: Seen, now: datetime, settings: Tuned[S]) -> Looked:
        raise NotImplementedError(f"{type(self).__name__} must look")
