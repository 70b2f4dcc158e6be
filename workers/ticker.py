"""A tiny process: queues what is due. Two of them do no harm, since the lease makes a doubled tick
harmless; none of them loses no work either, since due times stay in the ledger."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from ledger import Ledger, LedgerUnavailable, UnreadableEntry
from ledger.masking import masked
from workers.runtime import CannotStart, log_plainly, policies_in_force, runtime, settings_from
from workers.tied import tie_to

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
RECONCILE_BEATS = 120
"""Once a minute the due times are derived again from the open requests, and sweeps are queued."""
SAID_AGAIN_SECONDS = 60.0


@dataclass
class Silence:
    """Says that the ledger is away when it begins and once a minute, and when it is over."""

    since: float | None = None
    said_at: float = 0.0

    def noted(self, why: str, *, at: float) -> None:
        """`why` nothing could be queued, empty when it could; `at` by a clock that never jumps."""
        if not why:
            self._over(at)
        elif self.since is None or at - self.said_at >= SAID_AGAIN_SECONDS:
            self.since = at if self.since is None else self.since
            self.said_at = at
            lasting = f", for {at - self.since:.0f} s now" if at > self.since else ""
            log.warning("nothing can be queued%s: %s", lasting, why)

    def _over(self, at: float) -> None:
        if self.since is not None:
            log.info("work is queued again, after %.0f s", at - self.since)
        self.since = None


def run() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ledger = runtime().ledger
    ledger.check()
    folder = settings_from(os.environ).policies
    log.info("queueing what is due, clusters by %s", folder)
    silence = Silence()
    beats = 0
    while not stop.is_set():
        reconcile = beats % RECONCILE_BEATS == 0
        why = beat(ledger, reconcile=reconcile, now=datetime.now(UTC))
        if reconcile and not why:
            why = queue_sweeps(ledger, policies_in_force(folder).clusters)
        silence.noted(why, at=time.monotonic())
        beats += 1
        stop.wait(BEAT_SECONDS)


def beat(ledger: Ledger, *, reconcile: bool, now: datetime) -> str:
    """Queue what is due now; why that could not be done, empty when it was."""
    try:
        if reconcile:
            ledger.reconcile_due(now)
        for request_id in ledger.due(now):
            ledger.enqueue_tick(request_id, now=now)
    except (LedgerUnavailable, UnreadableEntry) as away:
        return str(away)
    return ""


def queue_sweeps(ledger: Ledger, clusters: Iterable[str]) -> str:
    """Have each cluster looked at for throttles left behind; the ledger says whose turn it is."""
    try:
        for name in clusters:
            ledger.queue_sweep(name)
    except LedgerUnavailable as away:
        return str(away)
    return ""


@click.command(help="Queue the ticks that are due; a worker carries them out.")
@click.option("--ends-with", type=int, hidden=True, help="The process that started it.")
def main(*, ends_with: int | None) -> None:
    try:
        if ends_with is not None:
            tie_to(ends_with)
        log_plainly()
        run()
    except (CannotStart, LedgerUnavailable) as refused:
        sys.exit(masked(f"The ticker does not start: {refused}"))


if __name__ == "__main__":
    main()
