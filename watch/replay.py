"""What would this rule file have sent over the recorded history? Simulated time, real rules, no writing.

1. Each recorded look, oldest first, enters a fresh history. 2. The rules look at it with the settings
that are to be tried, and the book of alerts moves on, as it would have. 3. What incidents would have
said is listed with its moment. The surprising truth: people's acts are not replayed. Nobody
acknowledges and nobody mutes here, so a critical incident calls although somebody had been there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime

from changes.book import Book
from changes.incident import Incident
from changes.tagged import Value
from ledger.rings import Frame
from policies.alerts import ClusterAlerts
from watch.evaluate import evaluate
from watch.frames import Skipped, unpack
from watch.history import History
from watch.incident_settings import IncidentSettings
from watch.lagging import of_groups
from watch.looking import AllTuned, Failures, look_all, tuned_from
from watch.rule import Rule
from watch.seen import Seen
from watch.telling_words import sentence

GAP_SCANS = 3
"""A pause of more scans than this is told as one."""
ALERTS_NAMED = 5

Kind = Literal["opened", "aloud", "quiet", "over"]


class Told(Value):
    """One thing people would have read."""

    at: AwareDatetime
    incident: str
    """`1`, `2`, … in the order they opened."""
    family: str
    kind: Kind
    text: str
    calls: bool = False
    """It mentions whoever is on call."""


class Gap(Value):
    """Nobody looked, so nothing can be said."""

    since: AwareDatetime
    until: AwareDatetime


class Replayed(Value):
    cluster: str
    looks: int
    since: AwareDatetime | None = None
    """The first recorded look that was replayed; None = there is none."""
    until: AwareDatetime | None = None
    told: tuple[Told, ...] = ()
    still_open: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    skipped: tuple[str, ...] = ()
    """Recorded looks that could not be read, in words."""
    unread: tuple[tuple[str, int], ...] = ()
    """(part of a look, in how many looks it was missing)."""
    unjudged: tuple[tuple[str, int, str], ...] = ()
    """(rule, in how many looks it could not judge something, why the last time)."""


@dataclass
class Replay:
    """One cluster's past under other settings."""

    cluster: str
    rules: Sequence[Rule[Any]]
    alerts: ClusterAlerts
    _history: History = field(default_factory=History)
    _failures: Failures = field(default_factory=Failures)
    _told: list[Told] = field(default_factory=list)
    _gaps: list[Gap] = field(default_factory=list)
    _skipped: list[str] = field(default_factory=list)
    _unread: Counter[str] = field(default_factory=Counter)
    _unjudged: Counter[str] = field(default_factory=Counter)
    _why: dict[str, str] = field(default_factory=dict)
    _incidents: int = 0
    _looks: int = 0

    def of(self, frames: Iterable[Frame]) -> Replayed:
        book = Book(cluster=self.cluster)
        tuned = tuned_from(self.alerts.rules)
        first: datetime | None = None
        last: Seen | None = None
        for seen in self._read(frames):
            if last is not None:
                self._note_gap(last, seen)
            first, last = first or seen.at, seen
            book = self._round(book, seen, tuned)
        return Replayed(
            cluster=self.cluster,
            looks=self._looks,
            since=first,
            until=last.at if last else None,
            told=tuple(self._told),
            still_open=tuple(one.id for one in book.incidents if one.ended_at is None),
            gaps=tuple(self._gaps),
            skipped=tuple(self._skipped),
            unread=tuple(self._unread.most_common()),
            unjudged=tuple(
                (rule, looks, self._why[rule]) for rule, looks in self._unjudged.most_common()
            ),
        )

    def _read(self, frames: Iterable[Frame]) -> Iterator[Seen]:
        for frame in frames:
            seen = unpack(frame)
            if isinstance(seen, Skipped):
                self._skipped.append(seen.words)
            else:
                yield seen

    def _round(self, book: Book, seen: Seen, tuned: AllTuned) -> Book:
        self._looks += 1
        if seen.lag is not None:  # groups left out when it was recorded are in no frame
            seen = replace(seen, lag=of_groups(seen.lag, self.alerts.groups.watched))
        self._unread.update(seen.blind.keys())  # of a mapping a Counter would add up the words
        self._history.add(seen)
        looked = look_all(self.rules, self._history, seen, seen.at, tuned, failures=self._failures)
        self._unjudged.update({one.rule for one in looked.unseen})
        self._why.update((one.rule, one.words) for one in looked.unseen)
        settings = self.alerts.incidents
        assert isinstance(settings, IncidentSettings)
        judged = evaluate(
            book,
            looked,
            rules=self.rules,
            leases=seen.leases,
            mutes=(),
            settings=settings,
            now=seen.at,
            scan_seconds=seen.scan_seconds,
        )
        before = {one.id: one for one in book.incidents}
        saved = [self._saved(one, before.get(one.id), seen.at) for one in judged.incidents]
        kept = {**before, **{one.id: one for one in saved}}
        awaited = judged.book.awaited
        open_ones = [one for one in kept.values() if one.ended_at is None or one.id in awaited]
        return judged.book.with_(version=book.version + 1, incidents=tuple(open_ones))

    def _saved(self, after: Incident, before: Incident | None, now: datetime) -> Incident:
        """As the ledger would have stored it; what is new in it is told."""
        if before is None:
            self._incidents += 1
            after = after.with_(id=f"I-{self._incidents}")
            self._tell(after, "opened", opening(after), now)
        known = 0 if before is None else len(before.log)
        for line in after.log[known:]:
            kind: Kind = "aloud" if line.aloud else "quiet"
            self._tell(after, kind, line.text, now, calls=bool(line.calls))
        if after.ended_at is not None and (before is None or before.ended_at is None):
            self._tell(after, "over", "over", now)
        return after.with_(version=after.version + 1)

    def _tell(
        self, incident: Incident, kind: Kind, text: str, now: datetime, *, calls: bool = False
    ) -> None:
        self._told.append(
            Told(
                at=now,
                incident=incident.id.removeprefix("I-"),
                family=incident.family.value,
                kind=kind,
                text=text,
                calls=calls,
            )
        )

    def _note_gap(self, last: Seen, seen: Seen) -> None:
        pause = timedelta(seconds=GAP_SCANS * max(last.scan_seconds, seen.scan_seconds))
        if seen.at - last.at > pause:
            self._gaps.append(Gap(since=last.at, until=seen.at))


