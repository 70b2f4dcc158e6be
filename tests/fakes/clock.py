"""A clock that moves when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

A_TUESDAY = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


class FakeClock:
    """Called, it tells the time, as `lambda: datetime.now(UTC)` would."""

    def __init__(self, now: datetime = A_TUESDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now
