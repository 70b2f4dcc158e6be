"""The methods the lab answers: name, scopes, tier, required arguments. Each module in `methods/` adds its own.

A method that Slack has and the lab lacks answers `lab_not_implemented`, so nothing is ever a silent ok.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.slack.arguments import Arguments
from lab.slack.entities import Channel, Identity, Json
from lab.slack.errors import ApiError, missing_scope
from lab.slack.workspace import Workspace

SLACK_METHODS = Path(__file__).with_name("slack_methods.txt")


@dataclass(frozen=True)
class Call:
    """One API call on its way through a method."""

    workspace: Workspace
    identity: Identity
    args: Arguments

    def need_scope(self, *any_of: str) -> None:
        if any_of and not set(any_of) & set(self.identity.scopes):
            raise missing_scope(needed=",".join(any_of), provided=self.identity.scopes)

    def seen_channel(self, name: str) -> Channel:
        """By id or name; a private channel without the caller does not exist for it."""
        channel = self.workspace.channel_named(name)
        hidden = channel is not None and (channel.is_private or channel.is_im)
        if channel is None or (hidden and self.identity.user_id not in channel.members):
            raise ApiError("channel_not_found")
        return channel

    def member_channel(self, name: str) -> Channel:
        channel = self.seen_channel(name)
        if self.identity.user_id not in channel.members:
            raise ApiError("not_in_channel")
        return channel


Handler = Callable[[Call], Awaitable[Json]]


@dataclass(frozen=True)
class Method:
    name: str
    handler: Handler
    scopes: tuple[str, ...]
    tier: int
    required: tuple[str, ...]
    token_kind: str


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    scopes: tuple[str, ...] = (),
    tier: int = 0,
    required: tuple[str, ...] = (),
    token_kind: str = "bot",
) -> Callable[[Handler], Handler]:
    """`token_kind` is bot, app, any (either) or none (no token asked for)."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, scopes, tier, required, token_kind)
        return handler

    return register


@cache
def slack_has(name: str) -> bool:
    return name in SLACK_METHODS.read_text(encoding="utf-8").split()
