"""A new alert is one file: a rule in a folder of its own is found, tuned and looks, and nothing else
was touched."""

from __future__ import annotations

from pathlib import Path

from tests.watch.consumers.lookout import Lookout
from tests.watch.consumers.world import World
from watch import rules
from watch.rule import Tuned

TOY = '''
"""A topic whose name is too long to say."""

from typing import ClassVar

from pydantic import Field

from changes.incident import Family, Finding, Severity
from watch.rule import Looked, Rule, RuleSettings


class LongNamesSettings(RuleSettings):
    letters: int = Field(10, ge=1)


class LongNames(Rule[LongNamesSettings]):
    name = "long_names"
    title = "Names nobody can say"
    family = Family.CONSUMERS
    Settings: ClassVar = LongNamesSettings

    def look(self, history, seen, now, settings):
        topics = {topic for topic, _ in history.lag.partitions()}
        return Looked(
            tuple(
                Finding(
                    rule=self.name,
                    kind=self.name,
                    family=self.family,
                    subject=f"topic {topic}",
                    severity=Severity.WARN,
                    words=f"{topic} has {len(topic)} letters",
                )
                for topic in sorted(topics)
                if len(topic) > settings.of(topic).letters
            )
        )
'''


def test_a_rule_in_a_file_of_its_own_looks(tmp_path: Path) -> None:
    (tmp_path / "long_names.py").write_text(TOY)
    (toy,) = rules.find(tmp_path)
    world = World()
    world.topic("orders-of-last-year")
    world.topic("orders")
    world.group("payments", reads={"orders": 4, "orders-of-last-year": 4})
    lookout = Lookout(rules=[toy]).watch(world.scans(until=5))
    assert lookout.posts() == [("long_names/long_names/topic orders-of-last-year", 1.0)]
    lenient = Tuned(toy.Settings(), (("*-of-last-year", toy.Settings(letters=100)),))  # type: ignore[call-arg]
    again = Lookout(rules=[toy], tuned={"long_names": lenient}).watch(world.scans(until=10))
    assert again.fired == []


def test_rules_of_consumers_are_found_among_all_rules() -> None:
    names = {rule.name for rule in rules.rules()}
    assert {
        "abandoned",
        "consumer_lag",
        "data_loss",
        "group_churn",
        "open_transaction",
        "rewind",
    } <= names
    for rule in rules.rules():
        module = __import__(rule.__module__, fromlist=["x"])
        assert module.__doc__, f"{rule.name} has no docstring to make its page from"
        assert rule.__module__ == f"watch.rules.{rule.name}"
