"""boto3's clients and how they are asked: in threads, with time-outs, errors as sentences.

The surprising truth: boto3 repeats a call whose answer was lost, so a refusal that comes after a
repetition may be the answer to our own first try.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from changes.ports import Unreachable
from cluster.errors import AwsRefuses

CONNECT_SECONDS_MAX = 5
READ_SECONDS_MAX = 6
"""All tries of a silent call together must end well before the queue ends its job after a minute."""
TRIES_MAX = 3
"""Few on purpose: MSK answers 429 for limits that no repetition lifts."""

_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS_MAX,
    read_timeout=READ_SECONDS_MAX,
    retries={"mode": "standard", "total_max_attempts": TRIES_MAX},
    user_agent_extra="ottla",
)
_LOCK = threading.Lock()
DENIED = ("AccessDeniedException", "AccessDenied", "ForbiddenException", "UnauthorizedException")
LOST = ("InternalServerErrorException", "ServiceUnavailableException", "InternalFailure")


@functools.cache
def _session() -> Any:
    """One per process: it keeps the service models, which take a second to read."""
    return boto3.session.Session()


def aws_client(service: str, *, region: str) -> Any:
    """A fresh client; AWS_ENDPOINT_URL and credentials are boto3's own business. Sessions do not
    like threads, hence the lock."""
    with _LOCK:
        return _session().client(service, region_name=region, config=_CONFIG)


async def ask(client: Any, method: str, *, doing: str, **arguments: Any) -> Any:
    """One reading call; whatever goes wrong is an `Unreachable` that says what was being done."""
    try:
        return await asyncio.to_thread(getattr(client, method), **arguments)
    except ClientError as error:
        raise AwsRefuses(f"{doing}: {reading_words(error, method)}") from error
    except BotoCoreError as error:
        raise Unreachable(f"{doing}: {error}") from error


async def pages(
    client: Any, method: str, items: str, *, doing: str, pages_max: int, **arguments: Any
) -> list[Any]:
    """The entries under `items` of the first pages, as many as there are or `pages_max`."""
    found: list[Any] = []
    token: dict[str, str] = {}
    for _ in range(pages_max):
        answer = await ask(client, method, doing=doing, **arguments, **token)
        found += answer.get(items, ())
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    return found


def reading_words(error: ClientError, method: str) -> str:
    """AWS's code and text; for a missing permission, the action by name."""
    if code(error) in DENIED:
        return f"our role may not call {action(method)} ({message(error)})"
    return f"{code(error)}: {message(error)}"


def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    found = error.response.get("Error", {}).get("Message") or error.response.get("message")
    return str(found or "no text was given")


def repeated(error: ClientError) -> bool:
    """Did boto3 try more than once before this answer came?"""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def action(method: str) -> str:
    """`describe_cluster_v2` as IAM spells it."""
    name = "".join(part.capitalize() for part in method.split("_"))
    service = "cloudwatch" if "Metric" in name else "kafka"
    return f"{service}:{name}"
