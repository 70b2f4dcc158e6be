"""Next due times, and the tick that each of them becomes.

How a due request becomes exactly as much work as it needs:

1. A ticker asks once a second what is due and calls `enqueue_tick` for each.
2. A job for it that still waits in the queue is enough: nothing is queued.
3. Otherwise one more attempt is queued and the request becomes due again `RETRY_SECONDS` later, in one
   transaction. Of two tickers one wins.
4. The job's save writes the next due time. A job that died never saves, so step 3 repeats: that is the
   whole recovery, and RQ's own (minutes) is not needed.

A request that is still preparing gets its `prepare` again instead of a tick.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from redis import Redis
from redis.client import Pipeline

from changes.lifecycle import State
from changes.request import Request
from ledger import entries, keys
from ledger.door import Door
from ledger.replies import names, number
from ledger.work import Work, WorkQueue, last_turn, next_turn

log = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
"""As long as a tick's lease: after that, a worker that says nothing counts as dead."""
BATCH = 200


class DueTimes(Door):
    _queue: WorkQueue

    def due(self, now: datetime, limit: int = 100) -> tuple[str, ...]:
        """What should have moved by now, the longest waiting first."""
        with self._reach("asking what is due") as redis:
            found = redis.zrangebyscore(keys.DUE, "-inf", self._score(now), start=0, num=limit)
        return names(found)

    def enqueue_tick(self, request_id: str, *, now: datetime | None = None) -> None:
        """Queue the next look at a request unless one waits already.

        A ticker gives its `now`: then a request that another ticker has just queued, or that has
        been saved since `due` was asked, is left alone. Without it the look is queued at once.
        """

        def write(pipe: Pipeline) -> None:
            again_at = self._score(now or self._clock()) + RETRY_SECONDS
            due_until = None if now is None else self._score(now)
            head = entries.head(pipe, request_id)
            if head is None or (head.state is not None and head.state.ended):
                pipe.multi()
                pipe.zrem(keys.DUE, request_id)
                return
            if due_until is not None and not _due(pipe, request_id, due_until):
                return
            work = Work("prepare" if head.state is State.PREPARING else "tick", request_id)
            last = last_turn(pipe, request_id)
            waits = last is not None and self._queue.waiting(pipe, work, last)
            pipe.multi()
            pipe.zadd(keys.DUE, {request_id: again_at})
            if not waits:
                self._queue.put(pipe, work, next_turn(work, seq=head.version, last=last))

        watched = [keys.tick_mark(request_id), keys.request(request_id)]
        self._in_one(f"queueing the next tick of {request_id}", watched, write)

    def reconcile_due(self, now: datetime) -> int:
        """Give every open request a due time that has none, and take them from all others.

        How many were given. Ended requests keep none, so this costs what is open.
        """
        with self._reach("deriving due times again") as redis:
            open_ids = names(redis.zrange(keys.OPEN, 0, -1))
            timed = set(names(redis.zrange(keys.DUE, 0, -1)))
            missing = [one for one in open_ids if one not in timed]
            given = 0
            for start in range(0, len(missing), BATCH):
                given += self._give_due_times(redis, missing[start : start + BATCH], now)
            if orphans := timed - set(open_ids):
                self._drop_ended(redis, sorted(orphans))
        return given

    def _give_due_times(self, redis: Redis, ids: Sequence[str], now: datetime) -> int:
        pipe = redis.pipeline(transaction=False)
        for request_id in ids:
            pipe.hgetall(keys.request(request_id))
        found = dict(zip(ids, pipe.execute(), strict=True))
        moments = {}
        for request_id, fields in found.items():
            try:
                request = entries.read(request_id, fields)
            except entries.UnreadableEntry as unreadable:
                log.error("no due time for %s: %s", request_id, unreadable)
                continue
            if request is not None and not request.state.ended:
                moments[request_id] = self._score(natural_due(request, now))
        # NX: a save that came in between knows better.
        return number(redis.zadd(keys.DUE, moments, nx=True)) if moments else 0

    def _drop_ended(self, redis: Redis, ids: Sequence[str]) -> None:
        for request_id in ids:
            if redis.zscore(keys.OPEN, request_id) is None:
                redis.zrem(keys.DUE, request_id)


def _due(pipe: Pipeline, request_id: str, until: float) -> bool:
    at = pipe.zscore(keys.DUE, request_id)
    return isinstance(at, float) and at <= until


def natural_due(request: Request, now: datetime) -> datetime:
    """When an open request wants to be looked at if nothing else is known."""
    if request.state is State.AWAITING_APPROVAL and request.expires_at is not None:
        return request.expires_at
    return now
