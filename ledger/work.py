"""Work is queued by name and id, in the transaction of the save that wants it.

RQ executes, it never decides. Traps kept out of here: `unique=True` ignores the pipeline and pushes
at once, so a job's id carries the request's version and the attempt instead; a command queued before
`multi()` makes `enqueue` raise, so callers begin their transaction first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.serializers import JSONSerializer

from ledger import keys
from ledger.replies import content

QUEUE_NAME = "ottla"
FUNCTIONS = {
    "prepare": "workers.jobs.prepare",
    "tick": "workers.jobs.tick",
    "sweep": "workers.jobs.sweep",
}
"""The only functions that are ever queued; the workers' Job class allows no others."""

JOB_TIMEOUT_SECONDS = 60
RESULT_SECONDS = 300
FAILURE_SECONDS = 7 * keys.DAY_SECONDS
"""RQ keeps failures a year; ours are for diagnosis only."""


@dataclass(frozen=True)
class Work:
    job: Literal["prepare", "tick", "sweep"]
    request_id: str
    """For a sweep the name of the cluster."""


class Turn(NamedTuple):
    """One attempt at one version of a request: what makes a job's id."""

    seq: int
    attempt: int
    job_id: str

    def encoded(self) -> str:
        return f"{self.seq}:{self.attempt}:{self.job_id}"


class WorkQueue:
    """RQ's queue with our names and limits."""

    def __init__(self, redis: Redis) -> None:
        self._queue = Queue(QUEUE_NAME, connection=redis, serializer=JSONSerializer)

    def put(self, pipe: Pipeline, work: Work, turn: Turn) -> None:
        """Queue work inside a transaction that has begun."""
        self._queue.enqueue_call(
            func=FUNCTIONS[work.job],
            args=[work.request_id],
            timeout=JOB_TIMEOUT_SECONDS,
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
            description=f"{work.job} {work.request_id}",
            job_id=turn.job_id,
            pipeline=pipe,
        )
        pipe.set(keys.tick_mark(work.request_id), turn.encoded(), ex=keys.TICK_MARK_SECONDS)

    def waiting(self, pipe: Pipeline, work: Work, last: Turn) -> bool:
        """Does the job queued last still wait, and is it this work? The queue is short: no index."""
        same = last.job_id.startswith(f"{work.job}-")
        return same and pipe.lpos(self._queue.key, last.job_id) is not None


def last_turn(pipe: Pipeline, request_id: str) -> Turn | None:
    """The job queued last for this request; the pipeline must not have begun its transaction."""
    stored = content(pipe.get(keys.tick_mark(request_id)))
    if stored is None:
        return None
    seq, attempt, job_id = stored.decode().split(":", 2)
    return Turn(seq=int(seq), attempt=int(attempt), job_id=job_id)


def next_turn(work: Work, *, seq: int, last: Turn | None) -> Turn:
    attempt = last.attempt + 1 if last is not None and last.seq == seq else 1
    name = re.sub(r"[^A-Za-z0-9_-]", "_", work.request_id)
    return Turn(seq=seq, attempt=attempt, job_id=f"{work.job}-{name}-{seq}-{attempt}")
