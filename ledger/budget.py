"""How often something may be done in any minute, whoever does it: a sliding window all processes share.

Two bots write to the same channels, and a bot that restarts must not begin its minute anew, so what was
spent stands in the ledger and not in a process.
"""

from __future__ import annotations

from datetime import datetime

from ledger import keys
from ledger.door import Door

_SPEND = """
local now, span, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then return '0' end
local spent = redis.call('ZCARD', KEYS[1])
if spent < most then
  redis.call('ZADD', KEYS[1], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[1], math.ceil(span * 1000))
  return '0'
end
local until_free = redis.call('ZRANGE', KEYS[1], spent - most, spent - most, 'WITHSCORES')
return tostring(until_free[2] + span - now)
"""


class Budget(Door):
    def spend(self, name: str, *, token: str, most: int, seconds: float, now: datetime) -> float:
        """Take one of `most` in any `seconds`: 0 = taken, else seconds until one is free.

        `token` names what it is for: an act that failed and is tried again is not paid for twice.
        """
        arguments = [f"{self._score(now):.6f}", f"{seconds:.3f}", str(most), token]
        with self._reach(f"looking at the budget of {name}") as redis:
            left = float(redis.eval(_SPEND, 1, keys.budget(name), *arguments))
        return max(0.01, left) if left else 0
