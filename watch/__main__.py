"""`python -m watch`: look at every cluster and keep incidents. `check` and `replay` change nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import click

from ledger import LedgerUnavailable
from ledger.masking import masked
from policies import Problems
from policies.keeping_alerts import read_watched
from watch.clusters_watch import watch_all
from watch.incident_settings import IncidentSettings
from watch.runtime import (
    CannotStart,
    Runtime,
    all_rules,
    log_plainly,
    runtime,
    settings_of,
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Look at every cluster of clusters.yaml: lag, imbalance, replication, disks. Reads only.

    Without a command it runs until SIGTERM or Ctrl-C.
    """
    if context.invoked_subcommand is None:
        context.invoke(run)


@main.command()
def run() -> None:
    """Look until told to stop; several of these share the clusters between them."""
    try:
        log_plainly()
        own = runtime()
        own.ledger.check()
    except (CannotStart, LedgerUnavailable) as refused:
        sys.exit(masked(f"The watch does not start: {refused}"))
    asyncio.run(until_stopped(own))


async def until_stopped(own: Runtime) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await watch_all(own, stop=stop)


@main.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def check(path: Path | None) -> None:
    """Read clusters.yaml and alerts.yaml of PATH; exit 1 and say where when anything is wrong.

    PATH is a folder (or a file in it); else OTTLA_POLICIES, else `policies`.
    """
    folder = path or Path(os.environ.get("OTTLA_POLICIES") or "policies")
    folder = folder.parent if folder.is_file() else folder
    known = all_rules()
    found = read_watched(folder, rules=settings_of(known), incident_settings=IncidentSettings)
    if isinstance(found, Problems):
        click.echo(found.words())
        sys.exit(1)
    click.echo(f"OK: {len(known)} rules for {len(found.clusters)} clusters")


if __name__ == "__main__":
    main(prog_name="python -m watch")
