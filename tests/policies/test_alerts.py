"""`alerts.yaml`: what is laid over what, and every mistake with its line, column and suggestion."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

import pytest
from pydantic import Field, model_validator

from changes.tagged import Value
from policies import Problems
from policies.alerts import Alerts, Groups, load_alerts
from policies.keeping_alerts import KeptAlerts, read_watched


class Lag(Value):
    enabled: bool = True
    slo_seconds: float = Field(default=300, gt=0)
    floor_messages: int = Field(default=0, ge=0)


class Balance(Value):
    enabled: bool = True
    trigger: float = 1.25
    clear: float = 1.10

    @model_validator(mode="after")
    def apart(self) -> Self:
        if self.clear >= self.trigger:
            raise ValueError("needs `clear` below `trigger`")
        return self


class Incidents(Value):
    escalate_minutes: float = Field(default=10, ge=0)


RULES: dict[str, type[Value]] = {"consumer_lag": Lag, "imbalance": Balance}
CLUSTERS = ("orders-prod", "copy")


def read(folder: Path, text: str) -> Alerts | Problems:
    file = folder / "alerts.yaml"
    file.write_text(text)
    return load_alerts(file, rules=RULES, incident_settings=Incidents, clusters=CLUSTERS)


def good(folder: Path, text: str) -> Alerts:
    found = read(folder, text)
    assert isinstance(found, Alerts), found.words()
    return found


def problems(folder: Path, text: str) -> list[str]:
    found = read(folder, text)
    assert isinstance(found, Problems)
    return [one.words().removeprefix(f"{folder / 'alerts.yaml'}:") for one in found]


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "defaults:\nclusters:\n"])
def test_no_file_or_an_empty_one_means_the_defaults(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "alerts.yaml"
    if text is not None:
        file.write_text(text)
    found = load_alerts(file, rules=RULES, incident_settings=Incidents, clusters=CLUSTERS)
    assert isinstance(found, Alerts)
    for name in CLUSTERS:
        one = found.of(name)
        assert (one.scan_seconds, one.on_call, one.incidents) == (30.0, "", Incidents())
        assert {name: tuned.base for name, tuned in one.rules.items()} == {
            "consumer_lag": Lag(),
            "imbalance": Balance(),
        }
        assert not any(tuned.exceptions for tuned in one.rules.values())


def test_a_cluster_lies_over_the_defaults_setting_by_setting(tmp_path: Path) -> None:
    found = good(
        tmp_path,
        """
defaults:
  scan_seconds: 10
  on_call: S0LABKAPPR
  groups: {exclude: ["test-*"]}
  incidents: {escalate_minutes: 5}
  rules:
    consumer_lag: {slo_seconds: 120, floor_messages: 3}
    imbalance: {enabled: false}
clusters:
  orders-prod:
    scan_seconds: 60
    groups: {one_off: true}
    rules:
      consumer_lag: {slo_seconds: 600}
""",
    )
    own, other = found.of("orders-prod"), found.of("copy")
    assert (own.scan_seconds, other.scan_seconds) == (60, 10)
    assert own.on_call == other.on_call == "S0LABKAPPR"
    assert own.rules["consumer_lag"].base == Lag(slo_seconds=600, floor_messages=3)
    assert other.rules["consumer_lag"].base == Lag(slo_seconds=120, floor_messages=3)
    assert own.rules["imbalance"].base == other.rules["imbalance"].base == Balance(enabled=False)
    assert own.groups == Groups(exclude=("test-*",), one_off=True)
    assert own.incidents == Incidents(escalate_minutes=5)


def test_exceptions_lie_over_the_rule_and_the_clusters_own_come_first(tmp_path: Path) -> None:
    found = good(
        tmp_path,
        """
defaults:
  rules:
    consumer_lag:
      floor_messages: 3
      exceptions:
        - {match: "payments-*", slo_seconds: 60}
clusters:
  orders-prod:
    rules:
      consumer_lag:
        floor_messages: 5
        exceptions:
          - {match: "payments-audit", enabled: false}
