"""What people may write of the rules there are: thresholds that contradict each other are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import Problems
from policies.alerts import Alerts, load_alerts
from watch.incident_settings import IncidentSettings
from watch.runtime import all_rules, settings_of

RULES = settings_of(all_rules())
CONTRADICTIONS = [
    (
        "disk_full: {warn_percent: 95, crit_percent: 90, clear_percent: 99}",
        "`clear_percent` ≤ `warn_percent` ≤ `crit_percent`; they would be 99, 95, 90",
    ),
    (
        "disk_full: {warn_hours: 72}",
        "`crit_hours` ≤ `warn_hours` ≤ `clear_hours`; they would be 12, 72, 60",
    ),
    (
        "cpu_forecast: {crit_percent: 50}",
        "`clear_percent` ≤ `warn_percent` ≤ `crit_percent`; they would be 55, 60, 50",
    ),
    (
        "imbalance: {trigger_ratio: 1.05, clear_ratio: 1.2}",
        "`clear_ratio` ≤ `trigger_ratio`; they would be 1.2, 1.05",
    ),
    (
        "partitions_limit: {warn_share: 0.5}",
        "`clear_share` ≤ `warn_share`; they would be 0.85, 0.5",
    ),
    (
        "preferred_leaders: {trigger_share: 0.02}",
        "`clear_share` ≤ `trigger_share`; they would be 0.05, 0.02",
    ),
    (
        "hot_partition: {times_others: 2}",
        "`clear_times_others` ≤ `times_others`; they would be 3, 2",
    ),
]


def read(folder: Path, text: str) -> Alerts | Problems:
    file = folder / "alerts.yaml"
    file.write_text(text)
    return load_alerts(
        file, rules=RULES, incident_settings=IncidentSettings, clusters=("orders-prod",)
    )


@pytest.mark.parametrize(("said", "words"), CONTRADICTIONS)
def test_thresholds_in_the_wrong_order_are_refused_where_they_stand(
    tmp_path: Path, said: str, words: str
) -> None:
    found = read(tmp_path, f"defaults:\n  rules:\n    {said}\n")
    assert isinstance(found, Problems)
    rule = said.partition(":")[0]
    place = f"{tmp_path / 'alerts.yaml'}:3:{len(rule) + 7}"
    assert found.words() == f"{place}: `defaults.rules.{rule}` needs {words}"


def test_what_an_exception_makes_of_it_is_checked_too(tmp_path: Path) -> None:
    text = 'defaults: {rules: {disk_full: {exceptions: [{match: "3", warn_percent: 92}]}}}'
    found = read(tmp_path, text)
    assert isinstance(found, Problems)
    assert "`defaults.rules.disk_full.exceptions[0]` needs" in found.words()


def test_thresholds_that_are_the_same_are_a_choice(tmp_path: Path) -> None:
    rules = "disk_full: {clear_percent: 85}, imbalance: {clear_ratio: 1.25}"
    assert isinstance(read(tmp_path, f"defaults: {{rules: {{{rules}}}}}"), Alerts)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_what_has_to_rise_are_settings_of_the_rule(rule: str) -> None:
    for names in RULES[rule].rising:
        assert set(names) <= set(RULES[rule].model_fields)
