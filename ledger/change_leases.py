"""What running changes explain to the watch: written with a worker's saves, gone with the worker.

The surprising truth: nobody has to remember to write it. Every save by the holder of a request's
lease carries it, in the same transaction: the save that goes to *running* puts it there before the
first act, each later one renews it, and the one that ends the request keeps it for a while with
`ended_at`. Saves by people (a pause, an abort) renew nothing: they say nothing about a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from changes.excuses import ChangeLease
from changes.explained import explained_by
from changes.request import Request
from ledger import keys
from ledger.door import Door, number_of
from ledger.replies import names, values

log = logging.getLogger(__name__)

GRACE_SECONDS = 15.0
"""Beyond the next due time: as long as a dead worker's work may lie before another takes it."""
PER_CLUSTER_MAX = 20
"""One runs at a time; the others have ended lately."""

_RENEW = """
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[1]) then return 1 end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""


class ChangeLeases(Door):
    def hold_change_lease(self, lease: ChangeLease, *, seconds: float) -> None:
        """Have the watch know what this change explains, for so long."""
        with self._reach(f"saying what {lease.request_id} explains") as redis:
            pipe = redis.pipeline(transaction=True)
            _put(pipe, lease, seconds)
            pipe.execute()

    def renew_change_lease(self, request_id: str, *, seconds: float = GRACE_SECONDS) -> bool:
        """Let it last so long at least; False = there is none (any more)."""
        arguments = [keys.change_lease(request_id), str(_milliseconds(seconds))]
        with self._reach(f"renewing what {request_id} explains") as redis:
            return bool(redis.eval(_RENEW, 1, *arguments))

    def end_change_lease(
        self, lease: ChangeLease, now: datetime, *, keep_seconds: float = keys.ENDED_LEASE_SECONDS
    ) -> None:
        """The change has ended: keep it for so long, as ended."""
        self.hold_change_lease(lease.with_(ended_at=now), seconds=keep_seconds)

    def change_leases(self, cluster: str) -> tuple[ChangeLease, ...]:
        """The running change of a cluster and those that ended lately, newest first."""
        with self._reach(f"reading what changes of {cluster} explain") as redis:
            stored = _stored(redis, cluster)
        return tuple(lease for lease in map(_readable, stored) if lease is not None)


def carry(pipe: Pipeline, request: Request, *, next_look_seconds: float) -> None:
    """Queue what this save of a worker says to the watch; nothing for a change that explains nothing."""
    lease = explained_by(request)
    if lease is None:
        return
    ended = lease.ended_at is not None
    _put(pipe, lease, keys.ENDED_LEASE_SECONDS if ended else next_look_seconds + GRACE_SECONDS)


def _put(pipe: Pipeline, lease: ChangeLease, seconds: float) -> None:
    index = keys.change_leases(lease.cluster)
    pipe.set(
        keys.change_lease(lease.request_id), lease.model_dump_json(), px=_milliseconds(seconds)
    )
    pipe.zadd(index, {lease.request_id: number_of(lease.request_id)})
    pipe.zremrangebyrank(index, 0, -(PER_CLUSTER_MAX + 1))
    pipe.expire(index, keys.DAY_SECONDS)


def _stored(redis: Redis, cluster: str) -> Sequence[bytes | None]:
    ids = names(redis.zrevrange(keys.change_leases(cluster), 0, -1))
    return values(redis.mget([keys.change_lease(one) for one in ids])) if ids else ()


def _readable(stored: bytes | None) -> ChangeLease | None:
    try:
        return None if stored is None else ChangeLease.model_validate_json(stored)
    except ValidationError as unreadable:
        log.error("a change's lease of another version is passed over: %s", unreadable)
        return None


def _milliseconds(seconds: float) -> int:
    if not 0 < seconds <= keys.DAY_SECONDS:
        raise ValueError(
            f"a lease lasts more than 0 and at most {keys.DAY_SECONDS} s, not {seconds}"
        )
    return max(1, round(seconds * 1000))
