"""What Slack shows of a request or an incident, and of which that is not the truth yet.

Whoever draws a card first claims it here by compare-and-set, so that two announcers do not post the
same line. The list of cards behind is kept by the saves themselves: a lost event costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime
from redis import Redis
from redis.client import Pipeline

from changes.tagged import Value
from ledger import keys
from ledger.door import Door, normal_id, number_of
from ledger.replies import content, names, values


class Card(Value):
    channel: str
    ts: str = ""
    """Empty = not posted yet."""
    drawn_version: int = -1
    lines_posted: int = 0
    claim: str = ""
    """Who is writing to Slack just now, and what: found here after a crash, it is looked up there."""
    claimed_until: AwareDatetime | None = None


@dataclass(frozen=True)
class Shown:
    """One kind of thing that has a message in Slack, and where the ledger keeps what it needs."""

    noun: str
    letter: str
    entry: Callable[[str], str]
    """Key of the hash that says `version` and `lines`."""
    card: Callable[[str], str]
    behind: str


REQUESTS = Shown("a request", "R", keys.request, keys.card, keys.BEHIND)
INCIDENTS = Shown("an incident", "I", keys.incident, keys.incident_card, keys.INCIDENTS_BEHIND)


class Outbox(Door):
    def card(self, request_id: str) -> Card | None:
        return self._card(REQUESTS, request_id)

    def save_card(self, request_id: str, card: Card, *, expected: Card | None) -> bool:
        """False = the card is not as expected any more: read it again."""
        return self._save_card(REQUESTS, request_id, card, expected=expected)

    def cards_behind(self) -> tuple[str, ...]:
        """Requests whose card or thread does not show everything yet, oldest first."""
        return self._behind(REQUESTS)

    def incident_card(self, incident_id: str) -> Card | None:
        return self._card(INCIDENTS, incident_id)

    def save_incident_card(self, incident_id: str, card: Card, *, expected: Card | None) -> bool:
        """False = the card is not as expected any more: read it again."""
        return self._save_card(INCIDENTS, incident_id, card, expected=expected)

    def incidents_behind(self) -> tuple[str, ...]:
        """Incidents whose message or thread does not show everything yet, oldest first."""
        return self._behind(INCIDENTS)

    def _card(self, shown: Shown, shown_id: str) -> Card | None:
        known = normal_id(shown_id, letter=shown.letter)
        if known is None:
            return None
        with self._reach(f"reading the card of {known}") as redis:
            return stored_card(redis, known, shown)

    def _save_card(self, shown: Shown, shown_id: str, card: Card, *, expected: Card | None) -> bool:
        known = normal_id(shown_id, letter=shown.letter)
        if known is None:
            raise ValueError(f"{shown_id!r} is not the id of {shown.noun}")

        def write(pipe: Pipeline) -> bool:
            if stored_card(pipe, known, shown) != expected:
                return False
            truth = values(pipe.hmget(shown.entry(known), ["version", "lines"]))
            pipe.multi()
            seconds = keys.CARD_DAYS_AFTER_SAVE * keys.DAY_SECONDS
            pipe.set(shown.card(known), card.model_dump_json(), ex=seconds)
            if card.ts:
                pipe.set(keys.card_at(card.channel, card.ts), known, ex=seconds)
            if _shows_everything(card, truth):
                pipe.zrem(shown.behind, known)
            else:
                owe(pipe, known, shown)
            return True

        watched = [shown.card(known), shown.entry(known)]
        return self._in_one(f"saving the card of {known}", watched, write)

    def _behind(self, shown: Shown) -> tuple[str, ...]:
        with self._reach("looking for cards to draw") as redis:
            return names(redis.zrange(shown.behind, 0, -1))


def owe(pipe: Pipeline, shown_id: str, shown: Shown = REQUESTS) -> None:
    """Queue that this card is behind."""
    pipe.zadd(shown.behind, {shown_id: number_of(shown_id)})


def stored_card(redis: Redis, shown_id: str, shown: Shown = REQUESTS) -> Card | None:
    """From a connection, or from a pipeline that has not begun its transaction."""
    stored = content(redis.get(shown.card(shown_id)))
    return None if stored is None else Card.model_validate_json(stored)


def _shows_everything(card: Card, truth: Sequence[bytes | None]) -> bool:
    version, lines = (int(one or 0) for one in truth)
    return card.drawn_version >= version and card.lines_posted >= lines
