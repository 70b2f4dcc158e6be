"""What Slack shows of a request, and for which requests that is not the truth yet.

Whoever draws a card first claims it here by compare-and-set, so that two announcers do not post the
same line. The list of cards behind is kept by the saves themselves: a lost event costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

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


class Outbox(Door):
    def card(self, request_id: str) -> Card | None:
        known = normal_id(request_id)
        if known is None:
            return None
        with self._reach(f"reading the card of {known}") as redis:
            return stored_card(redis, known)

    def save_card(self, request_id: str, card: Card, *, expected: Card | None) -> bool:
        """False = the card is not as expected any more: read it again."""
        known = normal_id(request_id)
        if known is None:
            raise ValueError(f"{request_id!r} is not the id of a request")

        def write(pipe: Pipeline) -> bool:
            if stored_card(pipe, known) != expected:
                return False
            truth = values(pipe.hmget(keys.request(known), ["version", "lines"]))
            pipe.multi()
            seconds = keys.CARD_DAYS_AFTER_SAVE * keys.DAY_SECONDS
            pipe.set(keys.card(known), card.model_dump_json(), ex=seconds)
            if card.ts:
                pipe.set(keys.card_at(card.channel, card.ts), known, ex=seconds)
            if _shows_everything(card, truth):
                pipe.zrem(keys.BEHIND, known)
            else:
                owe(pipe, known)
            return True

        watched = [keys.card(known), keys.request(known)]
        return self._in_one(f"saving the card of {known}", watched, write)

    def cards_behind(self) -> tuple[str, ...]:
        """Requests whose card or thread does not show everything yet, oldest first."""
        with self._reach("looking for cards to draw") as redis:
            return names(redis.zrange(keys.BEHIND, 0, -1))


def owe(pipe: Pipeline, request_id: str) -> None:
    """Queue that this request's card is behind."""
    pipe.zadd(keys.BEHIND, {request_id: number_of(request_id)})


def stored_card(redis: Redis, request_id: str) -> Card | None:
    """From a connection, or from a pipeline that has not begun its transaction."""
    stored = content(redis.get(keys.card(request_id)))
    return None if stored is None else Card.model_validate_json(stored)


def _shows_everything(card: Card, truth: Sequence[bytes | None]) -> bool:
    version, lines = (int(one or 0) for one in truth)
    return card.drawn_version >= version and card.lines_posted >= lines
