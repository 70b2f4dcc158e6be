"""From a thread in Slack to the request whose card began it.

The surprising truth: the index is only a hint. A card that was deleted is posted anew elsewhere, and its
old thread is nobody's then; so what the index says counts only while the stored card says the same.
"""

from __future__ import annotations

from ledger import keys
from ledger.door import Door
from ledger.outbox import Card, stored_card
from ledger.replies import content, names, values

UNINDEXED_MAX = 200
"""Newest requests whose cards are looked through for one that was saved before the index was kept."""


class Threads(Door):
    def request_at(self, *, channel: str, ts: str) -> str | None:
        """The id of the request whose card is this message; None = none, or an older card."""
        with self._reach("looking for the card of a thread") as redis:
            found = content(redis.get(keys.card_at(channel, ts)))
            if found is None:
                return None
            request_id = found.decode()
            return request_id if _is_at(stored_card(redis, request_id), channel, ts) else None

    def request_at_unindexed(self, *, channel: str, ts: str) -> str | None:
        """The same for cards of an Ottla that kept no index: two commands, no request is read."""
        with self._reach("looking for the card of an older thread") as redis:
            ids = names(redis.zrevrange(keys.ALL, 0, UNINDEXED_MAX - 1))
            if not ids:
                return None
            for request_id, text in zip(
                ids, values(redis.mget([keys.card(one) for one in ids])), strict=True
            ):
                if text and _is_at(Card.model_validate_json(text), channel, ts):
                    return request_id
        return None


def _is_at(card: Card | None, channel: str, ts: str) -> bool:
    return card is not None and bool(ts) and (card.channel, card.ts) == (channel, ts)
