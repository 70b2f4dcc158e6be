"""boto3 clients whose answers are written down: botocore's own Stubber checks both directions."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from changes.facts import ClusterRef

ARN = "arn:aws:kafka:us-east-1:123456789012:cluster/orders-prod/0a1b2c3d-1"
REF = ClusterRef(name="orders-prod", arn=ARN, region="us-east-1", environment="production")


def stubbed(monkeypatch: pytest.MonkeyPatch, service: str) -> tuple[Any, Stubber]:
    """Never reaches any network: an answer that was not written down is an error."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.session.Session().client(service, region_name="us-east-1", config=config)
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber
