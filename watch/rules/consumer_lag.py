"""A consumer group that stopped, stalled, falls behind or stays behind its SLO.

Judged is the age of the oldest unread record, not the number of messages, so no threshold needs tuning:
*stopped* (nobody is there and there is something to read), *stalled* (members are there and do not
commit; of one frozen partition in a healthy group the owner is named), *falling behind* (older than
half the SLO and ageing, or older than the SLO and no younger by itself). A group that catches up keeps
its alert, with the time it still needs, and opens none.

A group that nobody runs and that never committed while it was watched stopped before the watch began:
that is shown and wakes nobody, since forgotten groups linger until Kafka lets their offsets expire.

It is silent while a group rebalances for up to 3 minutes, within a regular rhythm of commits (learned
from three rounds of it), on topics the group has abandoned, and while a transaction is open. What a
scan could not read is counted, never taken for zero. It does not see why a consumer is slow, nor
groups that keep their offsets outside Kafka; and of a batch consumer it sees only from a whole round on
that it leaves more behind each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity, Unseen
from watch.age import span
from watch.bottleneck import remedy_for_lag
from watch.history import History
from watch.lag_figures import LagSettings
from watch.lag_history import LagHistory
from watch.lag_states import BADNESS, EntryVerdict, GroupVerdict, LagState, verdicts
from watch.lag_words import (
    behind,
    cadence,
    count,
    group_subject,
    hidden,
    holders,
    host_of,
    lag_trend,
    last_commit,
    named,
    worst,
)
from watch.readable import unseen
from watch.remedies import Remedy
from watch.rule import Looked, Rule, Tuned
from watch.seen import Seen

STANDING = (LagState.STOPPED, LagState.STALLED)
TROUBLE = (*STANDING, LagState.FALLING_BEHIND, LagState.OVER_SLO)
EXCUSED_SLOS_MAX = 3.0
"""Older than so many SLOs is too much for any change to explain."""
TRENDS_MAX = 50
"""Of so many groups in trouble, the worst, the trend is drawn."""
MEASURED_MAX = 5_000
"""Of so many healthy groups the lag is told, to say after a change what became of it."""


class ConsumerLagSettings(LagSettings):
    busy_cpu_percent: float = Field(60.0, gt=0, le=100)
    """Every broker at least this busy, and lag on most of them: more brokers would help."""
    keep_minutes: float = Field(5.0, ge=0)
    """How long a group must be fine again before it counts as over."""


class ConsumerLag(Rule[ConsumerLagSettings]):
    name = "consumer_lag"
    title = "Consumers fall behind"
    family = Family.CONSUMERS
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_LEADERS: "leaders and coordinators move: consumers pause for a moment",
        Effect.LOADS_BROKERS: "copying takes network and disk that consumers read from",
    }
    Settings = ConsumerLagSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[ConsumerLagSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag", "offsets were not read")))
        groups = verdicts(history.lag, seen, now, settings)
        watched = [one for one in groups.values() if one.entries or one.state is not LagState.OK]
        watched.sort(key=lambda one: (BADNESS[one.state], -(one.lag or 0)))
        looks = [
            GroupLook(self.name, one, settings.of(one.group), seen, now.timestamp())
            for one in watched
            if settings.of(one.group).enabled
        ]
        helps = _remedies(looks, seen, now, settings.base)
        findings: list[Finding] = []
        for place, look in enumerate(looks):
            findings += look.findings(history.lag if place < TRENDS_MAX else None, helps)
        return Looked(
            findings=tuple(findings),
            unseen=tuple(found for look in looks for found in look.unseen()),
            measures=tuple(_measures(groups)),
        )


class GroupLook:
    """One group as this rule sees it."""

    def __init__(
        self,
        rule: str,
        verdict: GroupVerdict,
        settings: ConsumerLagSettings,
        seen: Seen,
        now: float,
    ) -> None:
        self.rule, self.verdict, self.settings = rule, verdict, settings
        self.seen, self.now = seen, now
        self.bad = tuple(
            one
            for one in verdict.entries
            if one.state in TROUBLE and not (one.young and one.state not in STANDING)
        )
        """Those that decide, all in the group's worst kind of trouble."""
        if self.bad:
            worst_state = min((one.state for one in self.bad), key=BADNESS.__getitem__)
            self.bad = tuple(one for one in self.bad if one.state is worst_state)

    @property
    def kind(self) -> LagState:
        return self.bad[0].state

    @property
    def moving(self) -> bool:
        """It reads, but not fast enough."""
        return bool(self.bad) and self.kind not in STANDING

    @property
    def between(self) -> bool:
        """Not bad enough to tell, not good enough to be over."""
        half = self.settings.slo_seconds / 2
        return any(
            one.motion in (*TROUBLE, LagState.CATCHING_UP)
            or (one.age.low_seconds > half and one.motion is LagState.OK)
            for one in self.verdict.entries
        )

    def findings(self, history: LagHistory | None, helps: Remedy) -> Iterator[Finding]:
        if not self.bad and not self.between:
            return
        state = self.kind if self.bad else None
        remedy = self._remedy(helps)
        yield Finding(
            rule=self.rule,
            kind="" if state is None else KINDS[state],
            family=Family.CONSUMERS,
            subject=group_subject(self.verdict.group),
            severity=self._severity(),
            phase="between" if state is None else "trigger",
            words=self._words(),
            lines=(
                *holders(self.bad if state in STANDING else ()),
                *worst(self.verdict),
                *cadence(self.bad),
                *hidden(self.verdict),
            ),
            for_seconds=self.seen.scan_seconds,
            keep_seconds=self.settings.keep_minutes * 60,
            measure=float(self.verdict.lag or 0),
            measure_words=f"messages behind ({self.verdict.group})",
            trend=None if history is None else lag_trend(history, self.verdict),
            proposal=remedy.proposal,
            why_not=remedy.why_not,
            never_excused=state is LagState.STOPPED or self._slos() > EXCUSED_SLOS_MAX,
        )

    def unseen(self) -> Iterator[Unseen]:
        """What cannot be told just now keeps an alert as it is."""
        if not self.bad and not self.between and (words := self._unseen_words()):
            yield Unseen(rule=self.rule, subject=group_subject(self.verdict.group), words=words)

    def _unseen_words(self) -> str:
        verdict = self.verdict
        if verdict.state is LagState.NO_DATA:
            return verdict.words or "its offsets could not be read"
        if verdict.of(LagState.HELD):
            return f"rebalancing for {span(verdict.rebalancing_seconds or 0.0)}"
        return ", ".join(hidden(verdict))

    def _slos(self) -> float:
        return self.verdict.age.low_seconds / self.settings.slo_seconds

    @property
    def _old_story(self) -> bool:
        """Nobody was there and nothing was committed since the watch first looked."""
        return bool(self.bad) and self.kind is LagState.STOPPED and self.verdict.forgotten

    def _severity(self) -> Severity:
        if self._old_story:
            return Severity.INFO
        bound = self.settings.critical_after_slos
        return Severity.CRIT if 0 < bound < self._slos() else Severity.WARN

    def _words(self) -> str:
        group, figures = self.verdict.group, behind(self.verdict)
        if not self.bad:
            return f"{group} {self._between_words(figures)}"
        if self.kind is LagState.STOPPED:
            if self._old_story:
                return f"{group} stopped before the watch began: {figures}"
            return f"{group} stopped: {figures}; {last_commit(self.bad, self.now)}"
        if self.kind is LagState.STALLED:
            return f"{group} stalled{self._where()}: {figures}; {last_commit(self.bad, self.now)}"
        pace = _pace(self.bad)
        if self.kind is LagState.FALLING_BEHIND:
            return f"{group} is falling behind: {figures}{pace}"
        slo = span(self.settings.slo_seconds)
        return f"{group} stays over its SLO of {slo}: {figures}{pace}"

    def _between_words(self, figures: str) -> str:
        catching = [one for one in self.verdict.entries if one.motion is LagState.CATCHING_UP]
        if catching:
            times = [one.eta_seconds for one in catching if one.eta_seconds is not None]
            left = f", about {span(max(times))} to go" if times else ""
            return f"is catching up: {figures}{left}"
        return f"is not well yet: {figures}"

    def _where(self) -> str:
        """Which partitions stand still, when the others do not."""
        frozen, all_of = len(self.bad), self.verdict.partitions
        if frozen == all_of:
            return ""
        return f" on {named(self.bad)} ({frozen:,} of {all_of:,} partitions)"

    def _remedy(self, helps: Remedy) -> Remedy:
        if not self.bad:
            return Remedy()
        if self.kind is LagState.STOPPED:
            return Remedy(why_not="nobody reads: more brokers will not help")
        if self.kind is LagState.STALLED:
            if len(self.bad) == 1 and self.verdict.partitions > 1:
                return Remedy(why_not="one partition is frozen: more brokers will not help")
            hosts = sorted({host_of(one.owner) for one in self.bad if one.owner})
            who = hosts[0] if len(hosts) == 1 else "its members"
            return Remedy(why_not=f"{who} stand still: more brokers will not help")
        return helps


