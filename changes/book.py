"""What the watch remembers of one cluster between rounds: every alert, also those nobody was told of.

It lives in the ledger, so a restart loses nothing and two watch processes share it. The surprising
truth: the alerts here are the truth, those in an incident are what people were shown of them. Comparing
the two tells what is news, so nothing has to be queued for telling.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from changes.excuses import ChangeLease
from changes.incident import Alert, Family, Incident, Line, Severity
from changes.tagged import Value


class FamilyMute(Value):
    """An incident was muted from its message: the wish outlives the incident."""

    family: Family
    incident_id: str
    by: str
    until: AwareDatetime
    severity: Severity
    """What it was muted at; something worse is told all the same."""
    known: tuple[str, ...] = ()
    """Keys of what was grave when it was muted: nothing else that is grave is held back by it."""


class Before(Value):
    """The figure of an alert people knew of when a change began (or while it ran)."""

    key: str
    subject: str
    incident_id: str
    measure: float
    measure_words: str
    more_is_better: bool = False


class WatchedChange(Value):
    """A change whose lease was seen, until what it did is judged and its lease is gone."""

    lease: ChangeLease
    """As it was seen last."""
    seen_at: AwareDatetime
    """When its lease was there last."""
    runs: bool
    """The lease is there and not ended; a worker that died takes it away."""
    grace_seconds: float
    """After its end, how long what it explains is still held back."""
    held: tuple[str, ...] = ()
    """Keys of alerts that were held back and noted, at most `HELD_MAX`."""
    held_more: int = 0
    summed_up: bool = False
    judged: bool = False
    """The grace is over and what became of the figures was said."""
    before: tuple[Before, ...] = ()

    def holds(self, now: datetime) -> bool:
        """Does it still explain anything?"""
        return self.runs or self.in_grace(now)

    def in_grace(self, now: datetime) -> bool:
        ended = self.lease.ended_at
        return ended is not None and now < ended + timedelta(seconds=self.grace_seconds)


class Book(Value):
    cluster: str
    version: int = 0
    """Counted up with every save; 0 = nothing is stored yet."""
    at: AwareDatetime | None = None
    """The last round."""
    alerts: tuple[Alert, ...] = ()
    left_out: int = 0
    """Findings of the last round beyond `ALERTS_MAX`: counted, not followed."""
    muted: tuple[FamilyMute, ...] = ()
    changes: tuple[WatchedChange, ...] = ()
    past: tuple[Line, ...] = ()
    """What was over before anybody was told, newest last: a short rebalance, what a change explained."""
    one_off: Mapping[str, tuple[str, ...]] = {}
    """Objects with numbers in their names, by the name without them: which were told of."""
    incidents: tuple[Incident, ...] = Field(default=(), exclude=True)
    """The open ones and those whose figures are awaited; stored by themselves."""

    @property
    def awaited(self) -> frozenset[str]:
        """Incidents, possibly over, that are still to be told what became of their figures, or whose
        mute still holds and may be ended by a person."""
        figures = (
            one.incident_id for change in self.changes if not change.judged for one in change.before
        )
        return frozenset((*figures, *(one.incident_id for one in self.muted)))


ALERTS_MAX = 10_000
"""Followed per cluster. Each is half a kilobyte here; the ledger packs a full book into some 300 KiB."""
HELD_MAX = 500
PAST_MAX = 100
PAST_DAYS = 7
"""`past` holds at most so many lines, and none older than so many days."""
