"""Settings: what is missing is said by name, and no value is ever repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SLACK_URL, Settings, is_loopback, read_settings
from policies import Problems

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1234567890-secret",
    "SLACK_APP_TOKEN": "xapp-1234567890-secret",
    "REDIS_URL": "redis://localhost/0",
}


def words_of(environ: dict[str, str]) -> str:
    found = read_settings(path=None, environ=environ)
    assert isinstance(found, Problems)
    return found.words()


def test_all_that_is_needed_is_three_variables() -> None:
    found = read_settings(path=None, environ=GOOD)
    assert isinstance(found, Settings)
    assert found.slack_api_url == SLACK_URL
    assert found.policies == Path("policies")
    assert "secret" not in repr(found)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_one_is_said_by_name(name: str) -> None:
    assert name in words_of({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-a-persons-secret", "must begin with xoxb-"),
        ("SLACK_APP_TOKEN", "xoxb-swapped-secret", "must begin with xapp-"),
        ("SLACK_API_URL", "ftp://slack/secret", "must be an http(s) address"),
        ("SLACK_API_URL", "http://slack.example/api/", "must be https"),
        ("OTTLA_LOG_LEVEL", "LOUD", "OTTLA_LOG_LEVEL"),
    ],
)
def test_a_wrong_one_is_said_without_its_value(name: str, value: str, words: str) -> None:
    said = words_of({**GOOD, name: value})
    assert name in said
    assert words in said
    assert "secret" not in said


def test_a_local_slack_may_be_plain_http_and_gets_its_slash() -> None:
    found = read_settings(path=None, environ={**GOOD, "SLACK_API_URL": "http://127.0.0.1:1/api"})
    assert isinstance(found, Settings)
    assert found.slack_api_url == "http://127.0.0.1:1/api/"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:3000/api/", True),
        ("http://localhost/api/", True),
        ("http://[::1]/api/", True),
        ("https://slack.com/api/", False),
        ("https://127.0.0.1.example/api/", False),
    ],
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) is here
