"""What the tests of this folder share: a Redis with a password, and policy files of a lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import RedisServer

RULES = Path(__file__).parents[2] / "lab" / "policies"
REDIS_PASSWORD = "redis-pass-7f3a91c2"


@pytest.fixture(scope="module")
def guarded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of its own, for its password; nobody kills it, so it need not wait for the disk."""
    folder = tmp_path_factory.mktemp("redis")
    hurried = ("--appendfsync", "everysec")
    with RedisServer(folder=folder, password=REDIS_PASSWORD, options=hurried) as server:
        yield server


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's policies with one cluster that is logged in to by SCRAM."""
    folder = tmp_path_factory.mktemp("policies")
    for file in RULES.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    cluster = {
        "name": "orders-lab",
        "arn": "arn:aws:kafka:us-east-1:123456789012:cluster/orders-lab/1f0e7f5a-1c2d-4a3b-9e8f-0a1b2c3d4e5f-1",
        "region": "us-east-1",
        "environment": "lab",
        "auth": {
            "mode": "scram",
            "username_env": "ORDERS_KAFKA_USER",
            "password_env": "ORDERS_KAFKA_PASSWORD",
        },
        "channel": "C0LABKAFKA",
    }
    (folder / "clusters.yaml").write_text(json.dumps({"clusters": [cluster]}))
    return folder
