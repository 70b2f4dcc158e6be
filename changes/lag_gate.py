"""The gate on consumer lag: groups that got into trouble while partitions moved hold the next batch.

What is known of groups comes from the watch, by way of the ledger; nothing here reads Kafka. At each
batch it is remembered who was in trouble already: only who joined them since may be the moves' doing.

The surprising truth: lag has many causes. Where nothing moves any more and a group is still behind
after `RELEASED_AFTER`, the moves are not what hurts it; then that is said, and the change goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime, JsonValue

from changes.tagged import Value

OLD_AFTER = timedelta(minutes=5)
"""A watch that has not looked for so long holds nothing."""
RELEASED_AFTER = timedelta(minutes=15)
GROUPS_MAX = 1_000
"""Of more in trouble nobody can tell who joined; then lag holds nothing."""
NAMED_MAX = 3
NAME_LETTERS_MAX = 60
KEY = "lag_before"
INERT = str.maketrans({"<": "‹", ">": "›", "`": "ˋ", "(": "[", ")": "]", "\n": " "})
"""Anybody names a group as he likes: no mention, no code, nothing that ends the brackets it stands in."""
OLD = "the watch has not looked for a while, so consumer lag holds no batch until it does"


class Trouble(Value):
    kind: str
    """Such as `falling behind`."""
    since: AwareDatetime


class LagSeen(Value):
    """Consumer groups in trouble as the watch saw them last, by name."""

    at: AwareDatetime
    groups: Mapping[str, Trouble] = {}

    def old(self, now: datetime) -> bool:
        return abs(now - self.at) > OLD_AFTER


class LagGate(NamedTuple):
    """One look at the gate; `seen` None = nobody watches, or a policy switched the gate off."""

    seen: LagSeen | None
    memory: Mapping[str, JsonValue]
    now: datetime
    held_since: datetime | None
    moving: bool

    def hold(self) -> str:
        """Why the next batch has to wait."""
        waits = {name: one for name, one in self._joined().items() if not self._released(one)}
        if not waits:
            return ""
        return (
            f"consumer groups got into trouble since the last batch began ({_names(waits)}); the next "
            "batch waits until they are fine. Where that is no news, mute them: "
            "`/kafka mute group NAME`"
        )

    def say(self) -> str:
        """What is worth a line where lag holds nothing: it is not seen, or the gate gave up."""
        if self.seen is not None and self.seen.old(self.now):
            return OLD
        released = {name: one for name, one in self._joined().items() if self._released(one)}
        if not released:
            return ""
        minutes = RELEASED_AFTER.total_seconds() / 60
        return (
            f"nothing moved for {minutes:.0f} min and consumer groups are still in trouble "
            f"({_names(released)}): the moves are not what hurts them, so they go on"
        )

    def noted(self) -> dict[str, JsonValue]:
        """To be remembered with a batch: who is in trouble. Nothing, when that is not known."""
        if self.seen is None or self.seen.old(self.now):
            return {}
        return {KEY: list[JsonValue](sorted(self.seen.groups)[:GROUPS_MAX])}

    def _joined(self) -> Mapping[str, Trouble]:
        before = self.memory.get(KEY)
        if self.seen is None or self.seen.old(self.now) or not isinstance(before, list):
            return {}
        if len(self.seen.groups) > GROUPS_MAX:
            return {}
        return {name: one for name, one in self.seen.groups.items() if name not in before}

    def _released(self, one: Trouble) -> bool:
        if self.moving or self.held_since is None:
            return False
        return self.now - max(one.since, self.held_since) >= RELEASED_AFTER


def _names(groups: Mapping[str, Trouble]) -> str:
    first = [f"{_inert(name)}: {one.kind}" for name, one in sorted(groups.items())[:NAMED_MAX]]
    more = len(groups) - NAMED_MAX
    return "; ".join(first) + (f"; {more} more" if more > 0 else "")


def _inert(name: str) -> str:
    cut = name if len(name) <= NAME_LETTERS_MAX else f"{name[:NAME_LETTERS_MAX]}…"
    return cut.translate(INERT)
