"""What is wrong with a policy folder, each as line:column with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import Problems, load
from tests.policies.samples import APPROVED, CATALOG, CLUSTERS, folder, policies, problems

# lines added to a policy that is fine (they are line 5) → one problem
ADDED = [
    ("nam: x", "5:5: `policies[0].nam` is not known (did you mean `name`?)"),
    ("name: x", "5:5: `name` stands here twice; first on line 2"),
    ("expires_after_minutes: 0", "must be greater than or equal to 1; found 0"),
    ("expires_after_minutes: 010", '`policies[0].expires_after_minutes` must be a whole number; found "010"'),
    ("expires_after_minutes: 1:30", 'must be a whole number; found "1:30"'),
    ("without_approval: yes", 'must be true or false; found "yes"'),
    ("without_approval: true", "everywhere else a second person approves"),
    ("tz: Europe/Berln", "5:9: `policies[0].tz` is no time zone"),
    ("tz: ../../etc/passwd", "is no time zone"),
    ("limits: {throttle_bytes_per_second: 50Mb/s}", "must be a rate like 50MB/s; found `50Mb/s`"),
    ("limits: {throttle_bytes_per_second: 1B/s}", "greater than or equal to 100000"),
    ("limits: {cpu_percent_max: .nan}", "must be a number"),
    ("limits: {cpu_percent_max: 101}", "less than or equal to 100; found 101"),
    ("limits: {partition_per_call: 5}", "did you mean `partitions_per_call`?"),
    ("limits: {partitions_per_call: 5.5}", "must be a whole number"),
    ("windows: [{days: [Monday], from: 09:00, to: 10:00}]", "must be days like Mon or Mon-Fri"),
    ("windows: [{days: [], from: 09:00, to: 10:00}]", "must name at least one day"),
    ("windows: [{days: [Fri-], from: 09:00, to: 10:00}]", "must be days like Mon or Mon-Fri; found `Fri-`"),
    ("windows: [{from: 9am, to: 10:00}]", 'must be a time of day like "09:00"; found `9am`'),
    ("windows: [{from: 09:00, to: 09:00}]", "are the same"),
    ("freezes: [{from: 2026-12-20, to: 2026-12-19}]", "`from` must be before `to`"),
    ("freezes: [{from: 2026-13-20, to: 2026-12-19}]", "5:22: `policies[0].freezes[0].from` must be a date"),
    ("freezes: [{from: 2026-12-20T00:00Z, to: 2026-12-21}]", "must be local time"),
    ("rules: [{expression: grow.brokers < 3}]", "needs either `message` or `messageExpression`"),
    ("rules: [{expression: grow.brokers < 3, message: a, messageExpression: b}]", "needs either"),
    ("rules: [{expression: grow.brokers < 3, mesage: a}]", "did you mean `message`?"),
    ("rules: [{expression: grow.brokers < 3, message_expression: a}]", "did you mean `messageExpression`?"),
    ("rules: [{expression: grow.brokres < 3, message: a}]",
     "5:26: in `expression`: `grow.brokres` is not known (did you mean `grow.brokers`?)"),
    ("rules: [{expression: brokers < 3, message: a}]",
     "5:26: in `expression`: `brokers` is not known (did you mean `grow.brokers`?)"),
    ("rules: [{expression: grow.brokers < 3.0, message: a}]", "write both sides alike"),
    ("rules: [{expression: grow.brokers, message: a}]", "must give true or false, not int"),
    ("rules: [{expression: 'true', messageExpression: 1 + 1}]", "in `messageExpression`: must give text, not int"),
    ("rules: [{expression: 'true', message: a, severity: require-approvals}]", "needs `approvals` with severity"),
    ("rules: [{expression: 'true', message: a, severity: denny}]", "must be 'deny', 'warn' or 'require-approvals'"),
    ("rules: [{expression: 'true', message: a, approvals: [{people: [U0000000B]}]}]", "require-approvals only"),
    ("examples: [{name: x, facts: {grow.brokres: 6}, expect: denied}]",
     "5:34: fact `grow.brokres` is not known (did you mean `grow.brokers`?)"),
    ("examples: [{name: x, facts: {grow.brokers: '6'}, expect: denied}]", "must be int, not string"),
    ("examples: [{name: x, facts: {}, expect: allowed}]",
     "5:45: example `x`: the verdict is needs_approvals, not allowed"),
    ("examples: [{name: x, facts: {}, expect: needs_approvals, reason_contains: foo}]", "`foo` is not in: nothing"),
    ("examples: [{name: x, facts: {}, expect: needs_approvals, approvals: 2}]", "but with 1 approvals, not 2"),
    ("examples: [{name: x, facts: {}, expect: denied, at: noon}]", "must be like 2026-11-23 10:00"),
    ('examples: [{name: x, facts: {}, expect: denied, at: "9999-12-31 23:59"}]', "between the years 1970 and 2200"),
    ("examples: [{name: e, facts: {grow.brokers: null}, expect: denied}]",
     "must be a whole number or a number or text or true or false or a list; found null"),
    (f"limits: {{throttle_bytes_per_second: {'9' * 400}MB/s}}", "found one beyond all numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), ADDED)
def test_says_what_is_wrong_and_where(tmp_path: Path, line: str, words: str) -> None:
    found = problems(tmp_path, APPROVED.strip() + f"\n    {line}\n")
    assert len(found) == 1, found
    assert words in found[0], found


# the policy itself, changed in one place → one problem
CHANGED = [
    ("[grow to]", "[grow too]", "there is no change `grow too` (did you mean `grow to`?)"),
    ("[grow to]", "[fly]", "there is no change `fly` (known: grow to, shrink to)"),
    ("{changes: [grow to]}", "{clusters: [order]}", "no cluster `order` in clusters.yaml (did you mean `orders`?)"),
    ("{changes: [grow to]}", "{environments: [prodution]}",
     "no cluster has the environment `prodution` (did you mean `production`?)"),
    ("groups: [S0000000A]", "groups: []", "names nobody"),
    ("groups: [S0000000A]", "groups: ['@approvers']", "must be Slack user group ids like S0123456789"),
    ("groups: [S0000000A]", "people: [bob]", "must be Slack user ids like U0123456789"),
    ("count: 1, groups: [S0000000A]", "count: 2, people: [U0000000B, U0000000B]",
     "needs 2 approvals and names 1 people"),
    ("count: 1", "count: 0", "greater than or equal to 1"),
    ("count: 1", "count: '1'", 'must be a whole number; found "1"'),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "words"), CHANGED)
def test_refuses_names_that_fit_nothing(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in APPROVED
    found = problems(tmp_path, APPROVED.replace(before, after))
    assert len(found) == 1, found
    assert words in found[0]


def test_a_fact_of_another_change_is_named_as_such(tmp_path: Path) -> None:
    rule = "\n    rules: [{expression: grow.brokers < 3, message: a}]\n"
    text = APPROVED.strip().replace("[grow to]", "[shrink to]") + rule
    assert "only `grow to` has it: name that in `match.changes`" in problems(tmp_path, text)[0]
    text = APPROVED.strip().replace("{changes: [grow to]}", "{}") + rule
    assert "only `grow to` has it" in problems(tmp_path, text)[0]


def test_every_problem_of_every_file_is_reported(tmp_path: Path) -> None:
    found = problems(tmp_path, APPROVED + "    a: 1\n    b: 2\n", "policies: 3", "[")
    assert len(found) == 4


def test_a_problem_names_its_file(tmp_path: Path) -> None:
    found = load(folder(tmp_path, APPROVED + "    a: 1\n"), catalog=CATALOG)
    assert isinstance(found, Problems)
    assert found[0].file == str(tmp_path / "p0.yaml")
    assert found.words().startswith(f"{tmp_path / 'p0.yaml'}:6:5: ")


def test_two_policies_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "policy name `p` is taken" in problems(tmp_path, APPROVED, APPROVED)[0]


def test_a_file_nobody_would_read_is_refused(tmp_path: Path) -> None:
    (folder(tmp_path, APPROVED) / "more.yml").write_text("policies: []")
    found = load(tmp_path, catalog=CATALOG)
    assert isinstance(found, Problems)
    assert "rename it to more.yaml" in found.words()


def test_a_folder_without_a_policy_is_refused(tmp_path: Path) -> None:
    found = load(folder(tmp_path), catalog=CATALOG)
    assert isinstance(found, Problems)
    assert "nothing would ever be allowed" in found.words()
    missing = load(tmp_path / "no", catalog=CATALOG)
    assert isinstance(missing, Problems)
    assert "there is no such folder" in missing.words()


CLUSTER_FAULTS = [
    ("name: orders", "name: o rders", "must be a plain name"),
    ("channel: C0000000001", "channel: '#kafka'", "must be Slack's channel id"),
    ("region: us-east-1", "region: eu-west-1", "`region` is eu-west-1, its `arn` says us-east-1"),
    ("mode: plaintext", "mode: scram", "needs `username_env` and `password_env`"),
    ("mode: plaintext", "mode: plaintext, password_env: X", "takes no user and password"),
    ("mode: plaintext", "mode: kerberos", "must be 'plaintext', 'tls', 'scram' or 'iam'"),
    ("arn:aws:kafka:us-east-1:1234", "arn:aws:s3:us-east-1:1234", "needs an `arn` like"),
    ("name: play", "name: orders", "name `orders` stands here twice"),
    ("environment: lab", "enviroment: lab", "did you mean `environment`?"),
]


@pytest.mark.parametrize(("before", "after", "words"), CLUSTER_FAULTS)
def test_a_cluster_that_cannot_be_is_refused(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in CLUSTERS
    found = problems(tmp_path, APPROVED, clusters=CLUSTERS.replace(before, after))
    assert any(words in one for one in found), found


def test_missing_clusters_are_said(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(APPROVED)
    found = load(tmp_path, catalog=CATALOG)
    assert isinstance(found, Problems)
    assert "clusters.yaml: there is no such file" in found.words()


def test_the_digest_follows_the_meaning_and_not_the_comments(tmp_path: Path) -> None:
    first = policies(tmp_path / "a", APPROVED)
    example = "    examples: [{name: x, facts: {}, expect: needs_approvals}]\n"
    same = policies(tmp_path / "b", "# a comment\n" + APPROVED + example)
    other = policies(tmp_path / "c", APPROVED.replace("count: 1", "count: 2"))
    assert first.digest == same.digest
    assert first.digest != other.digest


def test_clusters_are_handed_out_with_what_others_need(tmp_path: Path) -> None:
    found = policies(tmp_path, APPROVED)
    assert found.clusters["orders"].ref.environment == "production"
    assert found.cluster_of_channel("C0000000001") == "orders"
    assert found.cluster_of_channel("C9999999999") is None
    assert found.approver_groups() == frozenset({"S0000000A"})


def test_a_channel_of_two_clusters_is_the_default_of_neither(tmp_path: Path) -> None:
    both = CLUSTERS.replace("C0000000002", "C0000000001")
    found = load(folder(tmp_path, APPROVED, clusters=both), catalog=CATALOG)
    assert not isinstance(found, Problems)
    assert found.cluster_of_channel("C0000000001") is None
