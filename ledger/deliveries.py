"""What was delivered already: Slack delivers twice, to two bots at once, or again minutes later.

The surprising truth: a delivery that was begun is not done. A bot may die amid it, and then Slack's retry
is the only one that will ever come; so only `done` lets a copy be dropped.
"""

from __future__ import annotations

from typing import Literal

from ledger import keys
from ledger.door import Door
from ledger.replies import content

Copy = Literal["first", "begun", "done"]
"""Nobody had it before; somebody began it (and may have died); it was carried out."""


class Deliveries(Door):
    def take_delivery(self, name: str) -> Copy:
        """Note that a delivery of this name is begun here, unless a copy of it was before."""
        with self._reach("taking a delivery of Slack's") as redis:
            key = keys.delivery(name)
            if redis.set(key, "begun", nx=True, ex=keys.DELIVERY_SECONDS):
                return "first"
            return "done" if content(redis.get(key)) == b"done" else "begun"

    def delivered(self, name: str) -> None:
        """It was carried out: whatever copy comes now changes nothing."""
        with self._reach("noting a delivery of Slack's") as redis:
            redis.set(keys.delivery(name), "done", ex=keys.DELIVERY_SECONDS)
