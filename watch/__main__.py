"""`python -m watch`: look at every cluster and keep incidents. `check` and `replay` change nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ledger import LedgerUnavailable
from ledger.masking import masked
from policies import Problems
from policies.alerts import ClusterAlerts
from policies.keeping_alerts import read_watched
from policies.problems import did_you_mean
from watch.clusters_watch import watch_all
from watch.incident_settings import IncidentSettings
from watch.replay import Replay, in_words
from watch.rule import Rule
from watch.runtime import (
    CannotStart,
    Runtime,
    all_rules,
    ledger_of,
    log_plainly,
    runtime,
    settings_from,
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
    gc.collect()
    gc.freeze()  # what start-up made lives as long as the process: no look need go through it again
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


@main.command()
@click.option("--cluster", "name", required=True, help="Which cluster's past.")
@click.option(
    "--alerts",
    "file",
    type=click.Path(path_type=Path),
    help="The settings to try; else those in force.",
)
@click.option("--since", default="24h", show_default=True, help="How far back: 90m, 24h, 1d.")
@click.option("--quiet", is_flag=True, help="Show quiet lines of threads too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(name: str, file: Path | None, since: str, quiet: bool, as_json: bool) -> None:
    """Say what would have been posted, and when, had these settings been in force.

    Reads the looks of the last 24 hours from the ledger and writes nothing. What people did
    (acknowledge, mute) is not replayed.
    """
    try:
        settings = settings_from(os.environ)
        known = all_rules()
        alerts = alerts_to_try(settings.policies, file, known, name)
        moment = datetime.now(UTC) - length_of(since)
        ledger = ledger_of(settings)
        found = Replay(cluster=name, rules=known, alerts=alerts).of(
            ledger.frames(name, since=moment)
        )
    except (CannotStart, LedgerUnavailable) as refused:
        sys.exit(masked(f"Nothing is replayed: {refused}"))
    click.echo(found.model_dump_json(indent=2) if as_json else in_words(found, quiet=quiet))


def alerts_to_try(
    folder: Path, file: Path | None, known: tuple[Rule[Any], ...], cluster: str
) -> ClusterAlerts:
    """The folder's settings of a cluster, or those of another file for the same clusters."""
    rules, incidents = settings_of(known), IncidentSettings
    if file is not None and not file.exists():
        raise CannotStart(f"{file}: there is no such file")
    found = read_watched(folder, rules=rules, incident_settings=incidents, alerts_file=file)
    if isinstance(found, Problems):
        raise CannotStart(found.words())
    if cluster not in found.clusters:
        hint = did_you_mean(cluster, found.clusters) or f"known: {', '.join(found.clusters)}"
        raise CannotStart(f"there is no cluster {cluster} ({hint})")
    return found.alerts.of(cluster)


def length_of(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found:
        raise CannotStart(f"--since {text} is not a length of time; write 90m, 24h or 1d")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


if __name__ == "__main__":
    main(prog_name="python -m watch")
