"""State changes pushed to the pages that are open, each with a rising sequence number.

Everybody gets every number, but only those allowed to see a change get its content: a page waits for "sequence N".
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.slack.entities import Json

QUEUE_MAX = 2000
"""A page that lags this far behind is dropped; it connects again and starts from a fresh state."""


@dataclass(eq=False)
class Subscriber:
    user_id: str
    queue: asyncio.Queue[Json | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_MAX))


class Feed:
    def __init__(self) -> None:
        self.seq = 0
        self._subscribers: list[Subscriber] = []

    def subscribe(self, *, user_id: str) -> Subscriber:
        subscriber = Subscriber(user_id)
        self._subscribers.append(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def publish(self, *, kind: str, content: Json, audience: Callable[[str], bool]) -> None:
        self.seq += 1
        for subscriber in list(self._subscribers):
            seen = audience(subscriber.user_id)
            push = {"seq": self.seq, "kind": kind, **content} if seen else None
            self._put(subscriber, push or {"seq": self.seq, "kind": "tick"})

    def _put(self, subscriber: Subscriber, push: Json) -> None:
        try:
            subscriber.queue.put_nowait(push)
        except asyncio.QueueFull:
            self.unsubscribe(subscriber)

    def close(self) -> None:
        for subscriber in list(self._subscribers):
            self.unsubscribe(subscriber)
            while not subscriber.queue.empty():
                subscriber.queue.get_nowait()
            subscriber.queue.put_nowait(None)
