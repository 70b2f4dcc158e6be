"""What has one message of its own in Slack, with a thread below it: a request, or an incident.

Keeper and writer know only this much of either, so crashes, two bots and Slack's limits are dealt with
once. The surprising truth: several lines of a thread may be posted in one go, so a post says how far it
goes (`through`), and whoever finds it after a crash reads that from its mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bot.cards.blocks import Drawn
from ledger import Card

Json = dict[str, Any]


class Said(NamedTuple):
    """One post in a thread."""

    words: str
    """Lines of our own with names in code style; see `cards.line.draw_line`."""
    through: int
    """The last line of the log that it holds."""
    aloud: bool = False
    """Shown in the channel too."""
    calls: str = ""
    """Whom it mentions beside those in its words: Slack's id, `here` or `channel`."""
    picture: str = ""
    """Key of a snapshot in the ledger."""
    picture_title: str = ""


class Mark(NamedTuple):
    """By which a message of ours is found again: what it is about, and of which kind that is."""

    kind: str
    """`request`, `incident`, or `missed`: the line about incidents nobody saw."""
    id: str

    def metadata(self, **more: object) -> Json:
        """`line` and `through` only on lines of the thread; scalars only, as Slack wants it."""
        payload = {f"{self.kind}_id": self.id, **more}
        return {"event_type": f"ottla_{self.kind}", "event_payload": payload}

    def payload_of(self, message: Mapping[str, Any], *, line: int | None) -> Json | None:
        """The payload when the message is about this (None = the head) and this line of it.

        Who wrote the message is for the caller to look at: any app can write any metadata.
        """
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        fits = (
            metadata.get("event_type") == f"ottla_{self.kind}"
            and payload.get(f"{self.kind}_id") == self.id
            and payload.get("line") == line
        )
        return dict(payload) if fits else None


class Story(Protocol):
    """The thing as it is now; all of it comes from the ledger."""

    @property
    def mark(self) -> Mark: ...

    @property
    def channel(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def lines(self) -> int:
        """How many lines its thread has in the end."""
        ...

    @property
    def since(self) -> datetime:
        """No message about it can be older."""
        ...

    @property
    def ended(self) -> bool: ...

    @property
    def decision(self) -> str:
        """What must be seen at once when it changes; anything else may wait for the next redraw."""
        ...

    @property
    def by_people(self) -> str:
        """The part of it that people decided: they are answered even when the budget is spent."""
        ...

    @property
    def restless(self) -> bool:
        """Can `decision` change without a new version?"""
        ...

    @property
    def redraw_seconds(self) -> float:
        """The least time between two redraws that show no decision."""
        ...

    @property
    def calls_per_minute(self) -> int:
        """To its channel, together with all that have such a budget; 0 = Slack's own limits do."""
        ...

    @property
    def head_tells_end(self) -> bool:
        """When it ended before its head was posted: is the head enough, without its thread?"""
        ...

    @property
    def nothing_to_show(self) -> bool:
        """Not worth a first message as it is now."""
        ...

    def head(self) -> Drawn: ...

    def said(self, at: int) -> Said:
        """What is posted next when the first `at` lines stand already."""
        ...

    def shown(self) -> Mapping[str, object]:
        """More for the head's metadata."""
        ...

    def unreachable(self, *, channel: str, code: str) -> tuple[str, str] | None:
        """Whom to tell, and what, when its channel will not have us; None = the log is enough."""
        ...


class Shelf(Protocol):
    """Where stories of one kind are kept: the ledger, seen from here. Sync, for a thread."""

    def load(self, story_id: str) -> Story | None: ...

    def card(self, story_id: str) -> Card | None: ...

    def save_card(self, story_id: str, card: Card, *, expected: Card | None) -> bool: ...

    def behind(self) -> tuple[str, ...]: ...
