"""`lab load`: what the traffic's books say, and its tap."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from lab.addresses import LabFolder, read_json
from lab.cli.found import addresses, dir_option, json_option, table

_OLD_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_COLUMNS = ("sent", "acknowledged", "read_back", "missing", "duplicates", "unconfirmed")


@click.group()
def load() -> None:
    """The producer and the consumers that count every record."""


@load.command()
@json_option
@dir_option
def status(folder: LabFolder, as_json: bool) -> None:
    """Records acknowledged, read back and missing, per topic."""
    books = _books(folder)
    click.echo(json.dumps(books, indent=2) if as_json else in_words(books))


@load.command()
@click.option("--wait", "seconds", default=60.0, show_default=True, help="Seconds to wait.")
@dir_option
def stop(folder: LabFolder, seconds: float) -> None:
    """Stop producing, and wait until every acknowledged record was read back."""
    addresses(folder)
    folder.load_orders.write_text("stop\n", encoding="utf-8")
    books = _wait_for(folder, "drained", seconds)
    click.echo(in_words(books))
    if books["phase"] != "drained":
        missing = books["totals"]["missing"]
        click.echo(f"not drained after {seconds:g} s: {missing} records missing", err=True)
        sys.exit(1)


@load.command()
@dir_option
def start(folder: LabFolder) -> None:
    """Produce again."""
    addresses(folder)
    folder.load_orders.write_text("run\n", encoding="utf-8")
    click.echo(f"the load is {_wait_for(folder, 'running', 10.0)['phase']}")


def _wait_for(folder: LabFolder, phase: str, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (books := _books(folder))["phase"] != phase and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return books


def _books(folder: LabFolder) -> dict[str, Any]:
    addresses(folder)
    books = read_json(folder.load)
    if books is None:
        raise click.ClickException("this lab was started without load")
    age = datetime.now(UTC) - datetime.fromisoformat(books["updated_at"])
    books["age_seconds"] = round(age.total_seconds(), 1)
    return books


def in_words(books: dict[str, Any]) -> str:
    rows = [(name, *(counts[one] for one in _COLUMNS)) for name, counts in books["topics"].items()]
    rows.append(("all", *(books["totals"][one] for one in _COLUMNS)))
    heads = ("topic", *(one.replace("_", " ") for one in _COLUMNS))
    milliseconds = books["ack_milliseconds"]
    lines = [
        f"{books['phase']}, {books['acknowledged_per_second']} acknowledged a second, "
        f"acknowledged after {milliseconds.get('p50', '–')} ms (p50), "
        f"{milliseconds.get('p99', '–')} ms (p99)",
        f"errors survived: {books['errors_survived']}",
        *(f"  {one}" for one in books["errors_last"]),
        "",
        table(rows, heads=heads),
    ]
    if books["phase"] == "running":
        lines += ["", "missing: acknowledged and not read back yet; `load stop` drains it to 0"]
    if books["age_seconds"] > _OLD_SECONDS:
        lines.append(f"These numbers are {books['age_seconds']:.0f} s old: the load does not run.")
    return "\n".join(lines)
