"""Rules look one by one: what one of them breaks, the others do not notice."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from changes.facts import ClusterRef
from changes.incident import EVERYTHING, Family, Finding, Severity, Unseen
from watch.history import History
from watch.looking import Failures, look_all
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
REF = ClusterRef(name="orders", arn="arn", region="us-east-1", environment="lab")
SEEN = Seen(at=NOW, cluster=REF, scan_seconds=30)


def finding(rule: str, subject: str) -> Finding:
    return Finding(
        rule=rule,
        kind=rule,
        family=Family.CONSUMERS,
        subject=subject,
        severity=Severity.WARN,
        words="bad",
    )


class Good(Rule[RuleSettings]):
    name = "good"
    title = "good"
    family = Family.CONSUMERS
    calls: ClassVar[int] = 0

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[RuleSettings]
    ) -> Looked:
        del history, seen, now, settings
        Good.calls += 1
        return Looked(
            (finding("good", "group a"), finding("good", "group b"), finding("good", "cluster")),
            (Unseen(rule="good", subject="group c", words="not read"),),
        )


class Broken(Good):
    name = "broken"

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[RuleSettings]
    ) -> Looked:
        del history, seen, now, settings
        raise ZeroDivisionError("no brokers")


def look(tuned: dict[str, Tuned[Any]], failures: Failures | None = None) -> Looked:
    rules = [kind() for kind in (Broken, Good) if kind.name in tuned]
    return look_all(rules, History(), SEEN, NOW, tuned, failures=failures or Failures())


ON, OFF = RuleSettings(), RuleSettings(enabled=False)


def test_a_rule_that_raises_has_seen_nothing_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        looked = look({"broken": Tuned(ON), "good": Tuned(ON)})
    assert [one.subject for one in looked.findings] == ["group a", "group b", "cluster"]
    broken = looked.unseen[0]
    assert (broken.rule, broken.subject) == ("broken", EVERYTHING)
    reference = broken.words.removeprefix("the rule failed (reference ").rstrip(")")
    assert len(reference) == 8
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_rule_that_goes_on_failing_is_traced_once_under_one_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = Failures()
    with caplog.at_level(logging.ERROR):
        words = {look({"broken": Tuned(ON)}, failures).unseen[0].words for _ in range(3)}
    assert len(words) == len(caplog.records) == 1
    failures.over("broken")
    assert look({"broken": Tuned(ON)}, failures).unseen[0].words not in words


def test_a_rule_that_is_off_does_not_look() -> None:
    before = Good.calls
    assert look({"good": Tuned(OFF)}) == Looked()
    assert Good.calls == before


def test_a_rule_may_be_off_for_some_and_on_for_others() -> None:
    off_for_a = look({"good": Tuned(ON, (("a", OFF), ("c", OFF)))})
    assert [one.subject for one in off_for_a.findings] == ["group b", "cluster"]
    assert not off_for_a.unseen
    on_for_b = look({"good": Tuned(OFF, (("b", ON),))})
    assert [one.subject for one in on_for_b.findings] == ["group b"]
