"""Findings of alert rules, the alerts they become, and the incident people see: one Slack message.

A rule reports what it sees now (`Finding`); an `Alert` is that over time; an `Incident` gathers the
alerts of one cluster and one family. The surprising truth: "not seen" is neither bad nor good. An
alert nobody could look at stays as it is, marked stale; it neither resolves nor repeats.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

from pydantic import AwareDatetime

from changes.lifecycle import IllegalMove
from changes.request import Person, Refusal, mention
from changes.tagged import Value


class Severity(IntEnum):
    """How loud: info is shown, warn is posted, crit also calls somebody."""

    INFO = 1
    WARN = 2
    CRIT = 3


class Family(StrEnum):
    """Which message an alert belongs to: one incident a family and cluster."""

    CONSUMERS = "consumers"
    DATA = "data safety"
    BALANCE = "balance"
    CAPACITY = "capacity"
    CLUSTER = "cluster"


class TrendLine(Value):
    """One line of a chart: at most 20 points, oldest first."""

    name: str
    points: tuple[tuple[AwareDatetime, float], ...]


class Trend(Value):
    """What to draw where a trend matters; at most 6 lines."""

    title: str
    unit: str
    lines: tuple[TrendLine, ...]


class Finding(Value):
    """What a rule says of one object now. Everything from outside in it is plain text: whoever shows
    it makes it harmless."""

    rule: str
    """The rule's name; with `kind` and `subject` the alert's identity."""
    kind: str
    """Such as `stopped` or `falling behind`; a rule with one kind repeats its name."""
    family: Family
    subject: str
    """Such as `group payments`, `broker 2`, `topic orders`; `cluster` for the whole."""
    severity: Severity
    phase: Literal["trigger", "between"] = "trigger"
    """`between` = no longer bad enough to open an alert, not yet good enough to end one; with an empty
    `kind` it holds for every kind that fires of this rule and subject."""
    words: str
    """One line that says what is wrong, with the figure."""
    lines: tuple[str, ...] = ()
    """More for the thread: who owns it, since when, what was not seen."""
    for_seconds: float = 60.0
    """How long it must hold before people are told; 0 = at once."""
    keep_seconds: float = 300.0
    """How long it must be gone before it counts as over."""
    measure: float | None = None
    """The figure itself, to say after a change what became of it."""
    measure_words: str = ""
    """Such as `most leaders over the mean`."""
    more_is_better: bool = False
    """Of the figure; otherwise less is."""
    trend: Trend | None = None
    proposal: str = ""
    """The change that would help, as text for the grammar, such as `scale brokers 6`."""
    why_not: str = ""
    """Why more brokers will not help; shown instead of a button."""
    never_excused: bool = False
    """Too serious for any running change to hold back."""
    broker_ids: tuple[int, ...] = ()
    """Brokers it is about, when a change excuses it on the brokers of its plan only."""

    @property
    def key(self) -> str:
        return f"{self.rule}/{self.kind}/{self.subject}"

    @property
    def grave(self) -> bool:
        """Data or disks are being lost: no mute hides it from people who did not know of it."""
        worst = self.never_excused and self.severity is Severity.CRIT
        return worst and self.family in (Family.DATA, Family.CAPACITY)


EVERYTHING = "*"
"""Subject of an `Unseen` when a rule's whole input is missing: all it found before stays as it is."""


class Unseen(Value):
    """An object a rule could not look at, whatever its kind, and why."""

    rule: str
    subject: str
    """As in a finding; `EVERYTHING` or `cluster` = every object of that rule."""
    words: str


class AlertState(StrEnum):
    PENDING = "pending"
    """Bad, but not yet for long enough to tell anybody."""
    FIRING = "firing"
    RESOLVING = "resolving"
    """Good again, but not yet for long enough to call it over."""
    RESOLVED = "resolved"


class AlertEvent(StrEnum):
    """What one round of the watch says of an alert. Not being seen is no event: all stays as it is."""

    SEEN = "seen"
    HELD = "held long enough"
    BETWEEN = "between"
    GONE = "gone"
    CLEARED = "gone long enough"
    DROPPED = "dropped"
    """Its rule was switched off: nobody looks any more."""


