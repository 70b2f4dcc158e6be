"""A request as a story: its card, and its log as the thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.cards.blocks import Drawn
from bot.cards.line import addressed
from bot.cards.request import draw
from bot.places import placed
from bot.story import Mark, Said
from changes.lifecycle import State
from changes.request import Request
from ledger import Card, Ledger


@dataclass(frozen=True)
class RequestStory:
    request: Request
    by_people: str = ""
    redraw_seconds: float = 0
    calls_per_minute: int = 0
    head_tells_end: bool = False
    nothing_to_show: bool = False

    @property
    def mark(self) -> Mark:
        return Mark("request", self.request.id)

    @property
    def channel(self) -> str:
        return self.request.channel

    @property
    def version(self) -> int:
        return self.request.version

    @property
    def lines(self) -> int:
        return len(self.request.log)

    @property
    def since(self) -> datetime:
        return self.request.created_at

    @property
    def ended(self) -> bool:
        return self.request.state.ended

    @property
    def restless(self) -> bool:
        """Its place in line changes when another request ends."""
        return self.request.state is State.QUEUED

    @property
    def decision(self) -> str:
        """State, revision, votes, a hold, the place in line."""
        request = self.request
        hold = request.progress.hold if request.progress else ""
        return (
            f"{request.state}:{request.revision}:{len(request.votes)}:"
            f"{bool(hold)}:{request.line_position}"
        )

    def head(self) -> Drawn:
        return draw(self.request)

    def said(self, at: int) -> Said:
        """One line a post: each may have its own picture and its own people to call."""
        line = self.request.log[at]
        words = addressed(self.request, at)
        return Said(words, at, picture=line.picture, picture_title=line.picture_title)

    def shown(self) -> Mapping[str, object]:
        return {"revision": self.request.revision}

    def unreachable(self, *, channel: str, code: str) -> tuple[str, str] | None:
        """Tell the requester in a message of his own: a missing card looks like a dead bot."""
        name = self.request.id
        words = (
            f"{name}: its card cannot be shown in <#{channel}> (Slack says `{code}`). "
            f"Invite me there; until then `/kafka show {name}` shows it."
        )
        return self.request.requester.user_id, words


@dataclass(frozen=True)
class RequestShelf:
    ledger: Ledger

    def load(self, story_id: str) -> RequestStory | None:
        request = self.ledger.load(story_id)
        return RequestStory(placed(self.ledger, request)) if request else None

    def card(self, story_id: str) -> Card | None:
        return self.ledger.card(story_id)

    def save_card(self, story_id: str, card: Card, *, expected: Card | None) -> bool:
        return self.ledger.save_card(story_id, card, expected=expected)

    def behind(self) -> tuple[str, ...]:
        return self.ledger.cards_behind()