""",
    )
    assert found.of("orders-prod").rules["consumer_lag"].exceptions == (
        ("payments-audit", Lag(enabled=False, floor_messages=5)),
        ("payments-*", Lag(slo_seconds=60, floor_messages=5)),
    )
    assert found.of("copy").rules["consumer_lag"].exceptions == (
        ("payments-*", Lag(slo_seconds=60, floor_messages=3)),
    )


MISTAKES = [
    ("defauls: {}", "1:1: `defauls` is not known (did you mean `defaults`?)"),
    (
        "defaults:\n  scan_second: 3",
        "2:3: `defaults.scan_second` is not known (did you mean `scan_seconds`?)",
    ),
    ("defaults: {scan_seconds: 0}", "1:26: `defaults.scan_seconds` must be greater"),
    (
        "defaults: {scan_seconds: 010}",
        '1:26: `defaults.scan_seconds` must be a number; found "010"',
    ),
    (
        "defaults:\n  rules:\n    consumer_lags: {}",
        "3:5: `defaults.rules.consumer_lags` is not known (did you mean `consumer_lag`?)",
    ),
    (
        "defaults:\n  rules:\n    consumer_lag:\n      slo_second: 3",
        "4:7: `defaults.rules.consumer_lag.slo_second` is not known (did you mean `slo_seconds`?)",
    ),
    (
        "defaults: {rules: {consumer_lag: {enabled: yes}}}",
        '1:44: `defaults.rules.consumer_lag.enabled` must be true or false; found "yes"',
    ),
    (
        "defaults: {incidents: {escalate: 3}}",
        "1:24: `defaults.incidents.escalate` is not known (did you mean `escalate_minutes`?)",
    ),
    (
        "clusters:\n  order-prod: {}",
        "2:3: `clusters.order-prod` is not known (did you mean `orders-prod`?)",
    ),
    ("defaults: {}\ndefaults: {}", "2:1: `defaults` stands here twice; first on line 1"),
    (
        'defaults: {groups: {exclude: ["a[b"]}}',
        "1:31: `defaults.groups.exclude[0]` `a[b` has a `[` without its `]`; "
        "write `[[]` for the character",
    ),
    (
        'defaults: {groups: {include: [""]}}',
        "1:31: `defaults.groups.include[0]` is an empty pattern, which fits no name; "
        "`*` fits every name",
    ),
    (
        "defaults: {on_call: bob}",
        "1:21: `defaults.on_call` must be Slack's id of a user group (S…) or a person (U…), "
        "`here` or `channel`; found `bob`",
    ),
    (
        "defaults: {rules: {consumer_lag: {exceptions: [{slo_seconds: 3}]}}}",
        "1:48: `defaults.rules.consumer_lag.exceptions[0].match` is missing",
    ),
    (
        'defaults: {rules: {consumer_lag: {exceptions: [{match: "a"}, {match: "a"}]}}}',
        "1:70: `a` stands here twice; only the first would count",
    ),
    ("defaults: [1]", "1:11: `defaults` must be a mapping of names to values; found [1]"),
    ("a: &x 1", "1:4: anchors and aliases (& and *) are not read here: write it out"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, words: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(words)


def test_what_does_not_fit_together_is_named_where_the_last_part_stands(tmp_path: Path) -> None:
    """Each line alone is fine; the cluster's lies over the defaults'."""
    (found,) = problems(
        tmp_path,
        "defaults: {rules: {imbalance: {trigger: 1.5, clear: 1.3}}}\n"
        "clusters:\n  copy:\n    rules:\n      imbalance: {trigger: 1.2}",
    )
    assert found.startswith("5:18: `clusters.copy.rules.imbalance` needs `clear` below `trigger`")


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "defaults:\n  rules: {x: {}}\n  scan_seconds: soon\nclusters: {y: {}}"
    lines = [int(one.partition(":")[0]) for one in problems(tmp_path, text)]
    assert lines == [2, 3, 4]


@pytest.mark.parametrize(
    ("name", "watched"),
    [
        ("payments", True),
        ("console-consumer-4711", False),
        ("report-0c9a2b1d-77aa-4d3e-9f00-1234567890ab", False),
        ("team-data-sink-applications-12", True),
        ("test-1", False),
        ("a:b", True),
        ("<@U123>", True),
        ("`", True),
        ("x" * 200, True),
    ],
)
def test_which_groups_are_looked_at(name: str, watched: bool) -> None:
    assert Groups(exclude=("test-*",)).watched(name) is watched


def test_includes_narrow_and_one_off_groups_can_be_wanted() -> None:
    groups = Groups(include=("payments*", "console-*"), one_off=True)
    assert groups.watched("payments-1")
    assert groups.watched("console-consumer-1")
    assert not groups.watched("orders")


# While a process runs

CLUSTERS_YAML = """
clusters:
  - name: orders-prod
    arn: arn:aws:kafka:us-east-1:123456789012:cluster/orders-prod/8f1d2c3b-4a5e-7
    region: us-east-1
    environment: production
    channel: C0LABKAFKA
    auth: {mode: plaintext}
"""


@pytest.fixture
def kept(tmp_path: Path) -> KeptAlerts:
    (tmp_path / "clusters.yaml").write_text(CLUSTERS_YAML)
    (tmp_path / "alerts.yaml").write_text("defaults: {scan_seconds: 10}")
    found = KeptAlerts.start(tmp_path, rules=RULES, incident_settings=Incidents)
    assert isinstance(found, KeptAlerts)
    return found


def scan_seconds(kept: KeptAlerts) -> float:
    return kept.refresh().alerts.of("orders-prod").scan_seconds


def test_a_good_edit_counts_at_once(tmp_path: Path, kept: KeptAlerts) -> None:
    assert scan_seconds(kept) == 10
    (tmp_path / "alerts.yaml").write_text("defaults: {scan_seconds: 20 }")
    assert (scan_seconds(kept), kept.problem) == (20, "")


@pytest.mark.parametrize("broken", ["defaults: {scan_second: 5}", "defaults: {", None])
def test_a_broken_file_or_a_vanished_one_keeps_the_last_good_one(
    tmp_path: Path, kept: KeptAlerts, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "alerts.yaml"
    with caplog.at_level(logging.INFO):
        file.unlink() if broken is None else file.write_text(broken)
        assert scan_seconds(kept) == 10
        assert "alerts.yaml" in kept.problem
        scan_seconds(kept)
        assert len(caplog.records) == 1, "said once, not at every look"
        file.write_text("defaults: {scan_seconds: 25}")
        assert (scan_seconds(kept), kept.problem) == (25, "")


def test_a_broken_policy_file_does_not_blind_the_watch(tmp_path: Path, kept: KeptAlerts) -> None:
    (tmp_path / "production.yaml").write_text("policies: [")
    assert (scan_seconds(kept), kept.problem) == (10, "")


def test_a_start_is_refused_in_words(tmp_path: Path) -> None:
    missing = read_watched(tmp_path / "none", rules=RULES, incident_settings=Incidents)
    assert isinstance(missing, Problems)
    assert "there is no such folder" in missing.words()
    (tmp_path / "clusters.yaml").write_text(CLUSTERS_YAML)
    (tmp_path / "alerts.yaml").write_text("x: 1")
    started = KeptAlerts.start(tmp_path, rules=RULES, incident_settings=Incidents)
    assert isinstance(started, Problems)
    assert "alerts.yaml:1:1: `x` is not known" in started.words()
