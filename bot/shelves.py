"""Requests and incidents on one shelf: an id's letter says where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from bot.incident_story import IncidentShelf
from bot.request_story import RequestShelf
from bot.story import Shelf, Story
from ledger import Card


@dataclass(frozen=True)
class Shelves:
    requests: RequestShelf
    incidents: IncidentShelf

    def load(self, story_id: str) -> Story | None:
        return self._of(story_id).load(story_id)

    def card(self, story_id: str) -> Card | None:
        return self._of(story_id).card(story_id)

    def save_card(self, story_id: str, card: Card, *, expected: Card | None) -> bool:
        return self._of(story_id).save_card(story_id, card, expected=expected)

    def behind(self) -> tuple[str, ...]:
        """Incidents first: they are about now."""
        return (*self.incidents.behind(), *self.requests.behind())

    def _of(self, story_id: str) -> Shelf:
        return self.incidents if story_id.startswith("I-") else self.requests
