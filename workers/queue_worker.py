"""The RQ worker with manners: JSON, an allow-list, and no orphans.

The surprising truth: with RQ's defaults a killed parent leaves its child working while RQ starts the
same job again, and a job that *names* `os.system` runs it, JSON or not. So the child dies with its
parent (PR_SET_PDEATHSIG), and a job whose function is not on the list is refused before import.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

ALLOWED = frozenset({"workers.jobs.prepare", "workers.jobs.tick", "workers.jobs.sweep"})
PR_SET_PDEATHSIG = 1
QUEUE = "ottla"


class NotAllowed(Exception):
    """A job on the queue names something that is none of our functions."""


class AllowedJob(Job):
    """Runs nothing but our own three functions, and no callbacks."""

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in ALLOWED or self.instance is not None:
            raise NotAllowed(f"the queue holds a job that may not run: {self.func_name!r}")
        function: Callable[..., Any] = super().func
        return function

    # Callbacks are imported by name just like the function, and none is ever ours.
    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


class TiedWorker(Worker):
    """A worker whose child cannot outlive it."""

    job_class = AllowedJob

    def main_work_horse(self, *args: Any, **kwargs: Any) -> None:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            # The parent died between fork and prctl, so no signal will ever come.
            os._exit(1)
        super().main_work_horse(*args, **kwargs)


def worker(connection: Any) -> TiedWorker:
    """Timings measured against killed workers; the ledger's own due times recover faster anyway."""
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=AllowedJob)
    return TiedWorker(
        [queue],
        connection=connection,
        serializer=JSONSerializer,
        job_class=AllowedJob,
        worker_ttl=20,
        maintenance_interval=10,
        job_monitoring_interval=5,
    )
