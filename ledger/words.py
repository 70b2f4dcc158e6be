"""What a saver says about a save, for the audit chain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Audit:
    actor: str
    """A Slack user id, or `worker`, `policy`, `clock`, `bot`."""
    event: str
    words: str
