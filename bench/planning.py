"""Plans a case once, with a clock and a memory gauge beside it.

The surprising truth: peak memory is the whole process's, interpreter and input included, since that
is what a worker has to have; peers' figures from their own languages are measured the same way.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass

from bench.table import Row
from changes.placement.judge import judge
from changes.placement.measure import measure
from changes.placement.model import Placement
from changes.placement.spread import spread

OURS = "ottla_balanced"


@dataclass(frozen=True, slots=True)
class Run:
    """The plan, its line of the table, and what the judge has against it."""

    plan: tuple[tuple[int, ...], ...]
    row: Row
    refused: tuple[str, ...]


def run_planner(placement: Placement, *, case: str) -> Run:
    started, started_cpu = time.perf_counter(), time.process_time()
    plan = spread(placement)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    peak_mib = _peak_mib()
    metrics = measure(placement, plan)
    row = Row(case, OURS, metrics, seconds=seconds, cpu_seconds=cpu_seconds, peak_mib=peak_mib)
    return Run(plan, row, judge(placement, plan))


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)  # macOS counts bytes, Linux KiB
