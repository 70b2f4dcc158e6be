"""The settings of a process: one file and the environment, each mistake by name, no value shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from changes.tagged import Value
from policies import Problems
from policies.yaml_files import read_settings


class Settings(Value):
    bot_token: str = Field(json_schema_extra={"env": "SLACK_BOT_TOKEN"}, pattern="^xoxb-")
    redis_url: str
    threads: int = 2
    folder: Path = Path("policies")


FULL = {"SLACK_BOT_TOKEN": "xoxb-1", "OTTLA_REDIS_URL": "redis://a"}


def read(environ: dict[str, str], file: Path | None = None) -> Settings | Problems:
    return read_settings(Settings, path=file, environ=environ)


def words(environ: dict[str, str], file: Path | None = None) -> str:
    found = read(environ, file)
    assert isinstance(found, Problems), found
    return found.words()


def test_the_environment_is_enough() -> None:
    found = read({**FULL, "OTTLA_THREADS": "4", "OTTLA_FOLDER": "there", "OTTLA_OTHER": "x"})
    assert found == Settings(
        bot_token="xoxb-1", redis_url="redis://a", threads=4, folder=Path("there")
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("redis_url: redis://b\nthreads: 8\nbot_token: xoxb-${SECRET}\n")
    found = read({"SECRET": "9", "OTTLA_REDIS_URL": "redis://a"}, file)
    assert found == Settings(bot_token="xoxb-9", redis_url="redis://a", threads=8)


def test_a_missing_setting_is_said_by_its_names() -> None:
    text = words({"OTTLA_REDIS_URL": ""})
    assert "setting `bot_token` is missing" in text
    assert "set SLACK_BOT_TOKEN in the environment, or `bot_token` in the settings file" in text
    assert "set OTTLA_REDIS_URL" in text


def test_a_secret_that_is_not_set_is_said_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("redis_url: x\nbot_token: ${NO_SUCH}\n")
    assert f"{file}:2:12: environment variable NO_SUCH is not set" in words({}, file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("redis_ulr: x", "1:1: `redis_ulr` is not known (did you mean `redis_url`?)"),
        ("threads: many", "1:10: `threads`: must be a whole number"),
        ("threads: [1", "this is not YAML"),
        ("bot_token: hunter2", "1:12: `bot_token`: "),
    ],
)
def test_a_wrong_file_is_said_by_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    environ = FULL if "bot_token" not in text else {"OTTLA_REDIS_URL": "redis://a"}
    assert message in words(environ, file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "there is no such file" in words(FULL, tmp_path / "no.yaml")


def test_no_value_is_ever_shown(tmp_path: Path) -> None:
    assert "hunter2" not in words({**FULL, "SLACK_BOT_TOKEN": "hunter2"})
    assert "SLACK_BOT_TOKEN" in words({**FULL, "SLACK_BOT_TOKEN": "hunter2"})
    assert "hunter2" not in words({**FULL, "OTTLA_THREADS": "hunter2"})
    file = tmp_path / "s.yaml"
    file.write_text("bot_token: hunter2\nredis_url: [hunter2]\n")
    assert "hunter2" not in words({}, file)
