"""Starts Ottla itself in the lab: bot, worker, ticker and watch as they run in production.

The surprising truth: nothing here is special to the lab but addresses. The roles get their settings
from the environment, and AWS clients find the local endpoint by `AWS_ENDPOINT_URL` as any would.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.addresses import LabFolder
from lab.children import ChildFailed, Children
from lab.slack.client import is_connected

RULES = Path(__file__).parent / "policies"
CHANNEL = "kafka"
ROLES: dict[str, tuple[str, ...]] = {
    "bot": ("-m", "bot"),
    "worker": ("-m", "workers"),
    "ticker": ("-m", "workers.ticker"),
    "watch": ("-m", "watch"),
}
BOT_SECONDS_MAX = 60.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
ROOT = Path(__file__).parent.parent


async def start(*, children: Children, addresses: Mapping[str, Any], folder: LabFolder) -> None:
    policies = write_policies(addresses=addresses, folder=folder.root / "policies")
    settings = environment(addresses=addresses, policies=policies)
    for name, arguments in ROLES.items():
        await children.start(
            name=name,
            command=(sys.executable, *arguments),
            environment=settings,
            folder=ROOT,
            respawns=True,
        )
    await bot_listens(str(addresses["slack_page"]))


async def bot_listens(page_url: str) -> None:
    """A lab is ready when a command would be answered; a bot that does not come says so in its log."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BOT_SECONDS_MAX
    while loop.time() < deadline:
        if await asyncio.to_thread(is_connected, page_url=page_url):
            return
        await asyncio.sleep(0.2)
    raise ChildFailed(f"the bot did not connect within {BOT_SECONDS_MAX:.0f} s; see its log")


def environment(*, addresses: Mapping[str, Any], policies: Path) -> dict[str, str]:
    """What each role reads; the keys are only good for the local endpoint."""
    return {
        "SLACK_BOT_TOKEN": addresses["tokens"]["bot"],
        "SLACK_APP_TOKEN": addresses["tokens"]["app"],
        "SLACK_API_URL": addresses["slack_api"],
        "REDIS_URL": addresses["redis"],
        "OTTLA_POLICIES": str(policies.resolve()),
        "AWS_ENDPOINT_URL": addresses["aws"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
        **dict.fromkeys(PROXIES, ""),
    }


def write_policies(*, addresses: Mapping[str, Any], folder: Path) -> Path:
    """The lab's rules beside a clusters.yaml that names the running cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    for rules in RULES.glob("*.yaml"):
        (folder / rules.name).write_text(rules.read_text())
    cluster = {
        "name": addresses["cluster_name"],
        "arn": addresses["cluster_arn"],
        "region": "us-east-1",
        "environment": "lab",
        "auth": {"mode": "plaintext"},
        "channel": channel_id(addresses, CHANNEL),
        "metrics_period_seconds": 5,
    }
    # JSON is YAML: nothing needs quoting by hand.
    (folder / "clusters.yaml").write_text(json.dumps({"clusters": [cluster]}, indent=2))
    return folder


def channel_id(addresses: Mapping[str, Any], name: str) -> str:
    channels = addresses["channels"]
    if isinstance(channels, Mapping):
        return str(channels[name])
    return next(str(one["id"]) for one in channels if one["name"] == name)