KINDS = {
    LagState.STOPPED: "stopped",
    LagState.STALLED: "stalled",
    LagState.FALLING_BEHIND: "falling behind",
    # Flat above the SLO is one trouble with a rising age: they take turns in one alert.
    LagState.OVER_SLO: "falling behind",
}


def _pace(entries: Sequence[EntryVerdict]) -> str:
    """`, reads 80 of 100 messages/s`."""
    known = [one.rates for one in entries if one.rates is not None]
    if not known:
        return ""
    came, went = sum(one[0] for one in known), sum(one[1] for one in known)
    return f", reads {count(went)} of {count(came)} messages/s"


def _remedies(
    looks: Sequence[GroupLook], seen: Seen, now: datetime, settings: ConsumerLagSettings
) -> Remedy:
    """The same for all that move too slowly: it is about the brokers they share."""
    slow = [look for look in looks if look.moving]
    if not slow:
        return Remedy()
    return remedy_for_lag(
        seen,
        now,
        groups=len(slow),
        lagging=[(one.topic, one.partition) for look in slow for one in look.bad],
        busy_cpu_percent=settings.busy_cpu_percent,
    )


def _measures(groups: Mapping[str, GroupVerdict]) -> Iterator[tuple[str, float]]:
    fine = (one for one in groups.values() if one.state is LagState.OK and one.lag is not None)
    for _, one in zip(range(MEASURED_MAX), fine, strict=False):
        for kind in ("stopped", "stalled", "falling behind"):
            yield f"{ConsumerLag.name}/{kind}/{group_subject(one.group)}", float(one.lag or 0)
