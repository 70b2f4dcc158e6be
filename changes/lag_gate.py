"""The gate on consumer lag: groups that got into trouble while partitions moved hold the next batch.

What is known of groups comes from the watch, by way of the ledger; nothing here reads Kafka. With each
batch its moment is remembered: a group whose trouble was certain before that, or that began before any
partition moved, holds nothing.

The surprising truth: lag has many causes. Where nothing has moved for `RELEASED_AFTER` and a group is
still behind, the moves are not what hurts it; then that is said, and the change goes on. What the watch
cannot see just now is as it was seen last: a silence makes nobody well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime, JsonValue

from changes.tagged import Value

OLD_AFTER = timedelta(minutes=5)
"""A watch that has not looked for so long sees no new trouble."""
RELEASED_AFTER = timedelta(minutes=15)
NAMED_MAX = 3
NAME_LETTERS_MAX = 60
KEY = "last_batch_at"
INERT = str.maketrans({"<": "‹", ">": "›", "`": "ˋ", "(": "[", ")": "]", "\n": " "})
"""Anybody names a group as he likes: no mention, no code, nothing that ends the brackets it stands in."""
OLD = "the watch has not looked for a while: consumers that fall behind from now on hold no batch"


class Trouble(Value):
    kind: str
    """Such as `falling behind`."""
    began_at: AwareDatetime
    certain_at: AwareDatetime
    """When it had lasted long enough to be told."""


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
    quiet_since: datetime | None
    """Since when nothing moves; None = something does, or nobody knows."""
    since: datetime | None = None
    """When the step began; nothing had moved before that."""

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

    def over(self) -> str:
        """Why a hold ends although groups are still in trouble; nothing, when none is."""
        joined = self._joined()
        if not joined or self.hold():
            return ""
        minutes = RELEASED_AFTER.total_seconds() / 60
        return (
            f"nothing moved for {minutes:.0f} min and consumer groups are still in trouble "
            f"({_names(joined)}), so the moves are not what hurts them"
        )

    def say(self) -> str:
        """What is worth a line while nothing holds: new trouble would not be seen."""
        return OLD if self.seen is not None and self.seen.old(self.now) else ""

    def batch(self) -> dict[str, JsonValue]:
        """To be remembered with a batch that was begun."""
        return {KEY: self.now.isoformat()}

    def _joined(self) -> Mapping[str, Trouble]:
        """In trouble since the last batch, and not before; nobody before there was one."""
        began = self.memory.get(KEY)
        if self.seen is None or not isinstance(began, str):
            return {}
        batch, start = datetime.fromisoformat(began), self.since
        return {
            name: one
            for name, one in self.seen.groups.items()
            if one.certain_at >= batch and (start is None or one.began_at >= start)
        }

    def _released(self, one: Trouble) -> bool:
        if self.quiet_since is None:
            return False
        return self.now - max(one.certain_at, self.quiet_since) >= RELEASED_AFTER


def _names(groups: Mapping[str, Trouble]) -> str:
    first = [f"{_inert(name)}: {one.kind}" for name, one in sorted(groups.items())[:NAMED_MAX]]
    more = len(groups) - NAMED_MAX
    return "; ".join(first) + (f"; {more} more" if more > 0 else "")


def _inert(name: str) -> str:
    cut = name if len(name) <= NAME_LETTERS_MAX else f"{name[:NAME_LETTERS_MAX]}…"
    return cut.translate(INERT)
