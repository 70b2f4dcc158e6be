"""A producer's transaction that stays open: readers of committed records stand still behind it.

Such a group has read all it may, so it is no lag; the producer is to blame. Shown from 5 minutes on, by
partition. It only looks at partitions on which a commit stands still, and does not see which
producer it is.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity
from watch.age import span
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_states import EntryVerdict, LagState, verdicts
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NAMED_MAX = 5


class OpenTransactionSettings(RuleSettings):
    open_minutes: float = Field(5.0, gt=0)
    """A transaction may be open this long."""


class OpenTransaction(Rule[OpenTransactionSettings]):
    name = "open_transaction"
    title = "A transaction stays open"
    family = Family.CONSUMERS
    Settings = OpenTransactionSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[OpenTransactionSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "offsets were not read")))
        if "stable ends" in seen.blind:
            return Looked(unseen=unseen(self.name, seen.blind["stable ends"]))
        groups = verdicts(history.lag, seen, now, Tuned(LagSettings()))
        waiting: dict[str, list[tuple[str, EntryVerdict]]] = {}
        for verdict in groups.values():
            for one in verdict.of(LagState.IN_TRANSACTION):
                if one.stuck_seconds >= settings.of(one.topic).open_minutes * 60:
                    waiting.setdefault(one.name, []).append((verdict.group, one))
        return Looked(
            tuple(self._finding(name, held, seen) for name, held in sorted(waiting.items()))
        )

    def _finding(self, partition: str, held: list[tuple[str, EntryVerdict]], seen: Seen) -> Finding:
        groups = sorted({group for group, _ in held})
        seconds = max(one.stuck_seconds for _, one in held)
        rest = len(groups) - NAMED_MAX
        waiting = ", ".join(groups[:NAMED_MAX]) + (f" and {rest:,} more" if rest > 0 else "")
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=f"partition {partition}",
            severity=Severity.INFO,
            words=f"a transaction on {partition} has been open for over {span(seconds)}: {waiting} wait",
            for_seconds=seen.scan_seconds,
            why_not="a producer has not ended its transaction: more brokers will not help",
        )
