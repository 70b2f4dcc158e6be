"""How the bot logs: masked, and without the SDK's own chatter."""

from __future__ import annotations

from ledger.masking import Masked, log_masked, masked

__all__ = ["Masked", "masked", "set_up"]

QUIET = ("slack_sdk", "slack_bolt", "aiohttp", "asyncio")


def set_up(level: str) -> None:
    log_masked(level=level, quiet=QUIET)
