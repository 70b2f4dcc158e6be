"""Several threads that start at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(act: Callable[[], Result], *, times: int) -> list[Result]:
    """What each of `times` threads got; an exception in one of them is raised here."""
    start = threading.Barrier(times)

    def run() -> Result:
        start.wait(timeout=10)
        return act()

    with ThreadPoolExecutor(times) as pool:
        return [future.result(timeout=30) for future in [pool.submit(run) for _ in range(times)]]
