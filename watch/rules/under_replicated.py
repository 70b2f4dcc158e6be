"""Partitions with fewer copies in sync than they should have, gathered by the broker that lacks them.

A restart of one broker leaves its copies behind for some minutes, so it is told after 5. Copies that a
running reassignment is still bringing are another rule's business, and while MSK itself patches or
restarts brokers it waits for 20. The broker that lacks the copies is
the subject; when nearly all of them have one leader in common, that broker is named as the likely
cause. It does not see disks or networks. On Express brokers it does not apply: AWS keeps the copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.facts import Partition
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import restarts
from watch.topic_figures import are, named

COMMON_SHARE = 0.8
"""From so many on one leader in common is no accident."""


class UnderReplicatedSettings(RuleSettings):
    hold_minutes: float = Field(default=5, ge=0)
    restart_minutes: float = Field(default=20, ge=0)
    """The same while MSK itself restarts brokers, 5 to 15 minutes each."""
    clear_minutes: float = Field(default=5, ge=0)


class UnderReplicated(Rule[UnderReplicatedSettings]):
    name = "under_replicated"
    title = "Copies are missing"
    family = Family.CLUSTER
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "brokers of the plan are copying replicas"
    }
    Settings = UnderReplicatedSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[UnderReplicatedSettings]
    ) -> Looked:
        why = no_placement(seen)
        if not why and seen.msk is not None and seen.msk.express:
            why = "does not apply: AWS keeps the copies of Express brokers"
        if not why and seen.reassignments is None:
            why = "which replicas are still being moved could not be read"
        if why:
            return Looked(unseen=unseen(self.name, why))
        lacking: dict[int, list[Partition]] = {}
        for partition, broker in missing(seen):
            lacking.setdefault(broker, []).append(partition)
        return Looked(
            tuple(
                self._finding(broker, found, seen, settings.of(str(broker)))
                for broker, found in sorted(lacking.items())
            )
        )

    def _finding(
        self, broker: int, found: list[Partition], seen: Seen, of: UnderReplicatedSettings
    ) -> Finding:
        here = any(one.broker_id == broker for one in seen.brokers or ())
        state = "takes part, but lags behind" if here else "does not take part just now"
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"broker {broker}",
            severity=Severity.WARN,
            words=f"{are(len(found))} without an in-sync copy on broker {broker}",
            lines=(f"broker {broker} {state}", named(found), *common_leader(found)),
            for_seconds=(of.restart_minutes if restarts(seen) else of.hold_minutes) * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=float(len(found)),
            measure_words=f"copies not in sync on broker {broker}",
            why_not="more brokers do not bring a copy back into sync",
            broker_ids=(broker,),
        )


def missing(seen: Seen) -> Iterator[tuple[Partition, int]]:
    """Every copy that is out of sync and not just being brought by a reassignment."""
    adding = {
        (one.topic, one.partition, broker)
        for one in seen.reassignments or ()
        for broker in one.adding
    }
    for one in seen.partitions or ():
        if len(one.isr) >= len(one.replicas):
            continue
        for broker in one.replicas:
            if broker not in one.isr and (one.topic, one.partition, broker) not in adding:
                yield one, broker


def common_leader(found: list[Partition]) -> tuple[str, ...]:
    """The leader that nearly all of several partitions have in common: followers copy from it."""
    leaders = Counter(one.leader for one in found if one.leader is not None)
    if len(found) < 3 or not leaders:
        return ()
    leader, count = leaders.most_common(1)[0]
    if count < COMMON_SHARE * len(found):
        return ()
    return (f"{count} of them are led by broker {leader}: look there first",)
