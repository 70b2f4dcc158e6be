"""A tiny process: queues what is due. Two of them do no harm, since the lease makes a doubled tick
harmless; none of them loses no work either, since due times stay in the ledger."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from datetime import UTC, datetime

import click

from ledger import Ledger, LedgerUnavailable, UnreadableEntry
from workers.runtime import CannotStart, log_plainly, runtime

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
RECONCILE_BEATS = 120
"""Once a minute the due times are derived again from the open requests."""


def run() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ledger = runtime().ledger
    ledger.check()
    beats = 0
    while not stop.is_set():
        beat(ledger, reconcile=beats % RECONCILE_BEATS == 0, now=datetime.now(UTC))
        beats += 1
        stop.wait(BEAT_SECONDS)


def beat(ledger: Ledger, *, reconcile: bool, now: datetime) -> None:
    """Queue what is due now; Redis being away is said once a beat and survived."""
    try:
        if reconcile:
            ledger.reconcile_due(now)
        for request_id in ledger.due(now):
            ledger.enqueue_tick(request_id, now=now)
    except (LedgerUnavailable, UnreadableEntry) as away:
        log.warning("nothing can be queued: %s", away)


@click.command(help="Queue the ticks that are due; a worker carries them out.")
def main() -> None:
    try:
        log_plainly()
        run()
    except (CannotStart, LedgerUnavailable) as refused:
        sys.exit(f"The ticker does not start: {refused}")


if __name__ == "__main__":
    main()
