from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench.__main__ import CASES, main
from bench.case import Mistake, read_case, read_plan
from changes.placement.judge import judge

CASE_A = CASES / "input_A_3to6.json.xz"
SMALL: dict[str, list[dict[str, Any]]] = {
    "brokers": [
        {"id": 1, "rack": "az0", "capacity": 1000.0},
        {"id": 2, "rack": "az0", "capacity": 1000.0},
    ],
    "partitions": [
        {"t": "orders", "p": 0, "r": [1], "s": 10.0},
        {"t": "orders", "p": 1, "r": [1], "s": 10.0},
    ],
}


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def write(path: Path, case: object) -> Path:
    path.write_text(json.dumps(case))
    return path


@pytest.mark.parametrize("name", ["plan.txt", "plan.txt.xz"])
def test_plan_writes_a_line_for_every_partition(tmp_path: Path, name: str) -> None:
    result = bench("plan", CASE_A, "--mode", "balanced", "--out", tmp_path / name)
    assert result.exit_code == 0, result.output
    assert "The judge accepts this plan." in result.output
    placement = read_case(CASE_A)
    assert not isinstance(placement, Mistake)
    plan = read_plan(tmp_path / name, case=placement)
    assert not isinstance(plan, Mistake)
    assert judge(placement, plan) == ()


def test_plan_prints_the_columns_of_the_frozen_table() -> None:
    head, _, row = bench("plan", CASE_A).output.splitlines()[:3]
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "case", "plan", "TB", "÷LB", "moved", "touched", "disk", "leaders", "count max",
        "top 10 replicas / leaders", "s, MB",
    ]  # fmt: skip
    assert row.count("|") == head.count("|")


def test_plan_reads_plain_json_and_prints_json(tmp_path: Path) -> None:
    result = bench("plan", write(tmp_path / "input_small.json", SMALL), "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.output)
    assert printed["case"] == "small"
    assert printed["moved_bytes"] == printed["lower_bound_bytes"] == 10
    assert printed["refused"] == []
    assert printed["seconds"] >= 0
    assert printed["peak_mib"] > 0


def test_plan_says_what_the_judge_refuses(tmp_path: Path) -> None:
    tight = {**SMALL, "brokers": [{**b, "capacity": 5 + b["id"]} for b in SMALL["brokers"]]}
    tight["partitions"] = [{"t": "orders", "p": p, "r": [1], "s": 10} for p in range(2)]
    result = bench("plan", write(tmp_path / "tight.json", tight))
    assert result.exit_code == 1
    assert "- Broker 2 would hold 10 bytes and has room for 7" in result.output


WRONG: list[tuple[object, str]] = [
    ({}, "at brokers: Field required"),
    ({**SMALL, "brokers": []}, "at brokers: "),
    ({**SMALL, "brokers": [*SMALL["brokers"], SMALL["brokers"][0]]}, "brokers[2] has id 1 again"),
    ({**SMALL, "partitions": [{"t": "a", "p": 0, "r": [1], "s": -1}]}, "at partitions[0].s: "),
    ({**SMALL, "partitions": [{"t": "a", "p": 0, "r": [1], "s": "9"}]}, "at partitions[0].s: "),
    ({**SMALL, "partitions": [{"t": "a", "p": 0, "r": [], "s": 1}]}, "at partitions[0].r: "),
    ({**SMALL, "partitions": [{"t": "a", "p": 0, "r": [True], "s": 1}]}, "at partitions[0].r[0]: "),
    (
        {**SMALL, "partitions": [{"t": "a", "p": 0, "r": [1, 7], "s": 1}]},
        "partitions[0] (a-0) lists broker 7, which is not among the brokers",
    ),
    (
        {**SMALL, "partitions": [{"t": "a", "p": 0, "r": [1, 1], "s": 1}]},
        "partitions[0] (a-0) lists broker 1 twice",
    ),
    (
        {**SMALL, "partitions": [SMALL["partitions"][1], SMALL["partitions"][1]]},
        "partitions[1] (orders-1) is listed twice",
    ),
    ([], "at the top: "),
]


@pytest.mark.parametrize(("case", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_case_is_refused_with_file_and_place(
    tmp_path: Path, case: object, words: str
) -> None:
    path = write(tmp_path / "case.json", case)
    result = bench("plan", path)
    assert result.exit_code == 2
    assert f"{path}: {words}" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"{", "is not JSON: EOF"),
        ("a.json", b"\xff\xfe", "is not JSON: "),
        ("a.json", b"[" * 5000, "is not JSON: recursion limit exceeded"),
        ("a.json.xz", b"not packed", "is not a whole .xz file"),
        ("a.json.xz", lzma.compress(b"{}" * 900)[:50], "is not a whole .xz file"),
    ],
    ids=["cut", "not UTF-8", "too deep", "not packed", "packed and cut"],
)
def test_a_broken_file_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = bench("plan", path)
    assert result.exit_code == 2
    assert f"{path}: {words}" in result.output


def test_files_that_cannot_be_opened_or_written_are_named(tmp_path: Path) -> None:
    missing = bench("plan", tmp_path / "none.json")
    assert missing.exit_code == 2
    assert "none.json: cannot be read (No such file or directory)" in missing.output
    unwritable = bench("plan", CASE_A, "--out", tmp_path / "no" / "plan.txt")
    assert unwritable.exit_code == 2
    assert "plan.txt: cannot be written (No such file or directory)" in unwritable.output


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "case.json", SMALL)
    result = bench("plan", path, "--out", path)
    assert result.exit_code == 2
    assert "is the input itself" in result.output
    assert json.loads(path.read_text()) == SMALL


def test_compare_sets_frozen_plans_beside_ours(tmp_path: Path) -> None:
    write(tmp_path / "input_small.json", SMALL)
    (tmp_path / "small__lazy_tool.txt").write_text("1\n1\n")
    rows = json.loads(bench("compare", tmp_path, "--json").output)
    assert [(row["plan"], row["moved_bytes"]) for row in rows] == [
        ("ottla_balanced", 10),
        ("lazy_tool", 0),
    ]


def test_compare_without_a_folder_shows_the_cases_kept_here() -> None:
    result = bench("compare")
    assert result.exit_code == 0, result.output
    assert result.output.count("| A_3to6 |") == 9


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("1\n", "1 lines for 2 partitions"),
        ("1\none\n", "line 2: 'one' is not a list of broker ids"),
        ("1\n\n", "line 2: '' is not a list of broker ids"),
        ("1\n3\n", "the judge refuses this plan. orders-1 would go to broker 3"),
    ],
)
def test_compare_refuses_a_broken_plan_by_name(tmp_path: Path, plan: str, words: str) -> None:
    write(tmp_path / "input_small.json", SMALL)
    (tmp_path / "small__tool.txt").write_text(plan)
    result = bench("compare", tmp_path)
    assert result.exit_code == 2
    assert "small__tool.txt" in result.output
    assert words in result.output


def test_compare_says_when_a_folder_holds_no_case(tmp_path: Path) -> None:
    result = bench("compare", tmp_path)
    assert result.exit_code == 2
    assert "holds no case" in result.output
