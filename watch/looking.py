"""Has every rule look, each on its own: a rule that fails costs its own findings and nothing else.

The surprising truth: a rule that raised has seen nothing, and nothing is neither good nor bad. All it
found before stays as it is, marked as unseen, with a reference to the log.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from changes.incident import EVERYTHING, Finding, Unseen
from policies.alerts import TunedRule
from watch.history import History
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

log = logging.getLogger(__name__)

AnyRule = Rule[Any]
AllTuned = Mapping[str, Tuned[Any]]


class Failures:
    """What fails just now, by name: traced once, with a reference that stays until it works again."""

    def __init__(self) -> None:
        self._references: dict[str, str] = {}

    def note(self, name: str, doing: str) -> str:
        """The reference; to be called where the exception is at hand."""
        known = self._references.get(name)
        if known is None:
            known = self._references[name] = secrets.token_hex(4)
            log.exception("%s failed (reference %s)", doing, known)
        return known

    def over(self, name: str) -> None:
        self._references.pop(name, None)


def tuned_from(rules: Mapping[str, TunedRule]) -> AllTuned:
    """The file's settings as rules want them."""
    return {name: Tuned(base=one.base, exceptions=one.exceptions) for name, one in rules.items()}


def look_all(
    rules: Sequence[AnyRule],
    history: History,
    seen: Seen,
    now: datetime,
    tuned: AllTuned,
    *,
    failures: Failures,
) -> Looked:
    """What all rules say together; rules and objects that are switched off say nothing."""
    findings: list[Finding] = []
    unseen: list[Unseen] = []
    measures: list[tuple[str, float]] = []
    for rule in rules:
        settings = tuned[rule.name]
        if not wanted(settings):
            continue
        looked = look_with(rule, history, seen, now, settings, failures)
        findings += (one for one in looked.findings if enabled(settings, one.subject))
        unseen += (one for one in looked.unseen if enabled(settings, one.subject))
        measures += looked.measures
    return Looked(tuple(findings), tuple(unseen), tuple(measures))


def look_with(
    rule: AnyRule,
    history: History,
    seen: Seen,
    now: datetime,
    settings: Tuned[Any],
    failures: Failures,
) -> Looked:
    try:
        looked = rule.look(history, seen, now, settings)
    except Exception:
        # The edge of one rule: whatever is wrong with it, the others go on.
        reference = failures.note(rule.name, f"rule {rule.name} on {seen.cluster.name}")
        words = f"the rule failed (reference {reference})"
        return Looked(unseen=(Unseen(rule=rule.name, subject=EVERYTHING, words=words),))
    failures.over(rule.name)
    return looked


def wanted(settings: Tuned[RuleSettings]) -> bool:
    """Is the rule on for anything at all?"""
    return settings.base.enabled or any(one.enabled for _, one in settings.exceptions)


def enabled(settings: Tuned[RuleSettings], subject: str) -> bool:
    """Is the rule on for `group payments`, `topic orders`, `cluster`?"""
    return settings.of(subject.partition(" ")[2] or subject).enabled