ALERT_MOVES: dict[AlertState, dict[AlertEvent, AlertState]] = {
    AlertState.PENDING: {
        AlertEvent.SEEN: AlertState.PENDING,
        AlertEvent.HELD: AlertState.FIRING,
        AlertEvent.BETWEEN: AlertState.RESOLVED,
        AlertEvent.GONE: AlertState.RESOLVED,
        AlertEvent.DROPPED: AlertState.RESOLVED,
    },
    AlertState.FIRING: {
        AlertEvent.SEEN: AlertState.FIRING,
        AlertEvent.BETWEEN: AlertState.FIRING,
        AlertEvent.GONE: AlertState.RESOLVING,
        AlertEvent.DROPPED: AlertState.RESOLVED,
    },
    AlertState.RESOLVING: {
        AlertEvent.SEEN: AlertState.FIRING,
        AlertEvent.BETWEEN: AlertState.FIRING,
        AlertEvent.GONE: AlertState.RESOLVING,
        AlertEvent.CLEARED: AlertState.RESOLVED,
        AlertEvent.DROPPED: AlertState.RESOLVED,
    },
    AlertState.RESOLVED: {
        AlertEvent.SEEN: AlertState.PENDING,
        AlertEvent.BETWEEN: AlertState.RESOLVED,
        AlertEvent.GONE: AlertState.RESOLVED,
        AlertEvent.DROPPED: AlertState.RESOLVED,
    },
}


def alert_after(state: AlertState, event: AlertEvent) -> AlertState:
    """The state that follows; `IllegalMove` when the table has no such move."""
    if event not in ALERT_MOVES[state]:
        raise IllegalMove(f"{event.value!r} cannot happen to an alert that is {state.value!r}")
    return ALERT_MOVES[state][event]


class Alert(Value):
    """One finding over time. `finding` is the newest that was seen."""

    state: AlertState
    finding: Finding
    since: AwareDatetime
    """When this state began."""
    began_at: AwareDatetime
    """When it was first seen."""
    fired_at: AwareDatetime | None = None
    """When people were told of it: an alert that is held back fires, and nobody knows."""
    ended_at: AwareDatetime | None = None
    peak: Severity = Severity.INFO
    critical_at: AwareDatetime | None = None
    """When it became critical, this time; None = it is not."""
    first_critical_at: AwareDatetime | None = None
    """When it became critical for the first time since it began; None = it never was."""
    stale: str = ""
    """Why it cannot be seen just now; empty = it can."""
    held_by: str = ""
    """What holds it back: `R-17`, `mute M-3`, `alert …`; recorded, not shown as firing."""
    flaps: float = 0.0
    """+1 for every edge, halved each 15 minutes; from 4 on it is flapping."""
    flaps_at: AwareDatetime | None = None

    @property
    def key(self) -> str:
        return self.finding.key


class Line(Value):
    """One line of an incident's thread; `aloud` = broadcast to the channel too."""

    at: AwareDatetime
    text: str
    """As in a request's thread: mentions by id and code in backticks mean something. Words from
    outside were made harmless when the line was written."""
    aloud: bool = False
    calls: Literal["", "on call"] = ""
    """Whom the line mentions."""


class Incident(Value):
    """One message in Slack. The ledger counts `version` up with every save."""

    id: str
    """`I-12`; empty until the ledger gives the number."""
    version: int = 0
    cluster: str
    family: Family
    opened_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    alerts: tuple[Alert, ...] = ()
    log: tuple[Line, ...] = ()
    updated_at: AwareDatetime | None = None
    """When the watch last changed what the message shows."""
    told: Severity | None = None
    """The highest severity people were told of; a rise above it is said aloud."""
    told_at: AwareDatetime | None = None
    """When people last heard of it: opened, or a line said aloud."""
    critical_told_at: AwareDatetime | None = None
    """When a line, or the opening, last named all that was critical."""
    critical_since: AwareDatetime | None = None
    """From when on the wait for somebody to acknowledge what is critical counts."""
    more: int = 0
    """Alerts that fire beyond those in `alerts`: a storm is counted, not listed."""
    remark: str = ""
    """Why it is told just now although it is older, such as `the mute M-3 ended`; shown in the head."""
    acked_by: str = ""
    """Slack's user id."""
    acked_at: AwareDatetime | None = None
    escalated_at: AwareDatetime | None = None
    muted_until: AwareDatetime | None = None
    muted_by: str = ""
    muted_at: AwareDatetime | None = None
    flapping: bool = False
    after_change: str = ""
    """The request after which it was judged afresh."""
    proposed: tuple[str, ...] = ()
    """Requests that were opened from its button."""
    checked: tuple[str, ...] = ()
    """What became of the alerts' own figures after a change, in words."""

    @property
    def firing(self) -> tuple[Alert, ...]:
        """What people are told of, worst first."""
        shown = [
            one
            for one in self.alerts
            if one.state in (AlertState.FIRING, AlertState.RESOLVING) and not one.held_by
        ]
        return tuple(sorted(shown, key=lambda one: (-one.finding.severity, one.began_at, one.key)))

    def said(
        self,
        *,
        now: datetime,
        text: str,
        aloud: bool = False,
        calls: Literal["", "on call"] = "",
    ) -> Incident:
        """The incident with one more line in its thread."""
        line = Line(at=now, text=text, aloud=aloud, calls=calls)
        return self.with_(log=(*self.log, line))

    @property
    def severity(self) -> Severity:
        """The worst that fires now; of what fired, once it is over."""
        # What is only for information may outlive an incident that was about more.
        now = [] if self.ended_at else [one.finding.severity for one in self.firing]
        return max(now or [one.peak for one in self.alerts], default=Severity.INFO)


