"""Rate limits as Slack applies them: a bucket per method, and one per channel for posts.

Modes: `off`, `real` (a burst is forgiven), `strict` (none is), so that a bot can be tested at its worst.
"""

from dataclasses import dataclass
from math import ceil

from lab.slack.clock import Clock

MODES = ("off", "real", "strict")
PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
BURSTS = {1: 10, 2: 20, 3: 50, 4: 100}
POSTS_PER_MINUTE = 60
POST_BURST = 8


@dataclass
class Bucket:
    tokens: float
    filled_at: float


class Rates:
    def __init__(self, *, clock: Clock, mode: str) -> None:
        if mode not in MODES:
            raise ValueError(f"rate mode `{mode}` is not one of {', '.join(MODES)}")
        self.mode = mode
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take_call(self, *, method: str, tier: int) -> int:
        """Seconds to wait, 0 when the call may go on. Tier 0 is not limited here."""
        if tier == 0:
            return 0
        return self._take(method, per_minute=PER_MINUTE[tier], burst=BURSTS[tier])

    def take_post(self, *, channel_id: str) -> int:
        return self._take(f"post {channel_id}", per_minute=POSTS_PER_MINUTE, burst=POST_BURST)

    def clear(self) -> None:
        self._buckets.clear()

    def _take(self, key: str, *, per_minute: int, burst: int) -> int:
        if self.mode == "off":
            return 0
        capacity = float(burst if self.mode == "real" else 1)
        now = self._clock.now()
        bucket = self._buckets.setdefault(key, Bucket(capacity, now))
        refill = (now - bucket.filled_at) * per_minute / 60
        bucket.tokens, bucket.filled_at = min(capacity, bucket.tokens + refill), now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, ceil((1 - bucket.tokens) * 60 / per_minute))
