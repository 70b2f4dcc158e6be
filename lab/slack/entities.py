"""What a workspace holds: people, channels, user groups, files.

Messages, blocks and views stay plain JSON in Slack's own shape, because that is what every client compares with.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Person:
    """`kind` is member, guest, bot or stranger (somebody from another workspace)."""

    id: str
    name: str
    real_name: str
    role: str
    kind: str
    team_id: str
    color: str
    tz: str = "Europe/Vienna"
    deleted: bool = False
    updated: int = 0

    @property
    def is_bot(self) -> bool:
        return self.kind == "bot"


@dataclass
class Channel:
    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False
    is_general: bool = False
    topic: str = ""
    purpose: str = ""
    members: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)

    @property
    def event_type(self) -> str:
        """The `channel_type` of message events, which is also the middle of the history scope."""
        if self.is_im:
            return "im"
        return "group" if self.is_private else "channel"

    @property
    def scope_stem(self) -> str:
        return {"im": "im", "group": "groups", "channel": "channels"}[self.event_type]


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
    created: int
    updated: int
    date_delete: int = 0


@dataclass
class StoredFile:
    """`content` is None between getUploadURLExternal and the upload."""

    id: str
    name: str
    title: str
    length: int
    user: str
    created: int
    upload_key: str
    alt_text: str = ""
    content: bytes | None = None
    is_complete: bool = False
    is_shared: bool = False
    deleted: bool = False
    shares: dict[str, list[str]] = field(default_factory=dict)
    image_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Identity:
    """Who a token speaks for."""

    token: str
    kind: str
    user_id: str
    scopes: tuple[str, ...]
