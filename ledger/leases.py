"""Leases with fences: who may work on a request (or a cluster) right now.

The surprising truth: a lease can end while its holder still believes in it (a paused process, a slow
disk). That is why a save names its fence, and is refused in the transaction itself when the lease
has passed on. What was already sent to a cluster, no fence can call back.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger import keys
from ledger.door import Door

_CLAIM = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], fence, 'NX', 'PX', ARGV[1])
return fence
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True)
class Fence:
    """Proof of a claim; a later holder's number is always higher."""

    name: str
    number: int
    seconds: float


class Leases(Door):
    def claim(self, name: str, *, seconds: float) -> Fence | None:
        """The lease, for so long; None = somebody else holds it."""
        arguments = [keys.lease(name), keys.FENCE, _milliseconds(seconds)]
        with self._reach(f"claiming {name}") as redis:
            number = int(redis.eval(_CLAIM, 2, *arguments))
        return Fence(name=name, number=number, seconds=seconds) if number else None

    def renew(self, fence: Fence) -> bool:
        """Hold it for as long again; False = it has passed on, stop working."""
        arguments = [keys.lease(fence.name), str(fence.number), _milliseconds(fence.seconds)]
        with self._reach(f"renewing the claim on {fence.name}") as redis:
            return bool(redis.eval(_RENEW, 1, *arguments))

    def release(self, fence: Fence) -> bool:
        """Give it back early; somebody else's is left alone."""
        with self._reach(f"releasing {fence.name}") as redis:
            return bool(redis.eval(_RELEASE, 1, keys.lease(fence.name), str(fence.number)))


def _milliseconds(seconds: float) -> str:
    if not 0 < seconds <= keys.DAY_SECONDS:
        raise ValueError(
            f"a lease lasts more than 0 and at most {keys.DAY_SECONDS} s, not {seconds}"
        )
    return str(max(1, round(seconds * 1000)))
