"""Tokens for MSK's IAM authentication (extra `iam`).

The surprising truth: the signer is synchronous and reads credentials over the network; it runs in a
thread. aiokafka asks for a token for each connection and never again, so a broker may hang up after
its fifteen minutes; connections are opened and closed with each piece of work anyway.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

MODULE = "aws_msk_iam_sasl_signer.MSKAuthTokenProvider"


class IamExtraMissing(Exception):
    """The signer is an extra of its own; the sentence says how to get it."""


class MskTokens:
    """Signs a token for each new connection."""

    def __init__(self, *, signer: Any, region: str) -> None:
        self._signer = signer
        self._region = region

    async def token(self) -> str:
        try:
            token, _ = await asyncio.to_thread(self._signer.generate_auth_token, self._region)
        except Exception as error:  # the signer's own, botocore's, or None that has no access key
            words = f"{type(error).__name__}: {error}"
            raise KafkaConnectionError(f"AWS gave no token to log in with ({words})") from error
        return str(token)

    def extensions(self) -> dict[str, str]:
        return {}


# aiokafka asks isinstance; its base class has no types to inherit from.
AbstractTokenProvider.register(MskTokens)


def token_provider(*, region: str) -> MskTokens:
    try:
        signer = importlib.import_module(MODULE)
    except ImportError as error:
        raise IamExtraMissing(
            "auth mode iam needs the extra `iam`: install it with `pip install 'ottla[iam]'`"
        ) from error
    return MskTokens(signer=signer, region=region)
