"""When to look next, and what a jump of the wall clock means.

Rounds hang on the monotonic clock, so a wall clock that is set neither hurries nor delays a look. The
surprising truth: what was measured before a jump cannot be compared with what is measured after it.
So a jump is told, samples begin afresh, and alerts that already stand are moved by as much as the
clock was: how long something has lasted stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

JUMP_SECONDS_MIN = 10.0
"""NTP's own steps are a fraction of a second; what virtual machines do on resume is minutes."""


@dataclass
class Rhythm:
    """The grid of looks: `every_seconds` apart, counted from the first."""

    every_seconds: float
    next_at: float | None = None
    """Monotonic seconds; None = at once."""

    def wait_seconds(self, mono: float) -> float:
        return 0.0 if self.next_at is None else max(0.0, self.next_at - mono)

    def looked(self, *, began: float, ended: float) -> int:
        """Set the next look; how many on the grid were skipped because this one took too long."""
        due = began if self.next_at is None else self.next_at
        following = due + self.every_seconds
        skipped = 0
        if ended > following:
            skipped = int((ended - following) // self.every_seconds) + 1
        self.next_at = following + skipped * self.every_seconds
        return skipped

    def changed(self, every_seconds: float) -> None:
        """Another interval begins a grid of its own."""
        if every_seconds != self.every_seconds:
            self.every_seconds = every_seconds
            self.next_at = None


@dataclass
class WallClock:
    """Compares the wall clock's steps with those of the monotonic one."""

    wall: datetime | None = None
    mono: float = 0.0

    def jumped(self, wall: datetime, mono: float) -> timedelta:
        """By how much the wall clock was set since the last call; zero for what is no jump."""
        before, self.wall = self.wall, wall
        elapsed, self.mono = mono - self.mono, mono
        if before is None:
            return timedelta(0)
        by = wall - before - timedelta(seconds=elapsed)
        return by if abs(by.total_seconds()) >= JUMP_SECONDS_MIN else timedelta(0)
