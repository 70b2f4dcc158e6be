"""The command line: bad input is answered with what would be right, and nothing is started."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lab.__main__ import _COMMANDS, main
from lab.addresses import LabFolder, sole_owner, write_json


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("command", [(name,) for name in _COMMANDS] + [("load", "status")])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    ("brokers", "sentence"),
    [
        ("4", "4 brokers cannot be spread evenly over 3 AZs; 3 or 6 can"),
        ("0", "0 brokers cannot be spread evenly over 3 AZs; 3 or 6 can"),
        ("31", "31 brokers cannot be spread evenly over 3 AZs; 30 can"),
        ("many", "'many' is not a valid integer"),
    ],
)
def test_a_number_of_brokers_that_cannot_be_is_answered(brokers: str, sentence: str) -> None:
    result = run("up", "--brokers", brokers)
    assert result.exit_code == 2
    assert sentence in result.output


def test_an_unknown_kafka_is_answered_with_the_known_ones() -> None:
    result = run("up", "--kafka-version", "2.8.1")
    assert result.exit_code == 2
    assert "'3.9.2', '4.1.2'" in result.output


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    result = run("up", "--bare", "--no-load", "--dir", str(tmp_path))
    assert result.exit_code == 2
    assert "holds files that are not a lab's" in result.output


@pytest.mark.parametrize("command", ["say --as ann --in #kafka hi", "fault list", "load status"])
def test_without_a_lab_it_is_said_how_to_start_one(tmp_path: Path, command: str) -> None:
    result = run(*command.split(), "--dir", str(tmp_path))
    assert result.exit_code == 1
    assert "start one with `python -m lab up`" in result.output


def test_a_lab_that_was_killed_is_not_taken_for_a_living_one(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path)
    write_json(folder.state, {"phase": "ready", "pid": 4711, "stages": [], "children": []})
    write_json(folder.addresses, {"ready": True, "slack_page": "http://127.0.0.1:8930/"})
    result = run("status", "--json", "--dir", str(tmp_path))
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert (found["phase"], found["slack_page"]) == ("killed", None)
    assert run("read", "#kafka", "--dir", str(tmp_path)).exit_code == 1


def test_a_lab_on_its_way_is_told_apart_from_one_that_is_up(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path / "lab")
    with sole_owner(folder):
        stages = [{"name": "kafka", "state": "underway", "seconds": 0.0, "detail": ""}]
        write_json(folder.state, {"phase": "starting", "pid": 1, "stages": stages, "children": []})
        result = run("status", "--dir", str(folder.root))
        asked = run("fault", "list", "--dir", str(folder.root))
    assert result.exit_code == 3
    assert "kafka  underway" in result.output
    assert "not ready (starting)" in asked.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("broker-kil 2", "there is no fault 'broker-kil'"),
        ("broker-kill", "broker-kill wants a broker's id"),
        ("msk-healing maybe", "msk-healing wants `on` or `off`"),
        ("slack-clock soon", "slack-clock wants seconds"),
        ("aws-throttle times", "expected key=value, found 'times'"),
    ],
)
def test_a_fault_that_cannot_be_is_answered(tmp_path: Path, arguments: str, sentence: str) -> None:
    folder = LabFolder(tmp_path / "lab")
    with sole_owner(folder):
        write_json(folder.addresses, {"aws": "http://127.0.0.1:9/", "slack_page": None})
        result = run("fault", *arguments.split(), "--dir", str(folder.root))
    assert result.exit_code != 0
    assert sentence in result.output


def test_the_loads_numbers_are_printed_with_their_age(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path / "lab")
    kinds = ("sent", "acknowledged", "read_back", "missing", "duplicates", "unconfirmed")
    counts = dict(zip(kinds, (9, 8, 7, 1, 2, 0), strict=True))
    books = {
        "phase": "running",
        "updated_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "acknowledged_per_second": 80.0,
        "ack_milliseconds": {"p50": 12.0, "p99": 90.0},
        "errors_survived": 0,
        "errors_last": [],
        "totals": counts,
        "topics": {"orders": counts},
    }
    with sole_owner(folder):
        write_json(folder.addresses, {"ready": True})
        write_json(folder.load, books)
        words = run("load", "status", "--dir", str(folder.root)).output
        data = json.loads(run("load", "status", "--json", "--dir", str(folder.root)).output)
    assert "orders" in words
    assert "the load does not run" in words
    assert data["totals"]["missing"] == 1
