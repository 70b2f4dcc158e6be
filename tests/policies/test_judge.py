"""What policies say of a plan: the strictest wins, and the floor holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from changes.plan import CannotPlan, Impact
from changes.verdict import ExecutionLimits, Verdict
from policies import Policies
from tests.policies.samples import (
    APPROVED,
    NOW,
    PERSON,
    plan,
    policies,
    survey,
)

BASE = APPROVED.strip() + "\n"
HIGH = Impact(risk="high", cost_usd_per_month=1.0)


def judge(
    found: Policies,
    brokers: int = 6,
    *,
    now: datetime = NOW,
    impact: Impact | None = None,
    instance_type: str = "kafka.m5.large",
    because: str = "lag",
) -> Verdict:
    return found.judge(
        plan=plan(brokers, impact=impact),
        facts=survey(instance_type),
        person=PERSON,
        because=because,
        now=now,
    )


def rule(expression: str, more: str = "") -> str:
    return BASE + f"    rules: [{{name: r, expression: '{expression}', message: told{more}}}]\n"


def test_what_no_policy_covers_is_denied(tmp_path: Path) -> None:
    found = policies(tmp_path, BASE.replace("changes: [grow to]", "changes: [shrink to]"))
    verdict = judge(found)
    assert verdict.outcome == "denied"
    assert "no policy covers `grow to` on orders (production)" in verdict.reasons[0].message


@pytest.mark.parametrize(
    ("match", "covered"),
    [
        ("{}", True),
        ("{changes: [grow to, shrink to]}", True),
        ("{changes: [shrink to]}", False),
        ("{clusters: [orders]}", True),
        ("{clusters: [play]}", False),
        ("{environments: [production], changes: [grow to]}", True),
        ("{environments: [lab]}", False),
        ("{environments: [production], clusters: [play]}", False),
    ],
)
def test_a_policy_covers_what_its_match_names(tmp_path: Path, match: str, covered: bool) -> None:
    found = policies(tmp_path, BASE.replace("{changes: [grow to]}", match))
    assert (judge(found).outcome == "needs_approvals") is covered


def test_an_approval_is_asked_for_with_its_circle(tmp_path: Path) -> None:
    found = policies(tmp_path, BASE)
    verdict = judge(found)
    assert verdict.outcome == "needs_approvals"
    assert [(n.count, n.groups, n.label) for n in verdict.approvals] == [
        (1, ("S0000000A",), "@approvers")
    ]
    assert verdict.policy_digest == found.digest


def test_a_rule_that_is_not_true_denies_with_its_words(tmp_path: Path) -> None:
    text = rule("grow.brokers <= 12", ", would_pass: twelve")
    assert judge(policies(tmp_path, text), 12).outcome == "needs_approvals"
    verdict = judge(policies(tmp_path, text), 13)
    assert verdict.outcome == "denied"
    assert not verdict.approvals
    reason = verdict.reasons[0]
    assert (reason.rule, reason.message, reason.would_pass) == ("p: r", "told", "twelve")


def test_a_message_can_be_an_expression(tmp_path: Path) -> None:
    text = BASE + (
        "    rules:\n"
        "      - expression: grow.brokers <= 12\n"
        "        messageExpression: string(grow.brokers) + ' are too many'\n"
    )
    verdict = judge(policies(tmp_path, text), 30)
    assert verdict.reasons[0].message == "30 are too many"
    assert verdict.reasons[0].rule == "p: rule 1"


@pytest.mark.parametrize("severity", ["deny", "warn"])
@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("1 / (grow.brokers - 6) == 1", "divide by zero"),
        (
            "cluster.partitions_per_broker_max > 0",
            "`cluster.partitions_per_broker_max` is not known",
        ),
        ("plan.cost_usd_per_month < 9.0", "`plan.cost_usd_per_month` is not known"),
    ],
)
def test_a_rule_that_cannot_be_judged_denies_whatever_its_severity(
    tmp_path: Path, severity: str, expression: str, error: str
) -> None:
    found = policies(tmp_path, rule(expression, f", severity: {severity}"))
    verdict = judge(found, instance_type="kafka.z9.huge", impact=Impact(cost_usd_per_month=None))
    assert verdict.outcome == "denied"
    assert verdict.reasons[0].rule == "p: r"
    assert error in verdict.reasons[0].message


def test_an_unknown_cost_can_be_allowed_for(tmp_path: Path) -> None:
    found = policies(tmp_path, rule("!plan.cost_known || plan.cost_usd_per_month < 9.0"))
    assert judge(found, impact=Impact(cost_usd_per_month=None)).outcome == "needs_approvals"
    assert judge(found, impact=Impact(cost_usd_per_month=10)).outcome == "denied"


def test_a_warning_is_said_and_stops_nothing(tmp_path: Path) -> None:
    verdict = judge(policies(tmp_path, rule("grow.brokers < 3", ", severity: warn")))
    assert verdict.outcome == "needs_approvals"
    assert verdict.warnings == ("told",)


def test_a_rule_may_ask_for_more_approvals(tmp_path: Path) -> None:
    more = ", severity: require-approvals, approvals: [{count: 1, people: [U0000000B]}]"
    found = policies(tmp_path, rule("grow.brokers <= 6", more))
    assert len(judge(found, 6).approvals) == 1
    assert [n.people for n in judge(found, 9).approvals] == [(), ("U0000000B",)]


@pytest.mark.parametrize(
    ("when", "asked"),
    [
        ("grow.brokers > 6", False),
        ("grow.brokers > 5", True),
        ("1 / (grow.brokers - 6) == 1", True),
    ],
)
def test_an_approval_is_dropped_only_when_its_condition_is_plainly_false(
    tmp_path: Path, when: str, asked: bool
) -> None:
    text = BASE.replace(
        'label: "@approvers"}', f'}}, {{count: 1, people: [U0000000B], when: "{when}"}}'
    )
    circles = [need.people for need in judge(policies(tmp_path, text)).approvals]
    assert (("U0000000B",) in circles) is asked


BUILT_IN = [
    'request.requester == "U0000000A"',
    '"S0000000A" in request.requester_groups',
    'request.because == "lag"',
    'cluster.name == "orders"',
    'cluster.environment == "production"',
    "cluster.brokers == 3",
    "cluster.broker_quota == 60",
    "cluster.az_count == 3",
    'cluster.instance_type == "kafka.m5.large"',
    "!cluster.express",
    "cluster.partitions_per_broker_max == 1500",
    "plan.bytes_moved == 7",
    "plan.replicas_moved == 8",
    "plan.leaders_changed == 9",
    "plan.cost_known",
    "plan.cost_usd_per_month == 759.9",
    "plan.duration_minutes_high == 1.5",
    'plan.risk == "medium"',
    "time.hour == 10",
    'time.weekday == "Mon"',
    "grow.brokers == 6",
    "grow.share == 2.0",
]


@pytest.mark.parametrize("expression", BUILT_IN)
def test_every_fact_is_there(tmp_path: Path, expression: str) -> None:
    impact = Impact(
        bytes_moved=7,
        replicas_moved=8,
        leaders_changed=9,
        cost_usd_per_month=759.9,
        duration_seconds_high=90,
        risk="medium",
    )
    verdict = judge(policies(tmp_path, rule(expression, "")), impact=impact)
    assert verdict.outcome == "needs_approvals", verdict.reasons


def test_time_is_told_in_the_policys_zone(tmp_path: Path) -> None:
    text = rule('time.hour == 19 && time.weekday == "Mon"') + "    tz: Asia/Tokyo\n"
    assert judge(policies(tmp_path, text)).outcome == "needs_approvals"


def second(name: str, lines: str) -> str:
    return f"policies:\n  - name: {name}\n    match: {{}}\n" + lines


def test_one_denial_of_several_policies_denies(tmp_path: Path) -> None:
    other = second("q", "    rules: [{expression: 'false', message: never}]\n")
    verdict = judge(policies(tmp_path, BASE, other))
    assert verdict.outcome == "denied"
    assert [reason.message for reason in verdict.reasons] == ["never"]


def test_all_circles_are_needed_and_the_same_one_once_with_the_larger_number(
    tmp_path: Path,
) -> None:
    other = second("q", "    approvals: [{count: 2, groups: [S0000000A]}, {people: [U0000000C]}]\n")
    needs = judge(policies(tmp_path, BASE, other)).approvals
    assert [(n.count, n.groups, n.people) for n in needs] == [
        (2, ("S0000000A",), ()),
        (1, (), ("U0000000C",)),
    ]


def test_the_earliest_expiry_counts(tmp_path: Path) -> None:
    other = second("q", "    expires_after_minutes: 30\n")
    assert judge(policies(tmp_path, BASE, other)).expires_after_minutes == 30


def test_the_strictest_limits_count(tmp_path: Path) -> None:
    one = BASE + "    limits: {throttle_bytes_per_second: 50MB/s, poll_seconds: 2}\n"
    other = second(
        "q",
        "    limits: {throttle_bytes_per_second: 20MiB/s, poll_seconds: 1, partitions_per_call: 5}\n",
    )
    found = policies(tmp_path, one, other)
    assert found.limits("orders") == ExecutionLimits(
        throttle_bytes_per_second=20 * 2**20, poll_seconds=2, partitions_per_call=5
    )
    assert found.limits("nowhere") == ExecutionLimits()


@pytest.mark.parametrize(
    ("one", "other", "held"), [("false", "true", True), ("false", "false", False)]
)
def test_the_gate_on_lag_is_off_only_where_nobody_wants_it(
    tmp_path: Path, one: str, other: str, held: bool
) -> None:
    first = BASE + f"    limits: {{lag_gate: {one}}}\n"
    found = policies(tmp_path, first, second("q", f"    limits: {{lag_gate: {other}}}\n"))
    assert found.limits("orders").lag_gate is held


def test_a_policy_without_limits_loosens_none(tmp_path: Path) -> None:
    one = BASE + "    limits: {throttle_bytes_per_second: 500MB/s}\n"
    found = policies(tmp_path, one, second("q", "    tz: UTC\n"))
    assert found.limits("orders").throttle_bytes_per_second == 500_000_000


def test_nothing_acts_without_a_second_person(tmp_path: Path) -> None:
    found = policies(tmp_path, second("q", "    rules: [{expression: 'true', message: x}]\n"))
    verdict = judge(found)
    assert verdict.outcome == "denied"
    assert verdict.reasons[0].rule == "built-in floor"


def test_an_approval_that_falls_away_leaves_the_floor(tmp_path: Path) -> None:
    text = BASE.replace('label: "@approvers"', "when: grow.brokers > 100")
    assert judge(policies(tmp_path, text)).reasons[0].rule == "built-in floor"


def test_high_risk_takes_two_people(tmp_path: Path) -> None:
    verdict = judge(policies(tmp_path, BASE), impact=HIGH)
    assert sum(need.count for need in verdict.approvals) == 2
    three = policies(tmp_path, BASE.replace("count: 1", "count: 3"))
    assert sum(need.count for need in judge(three, impact=HIGH).approvals) == 3


def test_a_lab_may_go_without_approval_and_its_word_holds_nowhere_else(tmp_path: Path) -> None:
    lab = "policies:\n  - {name: l, match: {environments: [lab]}, without_approval: true}\n"
    found = policies(tmp_path, lab, BASE.replace("changes: [grow to]", "clusters: [orders]"))
    facts = survey().with_(cluster=found.clusters["play"].ref)
    verdict = found.judge(
        plan=plan(cluster="play"), facts=facts, person=PERSON, because="", now=NOW
    )
    assert verdict.outcome == "allowed"
    assert judge(found).outcome == "needs_approvals"


def test_facts_of_another_cluster_are_refused(tmp_path: Path) -> None:
    found = policies(tmp_path, BASE)
    verdict = found.judge(
        plan=plan(cluster="play"), facts=survey(), person=PERSON, because="", now=NOW
    )
    assert verdict.outcome == "denied"
    assert "another cluster" in verdict.reasons[0].message


def test_an_unknown_cluster_is_refused(tmp_path: Path) -> None:
    verdict = policies(tmp_path, BASE).judge(
        plan=plan(cluster="ghost"), facts=survey(), person=PERSON, because="", now=NOW
    )
    assert verdict.outcome == "denied"
    assert "one of: orders, play" in verdict.reasons[0].would_pass


def test_somebody_without_standing_may_not_ask(tmp_path: Path) -> None:
    guest = PERSON.with_(standing="guests may not")
    verdict = policies(tmp_path, BASE).judge(
        plan=plan(), facts=survey(), person=guest, because="", now=NOW
    )
    assert verdict.outcome == "denied"
    assert "guests may not" in verdict.reasons[0].message


def test_a_fact_a_change_forgot_is_not_known(tmp_path: Path) -> None:
    found = policies(tmp_path, rule("grow.brokers < 100"))
    forgetful = plan().with_(policy_facts={})
    verdict = found.judge(plan=forgetful, facts=survey(), person=PERSON, because="", now=NOW)
    assert verdict.outcome == "denied"
    assert "`grow.brokers` is not known" in verdict.reasons[0].message


def test_a_fact_of_the_wrong_type_denies(tmp_path: Path) -> None:
    found = policies(tmp_path, rule("grow.brokers < 100"))
    lying = plan().with_(policy_facts={"grow.brokers": "6"})
    verdict = found.judge(plan=lying, facts=survey(), person=PERSON, because="", now=NOW)
    assert verdict.outcome == "denied"


def test_a_change_cannot_speak_for_the_built_in_facts(tmp_path: Path) -> None:
    found = policies(tmp_path, rule("cluster.brokers == 3"))
    lying = plan().with_(policy_facts={"cluster.brokers": 99, "grow.brokers": 1})
    verdict = found.judge(plan=lying, facts=survey(), person=PERSON, because="", now=NOW)
    assert verdict.outcome == "needs_approvals"


def test_what_cannot_be_planned_is_denied_in_the_planners_words(tmp_path: Path) -> None:
    verdict = policies(tmp_path, BASE).refusal(
        cannot=CannotPlan(words="5 cannot be spread", would_pass="6")
    )
    assert verdict.outcome == "denied"
    assert (verdict.reasons[0].message, verdict.reasons[0].would_pass) == (
        "5 cannot be spread",
        "6",
    )


def test_outside_its_window_it_is_denied_until_the_next_one_opens(tmp_path: Path) -> None:
    text = BASE + "    windows: [{days: [Mon-Fri], from: 09:00, to: 17:00, tz: Europe/Berlin}]\n"
    found = policies(tmp_path, text + "    tz: Europe/Berlin\n")
    assert judge(found).outcome == "needs_approvals"
    reason = judge(found, now=NOW + timedelta(hours=6)).reasons[0]
    assert "only in these windows: Mon-Fri 09:00–17:00 Europe/Berlin" in reason.message
    assert reason.would_pass == "from Tue 2026-11-24 09:00 Europe/Berlin"


def test_a_freeze_that_opens_while_a_change_waits_denies_it(tmp_path: Path) -> None:
    text = BASE + "    freezes: [{from: 2026-11-23 12:00, to: 2026-11-24 08:00, reason: sale}]\n"
    found = policies(tmp_path, text)
    assert judge(found).outcome == "needs_approvals"
    reason = judge(found, now=NOW + timedelta(hours=2)).reasons[0]
    assert "frozen" in reason.message
    assert "sale" in reason.message
    assert reason.would_pass == "from Tue 2026-11-24 08:00 UTC"
