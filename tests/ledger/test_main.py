from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from changes.lifecycle import Event
from ledger import Ledger
from ledger.__main__ import main
from tests.ledger.conftest import Opens
from tests.ledger.toys import moved
from tests.redis_server import free_port


def run(*arguments: str, url: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env={"REDIS_URL": url})


@pytest.fixture
def export(ledger: Ledger, opens: Opens, redis_url: str, tmp_path: Path) -> Path:
    """An export of four lines, made by the command."""
    moved(ledger, opens(), Event.CANCELLED)
    moved(ledger, opens(), Event.CANCELLED)
    file = tmp_path / "audit.jsonl"
    result = run("export", "--out", str(file), url=redis_url)
    assert result.exit_code == 0, result.output
    assert "4 lines in" in result.stderr
    return file


class TestShow:
    def test_tells_what_is_known_of_a_request(self, opens: Opens, redis_url: str) -> None:
        opens(because="Black Friday")
        result = run("show", "r-1", "--redis", redis_url)
        assert result.exit_code == 0
        assert "R-1  preparing  polish the brokers of orders 3 times" in result.stdout
        assert "Black Friday" in result.stdout
        assert "U-ANA  asked:" in result.stdout

    def test_gives_programs_everything(self, opens: Opens, redis_url: str) -> None:
        request = opens()
        result = run("show", "R-1", "--json", url=redis_url)
        told = json.loads(result.stdout)
        assert told["request"] == request.model_dump(mode="json")
        assert [line["event"] for line in told["audit"]] == ["asked"]

    @pytest.mark.parametrize("request_id", ["R-99", "nonsense"])
    def test_says_when_there_is_no_such_request(
        self, opens: Opens, redis_url: str, request_id: str
    ) -> None:
        opens()
        result = run("show", request_id, url=redis_url)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"There is no request '{request_id}'" in result.stderr

    def test_says_when_the_entry_is_another_version_s(
        self, opens: Opens, redis: Redis, redis_url: str
    ) -> None:
        opens()
        redis.hset("ottla:request:R-1", "format", "2")
        result = run("show", "R-1", url=redis_url)
        assert result.exit_code == 2
        assert "R-1 was written by another version of Ottla" in result.stderr


class TestRedis:
    @pytest.mark.parametrize("command", [("show", "R-1"), ("export",)])
    def test_that_is_not_named_is_asked_for_by_name(self, command: tuple[str, ...]) -> None:
        result = run(*command)
        assert result.exit_code == 2
        assert "Give --redis URL or set REDIS_URL" in result.stderr

    @pytest.mark.parametrize("command", [("show", "R-1"), ("export",)])
    def test_that_is_away_is_said_in_a_sentence(self, command: tuple[str, ...]) -> None:
        result = run(*command, url=f"redis://:s3cret@127.0.0.1:{free_port()}")
        assert result.exit_code == 2
        assert "does not answer" in result.stderr
        assert "s3cret" not in result.output

    def test_on_another_machine_needs_a_password(self) -> None:
        result = run("export", url="redis://redis.example:6379")
        assert result.exit_code == 2
        assert "has no password" in result.stderr


class TestExport:
    def test_prints_where_no_file_is_named(self, opens: Opens, redis_url: str) -> None:
        opens()
        result = run("export", url=redis_url)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["event"] == "asked"

    def test_says_when_the_file_cannot_be_written(self, redis_url: str, tmp_path: Path) -> None:
        result = run("export", "--out", str(tmp_path / "no" / "where"), url=redis_url)
        assert result.exit_code == 2
        assert "Cannot write" in result.stderr


class TestVerify:
    def test_finds_an_export_whole_without_redis(self, ledger: Ledger, export: Path) -> None:
        head = list(ledger.audit_lines())[-1].hash
        result = run("verify", str(export), "--head", head)
        assert result.exit_code == 0
        assert result.stdout == f"4 lines, whole and in order. Head: {head}\n"

    def test_names_the_line_that_was_changed(self, export: Path) -> None:
        export.write_text(export.read_text().replace("U-ANA", "U-EVE", 1))
        result = run("verify", str(export))
        assert result.exit_code == 1
        assert result.stderr == "Line 1 was changed: its hash does not fit its content.\n"

    def test_notices_a_missing_end_by_the_head(self, export: Path) -> None:
        head = json.loads(export.read_text().splitlines()[-1])["hash"]
        export.write_text("".join(export.read_text().splitlines(keepends=True)[:-1]))
        result = run("verify", str(export), "--head", head)
        assert result.exit_code == 1
        assert "lines are missing or were added" in result.stderr

    def test_says_when_the_file_is_none(self, tmp_path: Path) -> None:
        assert run("verify", str(tmp_path)).exit_code == 2
        missing = run("verify", str(tmp_path / "none"))
        assert missing.exit_code == 2
        assert "No such file" in missing.stderr
        picture = tmp_path / "picture.png"
        picture.write_bytes(b"\x89PNG\xff")
        assert "not UTF-8 text" in run("verify", str(picture)).stderr

    def test_runs_as_a_command_of_its_own(self, export: Path) -> None:
        command = [sys.executable, "-m", "ledger", "verify", "-"]
        with export.open() as lines:
            done = subprocess.run(command, stdin=lines, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("4 lines, whole and in order.")
