"""Mutes: a person's wish not to be told of something for a while.

They expire by themselves, each key with its mute, so a mute that nobody ends cannot stay.
"""

from __future__ import annotations

import logging
from datetime import datetime

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from changes.incident import Mute
from changes.request import Refusal
from ledger import keys
from ledger.door import Door, normal_id
from ledger.entries import UnreadableEntry
from ledger.replies import content, names, number, values

log = logging.getLogger(__name__)


class Mutes(Door):
    def mutes(self, cluster: str) -> tuple[Mute, ...]:
        """Those that hold now, the first to end first. One of another version of Ottla is left out,
        and logged: rather somebody is told too much than nothing at all."""
        with self._reach(f"reading the mutes of {cluster}") as redis:
            ids = names(redis.zrange(keys.mutes_of(cluster), 0, -1))
            stored = values(redis.mget([keys.mute(one) for one in ids])) if ids else ()
        found = (_readable(one, text) for one, text in zip(ids, stored, strict=True) if text)
        return tuple(one for one in found if one is not None and one.until > self._clock())

    def add_mute(self, mute: Mute) -> Mute | Refusal:
        """The mute with its id, or why there are enough of them."""
        key = keys.mutes_of(mute.cluster)

        def write(pipe: Pipeline) -> Mute | Refusal:
            now = self._score(self._clock())
            if number(pipe.zcount(key, now, "+inf")) >= keys.MUTES_MAX:
                words = (
                    f"{mute.cluster} has {keys.MUTES_MAX} mutes already; end some of them first."
                )
                return Refusal(words=words)
            following = number(pipe.get(keys.MUTE_COUNTER)) + 1
            numbered = mute.with_(id=f"M-{following}")
            ends_at = self._score(mute.until)
            pipe.multi()
            pipe.set(keys.MUTE_COUNTER, following)
            pipe.set(
                keys.mute(numbered.id), numbered.model_dump_json(), ex=max(1, round(ends_at - now))
            )
            pipe.zremrangebyscore(key, "-inf", now)
            pipe.zadd(key, {numbered.id: ends_at})
            return numbered

        return self._in_one(f"muting on {mute.cluster}", [keys.MUTE_COUNTER, key], write)

    def end_mute(self, mute_id: str, now: datetime) -> Mute | None:
        """The mute that ended by this; None = it holds no more, or never did."""
        known = normal_id(mute_id, letter="M")
        if known is None:
            return None

        def write(pipe: Pipeline) -> Mute | None:
            mute = _stored(pipe, known)
            if mute is None or mute.until <= now:
                return None
            pipe.multi()
            pipe.delete(keys.mute(known))
            pipe.zrem(keys.mutes_of(mute.cluster), known)
            return mute.with_(until=now)

        return self._in_one(f"ending {known}", [keys.mute(known)], write)


def _readable(mute_id: str, text: bytes) -> Mute | None:
    try:
        return _opened(mute_id, text)
    except UnreadableEntry as unreadable:
        log.error("passed over: %s", unreadable)
        return None


def _stored(redis: Redis, mute_id: str) -> Mute | None:
    text = content(redis.get(keys.mute(mute_id)))
    return None if text is None else _opened(mute_id, text)


def _opened(mute_id: str, text: bytes) -> Mute:
    try:
        return Mute.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableEntry(
            f"{mute_id} was written by another version of Ottla: {error.error_count()} fields differ"
        ) from error
