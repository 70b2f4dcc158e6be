"""The ticker as a child of the worker: started, watched, started again, and ended with it.

The surprising truth: without a ticker everything looks well. Requests are approved, nothing fails, and
nothing goes on; so a ticker that ends is said and started again.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from types import TracebackType

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "workers.ticker", "--ends-with", str(os.getpid()))
PAUSE_SECONDS = 5.0
"""Before it is started again: one that cannot start must not fill the log."""
LOOK_SECONDS = 0.5
END_SECONDS_MAX = 5.0


class TickerBeside:
    """`with TickerBeside(): …`, and a ticker runs for as long as that lasts."""

    def __init__(self, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._pause_seconds = pause_seconds
        self._over = threading.Event()
        # It starts the child too, since the kernel ties a child to the very thread that started it.
        self._thread = threading.Thread(target=self._keep, name="ticker beside", daemon=True)

    def __enter__(self) -> TickerBeside:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(2 * END_SECONDS_MAX)

    def _keep(self) -> None:
        while not self._over.is_set():
            if end := self._lived():
                pause = self._pause_seconds
                log.error("the ticker has ended (%s); it is started again in %.0f s", end, pause)
            self._over.wait(self._pause_seconds)

    def _lived(self) -> str:
        """One ticker from start to end: how it ended, nothing when it was told to (by whomever)."""
        try:
            # In a session of its own: Ctrl-C is for the worker, which finishes its job first.
            with subprocess.Popen(COMMAND, start_new_session=True) as child:
                while not self._over.wait(LOOK_SECONDS):
                    if child.poll() is not None:
                        return end_in_words(child.returncode) if child.returncode else ""
                stop(child)
        except (
            Exception
        ) as refused:  # no memory, too many processes: the keeper must not end by that
            return f"it could not be started: {refused}"
        return ""


def stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()


def end_in_words(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
