"""Something changed: published with every save, followed by whoever shows or carries out.

A capped stream and not pub/sub, so that a follower who was away reads on from where it was. Even that
must not matter: what Slack owes is kept in the outbox, what is due in the due set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from redis.client import Pipeline

from ledger import keys
from ledger.door import Door
from ledger.replies import Entry, only_stream, stream

BLOCK_SECONDS_MAX = 1.0
"""Shorter than the connection's time-out of 2 s, and how late `stop` may be noticed."""
PAGE_ENTRIES = 500
BEGINNING = "0-0"


class News(NamedTuple):
    """Ids that changed (each once, oldest first) and where to read on."""

    ids: tuple[str, ...]
    position: str
    complete: bool = True
    """False = the stream was cut in between: look at everything that is open."""


class Newsroom(Door):
    def news_position(self) -> str:
        """The end of the stream right now: hand it to `follow` or `changed_since` later."""
        with self._reach("reading the news") as redis:
            last = stream(redis.xrevrange(keys.NEWS, count=1))
        return last[0].id if last else BEGINNING

    def changed_since(self, position: str) -> News:
        """What changed after a position; everything that is still there when it is `0-0`."""
        with self._reach("reading the news") as redis:
            first = stream(redis.xrange(keys.NEWS, count=1))
            full = redis.xlen(keys.NEWS) >= keys.NEWS_LENGTH
            entries = stream(redis.xrange(keys.NEWS, min=f"({position}"))
        cut = full and _order(first[0].id) > _order(position)
        return _news(entries, position, complete=not cut)

    def follow(
        self,
        *,
        stop: Callable[[], bool] | None = None,
        timeout_seconds: float,
        since: str | None = None,
    ) -> Iterator[str | None]:
        """Ids as they change, from this call on (or from `since`); None after so long without any."""
        position = self.news_position() if since is None else since
        return self._follow(position, stop or _never, timeout_seconds)

    def _follow(
        self, position: str, stop: Callable[[], bool], timeout_seconds: float
    ) -> Iterator[str | None]:
        quiet_since = time.monotonic()
        while not stop():
            left_seconds = quiet_since + timeout_seconds - time.monotonic()
            if left_seconds <= 0:
                yield None
                quiet_since = time.monotonic()
                continue
            news = self._wait_for_news(position, min(left_seconds, BLOCK_SECONDS_MAX))
            position = news.position
            yield from news.ids
            if news.ids:
                quiet_since = time.monotonic()

    def _wait_for_news(self, position: str, seconds: float) -> News:
        block = max(1, round(seconds * 1000))  # 0 would mean for ever
        with self._reach("following the news") as redis:
            reply = redis.xread({keys.NEWS: position}, count=PAGE_ENTRIES, block=block)
        return _news(only_stream(reply), position)


def publish(pipe: Pipeline, request_id: str) -> None:
    pipe.xadd(keys.NEWS, {"id": request_id}, maxlen=keys.NEWS_LENGTH, approximate=True)


def _news(entries: Sequence[Entry], position: str, *, complete: bool = True) -> News:
    ids = tuple(dict.fromkeys(entry.text(b"id") for entry in entries))
    return News(ids=ids, position=entries[-1].id if entries else position, complete=complete)


def _order(entry_id: str) -> tuple[int, ...]:
    """Stream ids compare as two numbers, not as text."""
    return tuple(int(part) for part in entry_id.split("-"))


def _never() -> bool:
    return False
