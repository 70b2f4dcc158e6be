"""The RQ worker with manners: JSON, an allow-list, and no orphans.

The surprising truth: with RQ's defaults a killed parent leaves its child working while RQ starts the
same job again, and a job that *names* `os.system` runs it, JSON or not; its callbacks are imported by
name too, its webhooks send requests to any address from inside our network, and a date that is none
ends the worker. So the child dies with its parent (PR_SET_PDEATHSIG), a job whose function is not on
the list is refused before import, and of a stored job only the fields that our own jobs have are read.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text

from ledger.masking import masked
from workers.tied import tie_to

log = logging.getLogger(__name__)

ALLOWED = frozenset({"workers.jobs.prepare", "workers.jobs.tick", "workers.jobs.sweep"})
FIELDS = frozenset(
    {
        *("data", "origin", "description", "status", "timeout", "result_ttl", "failure_ttl"),
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat", "worker_name"),
    }
)
"""All that our own jobs need; callbacks, webhooks, retries, repeats and dependencies are not among them."""
FIELD_BYTES_MAX = 4096
"""Ours have a hundred; compressed, so that this many could still grow a thousandfold."""
ID_LENGTH_MAX = 64
"""Of a request, or of a cluster's name."""
QUEUE = "ottla"
PAUSE_SECONDS = 3.0


class NotAllowed(Exception):
    """A job on the queue names something that is none of our functions."""


class AllowedJob(Job):
    """Runs nothing but our own three functions, each with one short id."""

    def restore(self, raw_data: Mapping[bytes | str, bytes]) -> None:
        """Read our own fields alone; what cannot be read is passed over, as if it had gone."""
        try:
            ours = {name: value for name, value in raw_data.items() if as_text(name) in FIELDS}
            largest = max(map(len, ours.values()), default=0)
            if largest > FIELD_BYTES_MAX:
                raise ValueError(f"a field of {largest} bytes; at most {FIELD_BYTES_MAX} are read")
            super().restore(ours)
        except Exception as bad:  # anything: RQ reads trustingly, and what it lets through ends it
            log.error("the queue holds a job that cannot be read, %s: %s", self.id, bad)
            raise NoSuchJobError(str(bad)) from bad

    @property
    def func(self) -> Callable[..., Any]:
        if not isinstance(self.func_name, str) or self.func_name not in ALLOWED:
            raise NotAllowed(f"the queue holds a job that may not run: {self.func_name!r:.80}")
        if self.instance is not None or self.kwargs or not one_id(self.args):
            raise NotAllowed(f"{self.func_name} is queued with one id and nothing else")
        function: Callable[..., Any] = super().func
        return function


def one_id(args: object) -> bool:
    match args:
        case [str(text)] | (str(text),):
            return len(text) <= ID_LENGTH_MAX
    return False


class TiedWorker(Worker):
    """A worker whose child cannot outlive it."""

    job_class = AllowedJob
    before_job: Callable[[], object] = staticmethod(lambda: None)
    """Called in the parent before it forks: what it learns there, every later child inherits."""

    told_to_stop = False
    _forks: int
    """This process, as its child must find it; RQ's `pid` is read back from Redis."""

    def execute_job(self, *args: Any, **kwargs: Any) -> None:
        self.before_job()
        self._forks = os.getpid()
        super().execute_job(*args, **kwargs)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_stop = True
        ends: Callable[..., object] = super().request_stop  # RQ gives it no types
        ends(signum, frame)

    def main_work_horse(self, *args: Any, **kwargs: Any) -> None:
        tie_to(self._forks)
        super().main_work_horse(*args, **kwargs)


def worker(connection: Any, *, before_job: Callable[[], object] | None = None) -> TiedWorker:
    """Timings measured against killed workers; the ledger's own due times recover faster anyway."""
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=AllowedJob)
    tied = TiedWorker(
        [queue],
        connection=connection,
        serializer=JSONSerializer,
        job_class=AllowedJob,
        worker_ttl=20,
        maintenance_interval=10,
        job_monitoring_interval=5,
    )
    if before_job is not None:
        tied.before_job = before_job
    return tied


def keep_working(connect: Callable[[], Any], *, before_job: Callable[[], object]) -> None:
    """Work until told to stop. RQ's loop ends at the first error of Redis or of the machine; then what
    runs would stand still until somebody starts another worker."""
    at_work: TiedWorker | None = None
    try:
        while at_work is None or not at_work.told_to_stop:
            try:
                at_work = worker(connect(), before_job=before_job)
                at_work.work(logging_level="WARNING")
            except (RedisError, OSError) as error:
                log.error("the queue cannot be followed: %s", masked(str(error)))
            if at_work is None or not at_work.told_to_stop:
                log.warning("RQ's loop has ended; it is begun again in %.0f s", PAUSE_SECONDS)
                time.sleep(PAUSE_SECONDS)
    except (StopRequested, RedisError):
        return  # raised by RQ's handler of signals, which tells Redis of the end
