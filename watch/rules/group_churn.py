"""A consumer group that rebalances again and again, or that cannot finish one rebalance.

*Often*: four rebalances began within 10 minutes; over when none began for 10 minutes. *Long*: one takes
more than 3 minutes. While members come and go nobody reads, so a group may look alive and do nothing.
Moving leaders and coordinators explains it. Rebalances shorter than the time between two scans are not
seen, nor why members leave; the first ones of a storm may pass unseen, since brokers are asked for their
groups in turn, once in five scans, until one rebalances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity, Unseen
from changes.lag import REBALANCING
from watch.age import span
from watch.history import History
from watch.lag_words import clock, group_subject
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

States = Sequence[tuple[float, str]]
SHOWN_MAX = 6


class GroupChurnSettings(RuleSettings):
    rebalances: int = Field(4, ge=2)
    """So many within the window are too many."""
    window_minutes: float = Field(10.0, gt=0)
    """So many rebalances within this time."""
    long_minutes: float = Field(3.0, gt=0)
    """One rebalance may take this long."""


class GroupChurn(Rule[GroupChurnSettings]):
    name = "group_churn"
    title = "Groups rebalance again and again"
    family = Family.CONSUMERS
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_LEADERS: "coordinators move: groups join again"
    }
    Settings = GroupChurnSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[GroupChurnSettings]
    ) -> Looked:
        scan = seen.lag
        if scan is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "groups were not listed")))
        findings: list[Finding] = []
        away: list[Unseen] = []
        for group in history.lag.groups():
            own, states = settings.of(group), history.lag.states(group)
            if not own.enabled:
                continue
            read = scan.groups.get(group)
            if read is None or read.error:
                why = read.error if read else "its coordinator did not tell of it"
                away.append(Unseen(rule=self.name, subject=group_subject(group), words=why))
            elif len(states) > 1 or (states and states[0][1] in REBALANCING):
                findings += self._of(group, states, own, seen, now.timestamp())
        return Looked(tuple(findings), tuple(away))

    def _of(
        self,
        group: str,
        states: States,
        settings: GroupChurnSettings,
        seen: Seen,
        now: float,
    ) -> Iterator[Finding]:
        window = settings.window_minutes * 60
        began = [at for at in rebalances(states) if now - at <= window]
        lasting = now - began_at(states) if states[-1][1] in REBALANCING else 0.0
        often = len(began) >= settings.rebalances
        long = lasting > settings.long_minutes * 60
        if not often and not long and not began:
            return
        words = f"{group} rebalanced {len(began)} times in {span(window)}"
        if long and not often:
            words = f"{group} has been rebalancing for {span(lasting)}"
        yield Finding(
            rule=self.name,
            kind="rebalances often" if often else "rebalances long" if long else "",
            family=self.family,
            subject=group_subject(group),
            severity=Severity.WARN,
            phase="trigger" if often or long else "between",
            words=words,
            lines=tuple(f"{clock(at, now)} {state}" for at, state in states[-SHOWN_MAX:]),
            for_seconds=0.0 if often else seen.scan_seconds,
            keep_seconds=0.0,
            measure=float(len(began)),
            measure_words=f"rebalances in {span(window)} ({group})",
            why_not="its members come and go: more brokers will not help",
        )


def rebalances(states: States) -> list[float]:
    """When each rebalance that was seen to begin began."""
    return [
        at
        for (_, before), (at, state) in pairwise(states)
        if state in REBALANCING and before not in REBALANCING
    ]


def began_at(states: States) -> float:
    """When the rebalance that is going on began, or was first seen."""
    began = states[-1][0]
    for at, state in reversed(states):
        if state not in REBALANCING:
            break
        began = at
    return began
