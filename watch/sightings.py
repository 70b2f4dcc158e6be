"""What all rules said in one round, sorted and cut to size: what is bad, in between, not seen.

The surprising truth: names come from outside and may be of any length. An object's name is part of an
alert's identity, so one that is too long is cut to its beginning and a digest, the same every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from changes.incident import EVERYTHING, Alert, Finding, Trend
from watch.rule import Looked

SUBJECT_LETTERS_MAX = 300
"""Kafka allows 249 for a topic; a group's name may be longer than any message."""
WORDS_LETTERS_MAX = 400
LINES_MAX = 12
TREND_LINES_MAX = 6
TREND_POINTS_MAX = 20


@dataclass(frozen=True)
class Sightings:
    triggers: Mapping[str, Finding]
    """By key: bad enough to open an alert."""
    betweens: Mapping[str, Finding]
    """By key: not good enough to end an alert, opens none. One without a kind is about all kinds."""
    unseen: Mapping[tuple[str, str], str]
    measures: Mapping[str, float]

    def trigger(self, key: str) -> Finding | None:
        return self.triggers.get(key)

    def between(self, alert: Alert) -> Finding | None:
        return self.betweens.get(alert.key) or self.betweens.get(any_kind(alert.finding))

    def unseen_words(self, alert: Alert) -> str:
        """Why this alert's object could not be looked at; empty = it was."""
        rule = alert.finding.rule
        for subject in (alert.finding.subject, EVERYTHING, "cluster", ""):
            if words := self.unseen.get((rule, subject)):
                return words
        return ""


def any_kind(finding: Finding) -> str:
    return f"{finding.rule}//{finding.subject}"


def sighted(looked: Looked) -> Sightings:
    """Of two findings with one key the worse counts; a trigger counts before a between."""
    triggers: dict[str, Finding] = {}
    betweens: dict[str, Finding] = {}
    for finding in map(trimmed, looked.findings):
        if finding.phase == "between":
            _keep_worse(betweens, finding)
        else:
            _keep_worse(triggers, finding)
    unseen = {
        (one.rule, short_subject(one.subject)): one.words[:WORDS_LETTERS_MAX] or "not seen"
        for one in looked.unseen
    }
    return Sightings(triggers, betweens, unseen, dict(looked.measures))


def _keep_worse(found: dict[str, Finding], finding: Finding) -> None:
    key = finding.key
    if key not in found or found[key].severity < finding.severity:
        found[key] = finding


def trimmed(finding: Finding) -> Finding:
    """The finding, no longer than a message can show; most are as they came."""
    if (
        len(finding.subject) <= SUBJECT_LETTERS_MAX
        and len(finding.words) <= WORDS_LETTERS_MAX
        and len(finding.why_not) <= WORDS_LETTERS_MAX
        and len(finding.measure_words) <= WORDS_LETTERS_MAX
        and len(finding.proposal) <= WORDS_LETTERS_MAX
        and len(finding.lines) <= LINES_MAX
        and all(len(line) <= WORDS_LETTERS_MAX for line in finding.lines)
        and _fits(finding.trend)
    ):
        return finding
    return finding.with_(
        subject=short_subject(finding.subject),
        words=shortened(finding.words),
        lines=tuple(shortened(line) for line in finding.lines[:LINES_MAX]),
        trend=_cut(finding.trend),
        why_not=shortened(finding.why_not),
        measure_words=shortened(finding.measure_words),
        # Cut in the middle it would ask for another change than was meant.
        proposal=finding.proposal if len(finding.proposal) <= WORDS_LETTERS_MAX else "",
    )


def short_subject(subject: str) -> str:
    if len(subject) <= SUBJECT_LETTERS_MAX:
        return subject
    digest = hashlib.sha256(subject.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{subject[: SUBJECT_LETTERS_MAX - 13]}…{digest}"


def shortened(words: str) -> str:
    return words if len(words) <= WORDS_LETTERS_MAX else f"{words[: WORDS_LETTERS_MAX - 1]}…"


def _fits(trend: Trend | None) -> bool:
    return trend is None or (
        len(trend.lines) <= TREND_LINES_MAX
        and all(len(line.points) <= TREND_POINTS_MAX for line in trend.lines)
    )


def _cut(trend: Trend | None) -> Trend | None:
    if trend is None:
        return None
    lines = tuple(
        line.with_(points=line.points[-TREND_POINTS_MAX:]) for line in trend.lines[:TREND_LINES_MAX]
    )
    return trend.with_(lines=lines)
