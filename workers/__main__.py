"""Start a worker: `python -m workers` (with `--ticker` the ticker runs beside it)."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext

import click
from redis import Redis

# Imported before RQ forks, so that a child does not pay for it on every job.
import workers.jobs  # noqa: F401  (imported for its side effect: warm modules in the parent)
from cluster.aws import aws_client
from ledger import LedgerUnavailable
from ledger.connect import connection_for_worker
from ledger.masking import masked
from workers.queue_worker import keep_working, worker
from workers.runtime import (
    CannotStart,
    Runtime,
    log_plainly,
    policies_in_force,
    runtime,
    settings_from,
)
from workers.settings import Settings
from workers.ticker_beside import TickerBeside

log = logging.getLogger(__name__)


@click.command(help="Carry approved changes out, tick by tick, from the ledger's queue.")
@click.option("--ticker", "with_ticker", is_flag=True, help="Run the ticker beside the worker.")
@click.option("--burst", is_flag=True, help="Stop when the queue is empty.")
def main(*, with_ticker: bool, burst: bool) -> None:
    try:
        log_plainly()
        own = runtime()
        own.ledger.check()
        check_logins(own)
        warm(own)
        settings = settings_from(os.environ)
        log.info("working by %s, digest %s", settings.policies, own.policies.digest[:8])
        with TickerBeside() if with_ticker else nullcontext():
            if burst:
                queue = worker(connect(settings), before_job=lambda: before_job(settings))
                queue.work(burst=True, logging_level="WARNING")
            else:
                keep_working(lambda: connect(settings), before_job=lambda: before_job(settings))
    except (CannotStart, LedgerUnavailable) as refused:
        sys.exit(masked(f"The worker does not start: {refused}"))


def connect(settings: Settings) -> Redis:
    return connection_for_worker(settings.redis_url)


def before_job(settings: Settings) -> object:
    return policies_in_force(settings.policies)


def check_logins(own: Runtime) -> None:
    """A missing password is said here, not at the first tick of an approved change."""
    for cluster in own.policies.clusters.values():
        for name in (cluster.auth.username_env, cluster.auth.password_env):
            if name and not os.environ.get(name):
                raise CannotStart(
                    f"{name} is not set in the environment; clusters.yaml names it for "
                    f"logging in to the brokers of {cluster.name}"
                )


def warm(own: Runtime) -> None:
    """Read AWS's service models once, here: every forked job would pay a second for them."""
    for region in {cluster.region for cluster in own.policies.clusters.values()}:
        for service in ("kafka", "cloudwatch"):
            aws_client(service, region=region).close()


if __name__ == "__main__":
    main()
