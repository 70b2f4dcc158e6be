"""What this process reads from its settings file and environment, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from policies import Problems
from policies.yaml_files import read_settings as read_any_settings

SLACK_URL = "https://slack.com/api/"


def _prefixed(prefix: str, where: str) -> AfterValidator:
    def check(token: SecretStr) -> SecretStr:
        if not token.get_secret_value().startswith(prefix):
            raise ValueError(f"must begin with {prefix}: it is {where}")
        return token

    return AfterValidator(check)


def _slack_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http(s) address that ends in /api/, such as the default")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must be https: tokens would cross the network in the clear")
    return url if url.endswith("/") else f"{url}/"


def is_loopback(url: str) -> bool:
    """Is the address on this machine, where a proxy has no business?"""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _env(name: str) -> Any:
    return Field(json_schema_extra={"env": name})


class Settings(BaseModel):
    """Frozen, read once; tokens are secrets and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slack_bot_token: Annotated[
        SecretStr, _prefixed("xoxb-", "the bot token of the app's OAuth page")
    ] = _env("SLACK_BOT_TOKEN")
    slack_app_token: Annotated[
        SecretStr, _prefixed("xapp-", "the app-level token with connections:write")
    ] = _env("SLACK_APP_TOKEN")
    slack_api_url: Annotated[str, AfterValidator(_slack_url)] = Field(
        default=SLACK_URL, json_schema_extra={"env": "SLACK_API_URL"}
    )
    redis_url: SecretStr = _env("REDIS_URL")
    redis_allow_no_password: bool = False
    policies: Path = Path("policies")
    """The folder of the policy files; `OTTLA_POLICIES`."""
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")


def read_settings(*, path: Path | None, environ: Mapping[str, str]) -> Settings | Problems:
    return read_any_settings(Settings, path=path, environ=environ)
