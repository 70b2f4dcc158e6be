"""`python -m policies`, as people and CI call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changes.facts import Broker, MskNode, Partition
from policies.__main__ import main
from tests.policies.samples import survey
from tests.policies.test_documents import shipped

pytestmark = pytest.mark.slow

FACTS = {
    "scale.brokers": 30,
    "scale.brokers_now": 3,
    "scale.brokers_added": 27,
    "scale.partitions_per_broker_after": 10,
    "cluster.instance_type": "kafka.m5.large",
    "cluster.partitions_per_broker_max": 1500,
    "plan.cost_known": False,
}


@pytest.fixture(autouse=True)
def _shipped_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTTLA_POLICIES", raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def broken(where: Path) -> Path:
    (where / "clusters.yaml").write_text("clusters: []")
    (where / "p.yaml").write_text("policys: []")
    return where


def test_check_says_ok() -> None:
    found = run("check")
    assert found.exit_code == 0
    assert found.output.startswith("OK: ")


def test_check_prints_every_problem_with_its_place_and_ends_with_1(tmp_path: Path) -> None:
    found = run("check", str(broken(tmp_path)))
    assert found.exit_code == 1
    assert "p.yaml:1:1: `policys` is not known (did you mean `policies`?)" in found.output
    assert "clusters.yaml:1:11: no cluster is named here" in found.output


def test_check_as_json(tmp_path: Path) -> None:
    assert json.loads(run("check", "--json").output) == {"ok": True, "problems": []}
    told = json.loads(run("check", str(broken(tmp_path)), "--json").output)
    assert not told["ok"]
    assert {"file", "line", "column", "message", "suggestion"} <= set(told["problems"][0])


def test_check_takes_a_file_for_its_folder(tmp_path: Path) -> None:
    assert run("check", str(broken(tmp_path) / "p.yaml")).exit_code == 1


def test_explain_takes_facts_from_the_example_that_fits() -> None:
    text = run("explain", "orders-prod", "scale", "brokers", "30").output
    assert "facts: example `thirty are too many`" in text
    assert "✗ production: at most 12 brokers denies: 30 brokers are more" in text
    assert "policy staging" in text
    assert "does not match: it is about the environments staging" in text
    assert "verdict: denied" in text


def test_explain_says_which_facts_were_typed() -> None:
    text = run("explain", "orders-prod", "scale brokers 12 because sale").output
    assert "but scale.brokers = 12 as typed" in text
    assert "verdict: needs approvals" in text


def test_explain_reads_facts_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS))
    told = run("explain", "orders-prod", "scale brokers 30", "--facts", str(file), "--json").output
    verdict = json.loads(told)["verdict"]
    assert verdict["outcome"] == "denied"
    assert "30 brokers" in verdict["reasons"][0]["message"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere", "scale brokers 6"), "there is no cluster nowhere; known: orders-prod"),
        (("orders-prod", "scale borkers 6"), "Try: scale brokers 6"),
        (("orders-prod", "scale brokers 6", "--at", "noon"), "`noon` is no moment"),
        (("orders-prod", "scale brokers 6", "--at", "2026-11-23T10:00"), "needs its offset"),
        (("orders-prod", "scale brokers 6", "--facts", "no.json"), "cannot be read"),
    ],
)
def test_explain_refuses_with_a_sentence(words: tuple[str, ...], message: str) -> None:
    found = run("explain", *words)
    assert found.exit_code == 1
    assert message in found.stderr
    assert not found.stdout


def surveyed(where: Path) -> str:
    """Three brokers in three zones, thirty partitions, as a survey writes it."""
    cluster = shipped().clusters["orders-prod"]
    facts = survey()
    ids = (1, 2, 3)
    file = where / "survey.json"
    file.write_text(
        facts.with_(
            cluster=cluster.ref,
            msk=facts.msk.with_(state="ACTIVE", arn=cluster.arn),
            nodes=tuple(
                MskNode(broker_id=i, endpoints=(), subnet=f"s{i}", instance_type="kafka.m5.large")
                for i in ids
            ),
            brokers=tuple(Broker(broker_id=i, rack="abc"[i - 1]) for i in ids),
            partitions=tuple(
                Partition(topic="t", partition=n, replicas=ids, isr=ids, leader=1, size_bytes=10**6)
                for n in range(30)
            ),
        ).model_dump_json()
    )
    return str(file)


@pytest.mark.parametrize(
    ("brokers", "words"),
    [
        ("6", "verdict: needs approvals\n  1 of @kafka-approvers"),
        ("9", "verdict: needs approvals\n  2 of @kafka-approvers"),
        ("30", "30 brokers are more than the 12"),
        ("5", "6 can"),
    ],
)
def test_explain_plans_a_survey_for_real(tmp_path: Path, brokers: str, words: str) -> None:
    found = run("explain", "orders-prod", f"scale brokers {brokers}", "--facts", surveyed(tmp_path))
    assert found.exit_code == 0
    assert words in found.output


def test_explain_names_a_fact_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({"scale.borkers": 6}))
    found = run("explain", "orders-prod", "scale brokers 6", "--facts", str(file))
    assert found.exit_code == 1
    assert "fact `scale.borkers` is not known" in found.stderr


def entry(
    expect: str | None = None, *, facts: Mapping[str, object] | None = None
) -> dict[str, object]:
    return {
        "cluster": "orders-prod",
        "change": "scale brokers",
        "facts": {**FACTS, **(facts or {})},
        "expect": expect,
    }


def test_simulate_counts_what_would_be_said_now(tmp_path: Path) -> None:
    file = tmp_path / "past.jsonl"
    entries = [entry(), entry(facts={"scale.brokers": 6, "scale.brokers_added": 3})]
    file.write_text("\n".join(json.dumps(one) for one in entries))
    found = run("simulate", str(file))
    assert found.exit_code == 0
    assert "2 replayed: 1 denied, 1 needs approvals; 0 unlike what was recorded" in found.output


def test_simulate_ends_with_1_when_a_verdict_changed(tmp_path: Path) -> None:
    file = tmp_path / "past.json"
    file.write_text(json.dumps([entry("needs_approvals")]))
    found = run("simulate", str(file))
    assert found.exit_code == 1
    assert "[was needs_approvals]" in found.output
    told = json.loads(run("simulate", str(file), "--json").output)
    assert told[0]["verdict"]["outcome"] == "denied"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{}]", "entry 1: cluster: "),
        ("nonsense", "this is not JSON"),
        (json.dumps([{**entry(), "change": "fly"}]), "there is no change `fly`"),
        (json.dumps([{**entry(), "cluster": "x"}]), "there is no cluster `x`"),
        (json.dumps([entry(facts={"a.b": 1})]), "fact `a.b` is not known"),
    ],
)
def test_simulate_refuses_with_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "past.json"
    file.write_text(text)
    found = run("simulate", str(file))
    assert found.exit_code == 1
    assert message in found.stderr


@pytest.mark.parametrize("words", [(), ("check",), ("explain",), ("simulate",)])
def test_everything_has_help(words: tuple[str, ...]) -> None:
    found = run(*words, "--help")
    assert found.exit_code == 0
    assert "Usage:" in found.output
