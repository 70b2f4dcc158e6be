"""Which clusters exist: `clusters.yaml`. Secrets are never in it, only where they are found."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from changes.facts import ClusterRef
from changes.tagged import Value

ARN = re.compile(r"arn:aws[a-z-]*:kafka:([a-z0-9-]+):[0-9]{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+")


class Auth(Value):
    """How brokers are logged in to. SCRAM's user and password come from two named variables."""

    mode: Literal["plaintext", "tls", "scram", "iam"]
    username_env: str = ""
    password_env: str = ""

    @model_validator(mode="after")
    def complete(self) -> Self:
        named = bool(self.username_env), bool(self.password_env)
        if self.mode == "scram" and not all(named):
            raise ValueError(
                "needs `username_env` and `password_env` for scram: "
                "the names of the environment variables that hold them"
            )
        if self.mode != "scram" and any(named):
            raise ValueError(f"takes no user and password with mode {self.mode}")
        return self


class Cluster(Value):
    name: str
    arn: str
    region: str
    environment: str
    auth: Auth
    channel: str
    """Slack's channel id; requests for this cluster are shown there."""
    metrics_period_seconds: int = Field(default=60, ge=1, le=3600)

    @field_validator("name", "environment")
    @classmethod
    def plain_name(cls, text: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
            raise ValueError(f"must be a plain name of letters, digits and - . _; found `{text}`")
        return text

    @field_validator("channel")
    @classmethod
    def channel_id(cls, text: str) -> str:
        if not re.fullmatch(r"[CG][A-Z0-9]{5,}", text):
            raise ValueError(
                f"must be Slack's channel id, like C0123456789, since names can change; "
                f"found `{text}`"
            )
        return text

    @model_validator(mode="after")
    def arn_fits(self) -> Self:
        found = ARN.fullmatch(self.arn)
        if not found:
            raise ValueError(
                "needs an `arn` like arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID; "
                f"found `{self.arn}`"
            )
        if found[1] != self.region:
            raise ValueError(f"`region` is {self.region}, its `arn` says {found[1]}")
        return self

    @property
    def ref(self) -> ClusterRef:
        return ClusterRef(
            name=self.name, arn=self.arn, region=self.region, environment=self.environment
        )


class ClusterFile(Value):
    clusters: tuple[Cluster, ...]
