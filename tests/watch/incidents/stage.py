"""A watch without Kafka, Slack or Redis: findings are scripted by the minute, time is simulated.

What a channel would see is written down as it happens: `post` (a new message), `aloud` (a thread line
shown in the channel), `line` (a quiet one), `edit` (the message redrawn).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from changes.book import Book
from changes.excuses import ChangeLease, Effect
from changes.incident import Family, Finding, Incident, Mute, Severity, Unseen
from changes.request import Person, Refusal
from watch.evaluate import evaluate
from watch.incident_settings import IncidentSettings
from watch.rule import Looked, Rule

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANA = Person(user_id="U0ANA", name="Ana")
Findings = Sequence[Finding | Unseen]


class Lag(Rule[Any]):
    name = "consumer_lag"
    family = Family.CONSUMERS
    excused_by: ClassVar[Mapping[Effect, str]] = {Effect.MOVES_LEADERS: "leaders move"}


class Rewind(Rule[Any]):
    name = "rewind"
    family = Family.CONSUMERS
    excused_by: ClassVar[Mapping[Effect, str]] = {Effect.RESETS_OFFSETS: "offsets are reset"}


class UnderReplicated(Rule[Any]):
    name = "under_replicated"
    family = Family.CLUSTER
    excused_by: ClassVar[Mapping[Effect, str]] = {Effect.MOVES_REPLICAS: "replicas are copied"}


class BrokerAway(Rule[Any]):
    name = "broker_away"
    family = Family.CLUSTER


class Imbalance(Rule[Any]):
    name = "imbalance"
    family = Family.BALANCE
    excused_by: ClassVar[Mapping[Effect, str]] = {Effect.MOVES_REPLICAS: "replicas move"}


class DataLoss(Rule[Any]):
    name = "data_loss"
    family = Family.DATA


class Blind(Rule[Any]):
    name = "blind"
    family = Family.CLUSTER


RULES: tuple[type[Rule[Any]], ...] = (
    Lag,
    Rewind,
    UnderReplicated,
    BrokerAway,
    Imbalance,
    DataLoss,
    Blind,
)
FAMILY = {one.name: one.family for one in RULES}


def finding(subject: str = "group payments", **fields: Any) -> Finding:
    rule = fields.pop("rule", "consumer_lag")
    told: dict[str, Any] = {
        "kind": "stopped",
        "family": FAMILY[rule],
        "severity": Severity.WARN,
        "words": f"{subject} stopped",
    }
    return Finding(rule=rule, subject=subject, **{**told, **fields})


def unseen(subject: str = "*", rule: str = "consumer_lag") -> Unseen:
    return Unseen(rule=rule, subject=subject, words="broker 2 does not answer")


def lease(*effects: Effect, minute: float = 0, **fields: Any) -> ChangeLease:
    told: dict[str, Any] = {"request_id": "R-17", "cluster": "orders", "title": "scale brokers 6"}
    began = START + timedelta(minutes=minute)
    return ChangeLease(effects=effects, started_at=began, **{**told, **fields})


class Told(NamedTuple):
    minute: float
    what: str
    incident: str
    text: str = ""


@dataclass
class Stage:
    settings: IncidentSettings = field(default_factory=IncidentSettings)
    scan_seconds: float = 30
    book: Book = field(default_factory=lambda: Book(cluster="orders"))
    kept: dict[str, Incident] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    leases: tuple[ChangeLease, ...] = ()
    mutes: tuple[Mute, ...] = ()
    rules: Sequence[type[Rule[Any]]] = RULES
    measures: tuple[tuple[str, float], ...] = ()
    drain_seconds: float = 0
    clock_set_by: timedelta = timedelta(0)
    """Of the next round only."""
    minute: float = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.minute)

    def at(self, minute: float, *seen: Finding | Unseen) -> None:
        """One round at that minute."""
        self.minute = minute
        looked = Looked(
            findings=tuple(one for one in seen if isinstance(one, Finding)),
            unseen=tuple(one for one in seen if isinstance(one, Unseen)),
            measures=self.measures,
        )
        wanted = [
            one for one in self.kept.values() if not one.ended_at or one.id in self.book.awaited
        ]
        judged = evaluate(
            self.book.with_(incidents=tuple(wanted)),
            looked,
            rules=self.rules,
            leases=self.leases,
            mutes=self.mutes,
            settings=self.settings,
            now=self.now,
            drain_seconds=self.drain_seconds,
            scan_seconds=self.scan_seconds,
            clock_set_by=self.clock_set_by,
        )
        self.clock_set_by = timedelta(0)
        self.book = Book.model_validate_json(judged.book.model_dump_json())
        self.notes += judged.notes
        for one in judged.incidents:
            self.keep(one)

    def run(self, *, until: float, seen: Callable[[float], Findings]) -> None:
        """Rounds at the pace of the scan, from the present minute on, that one included."""
        minute = self.minute
        while minute <= until + 1e-9:
            self.at(minute, *seen(minute))
            minute += self.scan_seconds / 60
        self.minute = minute

    def keep(self, incident: Incident) -> Incident:
        """As the ledger would, and written down as the channel would see it."""
        before = self.kept.get(incident.id)
        if before is None:
            incident = incident.with_(id=f"I-{len(self.kept) + 1}")
            self.told.append(Told(self.minute, "post", incident.id))
        else:
            self.told.append(Told(self.minute, "edit", incident.id))
        for line in incident.log[len(before.log) if before else 0 :]:
            self.told.append(
                Told(self.minute, "aloud" if line.aloud else "line", incident.id, line.text)
            )
        assert before is None or incident.version == before.version
        saved = incident.with_(version=incident.version + 1)
        self.kept[incident.id] = Incident.model_validate_json(saved.model_dump_json())
        return saved

    def person(self, incident: str, act: Callable[[Incident], Incident | Refusal]) -> None:
        """Somebody presses a button; it is not counted as something the watch told."""
        after = act(self.kept[incident])
        assert isinstance(after, Incident), after
        self.kept[incident] = after.with_(version=after.version + 1)

    def channel(self) -> list[tuple[float, str]]:
        """What everybody in the channel sees: posts and what is said aloud."""
        return [(one.minute, one.what) for one in self.told if one.what in ("post", "aloud")]

    def texts(self, *what: str) -> list[str]:
        return [one.text for one in self.told if one.what in (what or ("aloud", "line"))]

    def calls(self, since: float, until: float) -> int:
        """Calls to Slack in these minutes."""
        return sum(1 for one in self.told if since <= one.minute < until)

    def the(self, incident: str = "I-1") -> Incident:
        return self.kept[incident]


def between(first: float, last: float, *seen: Finding) -> Callable[[float], Findings]:
    """These findings in these minutes, nothing otherwise."""
    return lambda minute: seen if first <= minute < last else ()


def keys(found: Iterable[object]) -> list[str]:
    return [str(one) for one in found]