def opening(incident: Incident) -> str:
    """What the head of a new message would have listed."""
    named = [sentence(one) for one in incident.firing[:ALERTS_NAMED]]
    more = len(incident.firing) + incident.more - len(named)
    return "; ".join([*named, f"and {more:,} more"] if more > 0 else named)


def in_words(found: Replayed, *, quiet: bool = False) -> str:
    """A line for everything that would have been posted; `quiet` shows thread lines too."""
    if found.since is None or found.until is None:
        lines = [f"There is no record of {found.cluster} to replay."]
    else:
        lines = [
            f"{found.cluster}: {found.looks:,} looks from {clock(found.since)} to {clock(found.until)}"
        ]
    shown = [one for one in found.told if quiet or one.kind != "quiet"]
    lines += [told_words(one) for one in shown]
    if found.since is not None and not found.told:
        lines.append("Nothing would have been posted.")
    hidden = len(found.told) - len(shown)
    if hidden:
        lines.append(f"and {hidden} quiet lines in threads (--quiet shows them)")
    if found.still_open:
        lines.append(f"Open at the end: {len(found.still_open)}")
    lines += [f"Nobody looked from {clock(one.since)} to {clock(one.until)}" for one in found.gaps]
    lines += [f"Not read in {looks:,} looks: {part}" for part, looks in found.unread]
    lines += [
        f"{rule} could not judge all in {looks:,} looks: {why}"
        for rule, looks, why in found.unjudged
    ]
    if found.skipped:
        lines.append(f"{len(found.skipped)} looks could not be read; the last: {found.skipped[-1]}")
    return "\n".join(lines)


def told_words(one: Told) -> str:
    calls = " (calls whoever is on call)" if one.calls else ""
    text = "" if one.kind == "over" else f": {one.text}"
    return f"{clock(one.at)}  {one.family} {one.incident} {one.kind}{text}{calls}"


def clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
