"""A broker that holds replicas, or that was here within a day, does not take part.

Known brokers are those that replica lists name, those seen within 24 hours while MSK still counts more
brokers than take part, and those MSK says it created. A broker that was removed on purpose is not
missed: then MSK counts one less. Only new brokers are excused by a change that adds some. It does not
see why a broker is away; MSK's state is another rule's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.broker_figures import LEADERS
from watch.history import History
from watch.readable import no_msk, no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.settled import away_brokers, restarts

REMEMBERED = timedelta(hours=24)
NEW_BROKERS = "new brokers"
"""Those that MSK counts and nobody has seen yet."""


class BrokerAwaySettings(RuleSettings):
    hold_minutes: float = Field(default=3, ge=0)
    """A clean restart takes less than this or little more."""
    restart_minutes: float = Field(default=20, ge=0)
    """The same while MSK itself restarts brokers, 5 to 15 minutes each."""
    clear_minutes: float = Field(default=3, ge=0)


class BrokerAway(Rule[BrokerAwaySettings]):
    name = "broker_away"
    title = "A broker does not take part"
    family = Family.CLUSTER
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.ADDS_BROKERS: "new brokers come and go while they start"
    }
    Settings = BrokerAwaySettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[BrokerAwaySettings]
    ) -> Looked:
        why = no_placement(seen)
        if why:
            return Looked(unseen=unseen(self.name, why))
        of = settings.base
        present = {one.broker_id for one in seen.brokers or ()}
        expected = seen.msk.broker_count if seen.msk else None
        holding = set(away_brokers(seen))
        seen_at = last_seen(history)
        known = {broker for broker, at in seen_at.items() if now - at <= REMEMBERED}
        created = {
            broker
            for one in seen.operations or ()
            if now - one.created_at <= REMEMBERED
            for broker in one.created_broker_ids
        }
        away = set(holding)
        if expected is not None and expected > len(present):
            away |= (known | created) - present
        minutes = of.restart_minutes if restarts(seen) else of.hold_minutes
        found = [
            self._finding(
                broker,
                holds=broker in holding,
                new=broker in created,
                at=seen_at.get(broker),
                minutes=minutes,
            )
            for broker in sorted(away)
        ]
        unnamed = (expected or 0) - len(present) - len(away)
        if unnamed > 0:
            found.append(self._never_seen(unnamed, expected or 0, len(present), minutes))
        unsaid = [f"broker {broker}" for broker in sorted((known | created) - present - away)]
        return Looked(
            tuple(one.with_(keep_seconds=of.clear_minutes * 60) for one in found),
            # Only MSK's count tells a broker that holds nothing and is away from one that was removed.
            unseen(self.name, no_msk(seen), (*unsaid, NEW_BROKERS)) if expected is None else (),
        )

    def _finding(
        self, broker: int, *, holds: bool, new: bool, at: datetime | None, minutes: float
    ) -> Finding:
        last = f"last seen {at:%d %b %H:%M} UTC" if at else "never seen since the watch began"
        what = "replicas it holds are missing" if holds else "it holds no replica"
        return self._made(
            f"broker {broker}",
            f"broker {broker} does not take part in the cluster",
            (last, what),
            minutes,
            old=holds or (at is not None and not new),
            broker_ids=(broker,),
        )

    def _never_seen(self, unnamed: int, expected: int, present: int, minutes: float) -> Finding:
        return self._made(
            NEW_BROKERS,
            f"MSK counts {expected} brokers, {present} take part in Kafka",
            (f"{unnamed} of them never took part since the watch began",),
            minutes,
            old=False,
            broker_ids=(),
        )

    def _made(
        self,
        subject: str,
        words: str,
        lines: tuple[str, ...],
        minutes: float,
        *,
        old: bool,
        broker_ids: tuple[int, ...],
    ) -> Finding:
        return Finding(
            rule=self.name,
            kind=self.name if old else "new broker away",
            family=self.family,
            subject=subject,
            severity=Severity.WARN,
            words=words,
            lines=lines,
            for_seconds=minutes * 60,
            why_not="MSK replaces a broker that fails by itself; another one does not bring it back",
            never_excused=old,
            broker_ids=broker_ids,
        )


def last_seen(history: History) -> Mapping[int, datetime]:
    """When each broker was last named by Kafka's metadata."""
    found = {}
    for broker in history.brokers.brokers():
        figures = history.brokers.figures(LEADERS, broker)
        if figures:
            found[broker] = figures[-1][0]
    return found
