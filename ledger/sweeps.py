"""A look for throttles left behind, queued for a cluster now and then.

The surprising truth: nobody keeps a timetable. Whoever asks first after `EVERY_SECONDS` queues it, in
the transaction that marks it queued; of two tickers one does, and none does while a change is at work.
"""

from __future__ import annotations

from redis import Redis
from redis.client import Pipeline

from changes.lifecycle import State
from ledger import entries, keys
from ledger.door import Door
from ledger.replies import names
from ledger.work import Work, WorkQueue, last_turn, next_turn

EVERY_SECONDS = 600
AT_WORK = (State.RUNNING, State.ROLLING_BACK, None)
"""None = another version of Ottla wrote the entry, and may be carrying it out."""


class Sweeps(Door):
    _queue: WorkQueue

    def queue_sweep(self, cluster: str) -> bool:
        """Queue it unless one was lately, or a change is at work there; did we?"""
        mark = keys.swept(cluster)

        def write(pipe: Pipeline) -> bool:
            if pipe.exists(mark) or _at_work(pipe, cluster):
                return False
            work = Work("sweep", cluster)
            turn = next_turn(work, seq=0, last=last_turn(pipe, cluster))
            pipe.multi()
            pipe.set(mark, turn.job_id, ex=EVERY_SECONDS)
            self._queue.put(pipe, work, turn)
            return True

        return self._in_one(f"queueing a sweep of {cluster}", [mark, keys.line(cluster)], write)

    def at_work(self, cluster: str) -> bool:
        """Is a change of this cluster being carried out or cleaned up?"""
        with self._reach(f"asking whether {cluster} is being changed") as redis:
            return _at_work(redis, cluster)


def _at_work(redis: Redis, cluster: str) -> bool:
    """From a connection, or from a pipeline that has not begun its transaction."""
    heads = (entries.head(redis, one) for one in names(redis.zrange(keys.line(cluster), 0, -1)))
    return any(head is not None and head.state in AT_WORK for head in heads)
