"""What the watch reads from its environment, nothing more. Read-only cloud role, no Slack tokens."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from changes.tagged import Value


class Settings(Value):
    redis_url: str = Field(json_schema_extra={"env": "REDIS_URL"})
    redis_allow_no_password: bool = False
    policies: Path = Field(default=Path("policies"), json_schema_extra={"env": "OTTLA_POLICIES"})
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
