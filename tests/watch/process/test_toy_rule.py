"""A new alert is one file: dropped into a folder it has settings, incidents, a page, a replay."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from changes.incident import Family
from policies.alerts import Alerts, load_alerts
from tests.watch.process.watching import NAME, Watching, watching
from watch.incident_settings import IncidentSettings
from watch.pages import meanings_of, rule_page
from watch.replay import Replay, in_words
from watch.rules import find
from watch.runtime import settings_of

__all__ = ["watching"]

TOY = '''
"""More topics than anybody needs.

Counts topics; does not know which of them are used.
"""

from watch.rule import Looked, Rule, RuleSettings, Tuned
from changes.incident import Family, Finding, Severity


class TopicsSettings(RuleSettings):
    topics_max: int = 2
    """So many are fine."""


class ToyTopics(Rule[TopicsSettings]):
    name = "toy_topics"
    title = "Too many topics"
    family = Family.CAPACITY
    Settings = TopicsSettings

    def look(self, history, seen, now, settings: Tuned[TopicsSettings]) -> Looked:
        topics = {one.topic for one in seen.partitions or ()}
        if len(topics) <= settings.base.topics_max:
            return Looked()
        return Looked((Finding(
            rule=self.name, kind=self.name, family=self.family, subject="cluster",
            severity=Severity.WARN, words=f"{len(topics)} topics", for_seconds=10,
        ),))
'''


@pytest.fixture
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("toys")
    (folder / "toy_topics.py").write_text(TOY)
    yield folder
    sys.modules.pop("toy_topics", None)


async def test_one_file_is_a_whole_alert(watching: Watching, toys: Path) -> None:
    (toy,) = find(toys)
    watching.rules = (*watching.rules, toy())
    watch = watching.process()
    await watching.looks(watch, 4)
    (incident,) = watching.ledger.open_incidents(NAME)
    assert (incident.family, incident.alerts[0].finding.words) == (Family.CAPACITY, "3 topics")
    assert watching.view.advice == ("3 topics",)

    (watching.folder / "alerts.yaml").write_text(
        "defaults: {scan_seconds: 10, rules: {toy_topics: {topics_max: 3}}}"
    )
    await watching.looks(watch, 40)
    assert watching.ledger.open_incidents(NAME) == ()


async def test_its_settings_its_page_and_its_replay_come_from_that_file(
    watching: Watching, toys: Path, tmp_path: Path
) -> None:
    (toy,) = find(toys)
    assert meanings_of(toy.Settings)["topics_max"] == "So many are fine."
    page = rule_page(toy)
    assert "More topics than anybody needs." in page
    assert "| `topics_max` | 2 | So many are fine. |" in page
    watch = watching.process()
    await watching.looks(watch, 6)
    file = tmp_path / "try.yaml"
    file.write_text("defaults: {rules: {toy_topics: {topics_max: 1}}}")
    rules = (toy(),)
    alerts = load_alerts(
        file, rules=settings_of(rules), incident_settings=IncidentSettings, clusters=[NAME]
    )
    assert isinstance(alerts, Alerts)
    frames = watching.ledger.frames(NAME)
    said = in_words(Replay(cluster=NAME, rules=rules, alerts=alerts.of(NAME)).of(frames))
    assert "capacity 1 opened: 3 topics" in said