class Mute(Value):
    """A person's wish not to be told of something for a while."""

    id: str
    """`M-3`; empty until the ledger gives the number."""
    cluster: str
    subject: str
    """Exactly one object, such as `group payments`; empty = everything of the cluster."""
    rule: str = ""
    """Only this rule; empty = any."""
    by: str
    """Slack's user id."""
    reason: str = ""
    at: AwareDatetime
    until: AwareDatetime


MUTE_HOURS_MAX = 24 * 7
"""Longer than a week is a setting, not a mute."""


def acknowledged(incident: Incident, *, person: Person, now: datetime) -> Incident | Refusal:
    """Somebody looks into it: nobody is called any more, until it gets worse."""
    if why := _why_not(incident, person, "acknowledge"):
        return Refusal(words=why)
    if incident.acked_by == person.user_id:
        return Refusal(words=f"You have acknowledged {incident.id} already.")
    if incident.acked_by:
        return Refusal(words=f"{incident.id} is acknowledged by <@{incident.acked_by}> already.")
    acked = incident.with_(acked_by=person.user_id, acked_at=now)
    return acked.said(now=now, text=f"Acknowledged by {mention(person)}")


def muted(
    incident: Incident, *, person: Person, until: datetime, now: datetime
) -> Incident | Refusal:
    """Nothing more is said of this cluster's family until then, unless it gets worse than it is."""
    if why := _why_not(incident, person, "mute") or why_no_mute(until=until, now=now):
        return Refusal(words=why)
    quiet = incident.with_(muted_until=until, muted_by=person.user_id, muted_at=now)
    length = duration_words((until - now).total_seconds())
    return quiet.said(now=now, text=f"Muted for {length} by {mention(person)}")


def unmuted(incident: Incident, *, person: Person, now: datetime) -> Incident | Refusal:
    """The mute ends early; what still fires is not told again, for whoever did this has seen it.

    A mute outlives its incident, so it can be ended after that too.
    """
    holds = incident.muted_until is not None and incident.muted_until > now
    if why := _why_not(incident, person, "unmute", also_over=holds):
        return Refusal(words=why)
    if not holds:
        return Refusal(words=f"{incident.id} is not muted.")
    loud = incident.with_(muted_until=None, muted_by="", muted_at=None)
    return loud.said(now=now, text=f"Mute ended by {mention(person)}")


def proposed(
    incident: Incident, *, request_id: str, person: Person, now: datetime
) -> Incident | Refusal:
    """A request was opened from its button: what becomes of the figures is said after it."""
    if why := _why_not(incident, person, "propose a change for"):
        return Refusal(words=why)
    if request_id in incident.proposed:
        return incident
    asked = incident.with_(proposed=(*incident.proposed, request_id))
    return asked.said(now=now, text=f"{mention(person)} proposed {request_id}")


def why_no_mute(*, until: datetime, now: datetime) -> str:
    """Why a mute cannot last until then; empty = it can."""
    hours = (until - now).total_seconds() / 3600
    if hours <= 0:
        return "A mute must end in the future."
    if hours > MUTE_HOURS_MAX:
        return (
            f"A mute lasts {MUTE_HOURS_MAX // 24} days at most. What nobody ever wants to hear of "
            "belongs into `alerts.yaml`."
        )
    return ""


def _why_not(incident: Incident, person: Person, act: str, *, also_over: bool = False) -> str:
    """Identity first, so that strangers learn nothing else."""
    if person.standing:
        return f"You cannot {act} {incident.id}: {person.standing}."
    if incident.ended_at is not None and not also_over:
        return f"{incident.id} is over: there is nothing to {act}."
    return ""


def duration_words(seconds: float) -> str:
    """`40 s`, `5 min`, `2 h 10 min`, `3 days`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} days"
