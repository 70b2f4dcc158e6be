"""Partitions with fewer copies in sync than the topic's `min.insync.replicas`.

Producers that wait for all copies (acks=all) are refused there, so it is critical, told as soon as two
looks in a row see it, and no running change excuses it. Partitions without a leader are told by
another rule. A topic made with fewer copies than the setting asks for never could be written that way:
that is a mistake of its making, no trouble of the moment, and not told here. A topic whose setting
could not be read is not judged, and said to be so.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from changes.facts import CANARY_TOPICS, Partition
from changes.incident import EVERYTHING, Family, Finding, Severity
from watch.history import History
from watch.readable import no_placement, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen
from watch.topic_figures import are, by_topic, named


class UnderMinIsrSettings(RuleSettings):
    hold_seconds: float = Field(default=20, ge=0)
    clear_seconds: float = Field(default=120, ge=0)


class UnderMinIsr(Rule[UnderMinIsrSettings]):
    name = "under_min_isr"
    title = "Too few copies in sync to write"
    family = Family.DATA
    Settings = UnderMinIsrSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[UnderMinIsrSettings]
    ) -> Looked:
        why = no_placement(seen)
        if why:
            return Looked(unseen=unseen(self.name, why))
        needed = {name: one.min_isr for name, one in seen.topics.items()}
        thin, unknown = [], set()
        planned = [one for one in seen.partitions or () if one.topic not in CANARY_TOPICS]
        for one in planned:
            least = needed.get(one.topic)
            if least is None:
                unknown.add(one.topic)
            elif len(one.isr) < least <= len(one.replicas) and one.leader not in (None, -1):
                thin.append(one)
        blind = unknown_words(unknown, len({one.topic for one in planned}))
        return Looked(
            tuple(
                self._finding(subject, found, seen, settings.of(subject.removeprefix("topic ")))
                for subject, found in by_topic(thin).items()
            ),
            tuple(
                unseen(self.name, words, (subject,))[0] for subject, words in sorted(blind.items())
            ),
        )

    def _finding(
        self, subject: str, found: tuple[Partition, ...], seen: Seen, of: UnderMinIsrSettings
    ) -> Finding:
        first = found[0]
        least = seen.topics[first.topic].min_isr
        return Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject=subject,
            severity=Severity.CRIT,
            words=f"{are(len(found))} below min.insync.replicas: acks=all is refused",
            lines=(named(found), f"{first.key}: {len(first.isr)} in sync, {least} needed"),
            for_seconds=of.hold_seconds,
            keep_seconds=of.clear_seconds,
            measure=float(len(found)),
            measure_words="partitions below min.insync.replicas",
            why_not="more brokers do not bring a copy back into sync",
            never_excused=True,
        )


def unknown_words(unknown: set[str], topics: int) -> dict[str, str]:
    """Subject → words; one for all when no topic's setting is known."""
    why = "min.insync.replicas could not be read"
    if unknown and len(unknown) == topics:
        return {EVERYTHING: why}
    return {f"topic {name}": why for name in unknown}
