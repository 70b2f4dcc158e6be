"""`lab status` and `lab down`: look at a lab from outside, and end it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

import click
import psutil

from lab.addresses import LabFolder, is_alive, read_json
from lab.cli.found import dir_option, json_option, table

_DOWN_SECONDS_MAX = 45.0
_LOOK_SECONDS = 0.1


@click.command()
@json_option
@dir_option
def status(folder: LabFolder, as_json: bool) -> None:
    """Show what runs. Exit status: 0 ready, 3 on its way, 1 not up."""
    found = look(folder)
    click.echo(json.dumps(found, indent=2) if as_json else in_words(found, folder))
    sys.exit({"ready": 0, "starting": 3, "stopping": 3}.get(found["phase"], 1))


@click.command()
@dir_option
def down(folder: LabFolder) -> None:
    """Stop the lab and wait until it is down."""
    if not is_alive(folder):
        click.echo(f"no lab is up in {folder.root}")
        return
    pid = (read_json(folder.state) or {}).get("pid")
    if not isinstance(pid, int):
        raise click.ClickException(f"{folder.state} names no process to stop")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS_MAX
    while is_alive(folder):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"process {pid} still runs after {_DOWN_SECONDS_MAX:.0f} s; `kill -9 {pid}` ends it "
                "and everything it started"
            )
        time.sleep(_LOOK_SECONDS)
    click.echo("the lab is down")


def look(folder: LabFolder) -> dict[str, Any]:
    """The supervisor's own words if it lives; otherwise what is left of them."""
    state = read_json(folder.state) or {"phase": "absent", "stages": [], "children": []}
    alive = is_alive(folder)
    if not alive and state["phase"] in ("starting", "ready", "stopping"):
        state["phase"] = "killed"
        state["message"] = "the supervisor ended without stopping the lab"
    addresses = folder.read_addresses() if alive else None
    supervisor = {"name": "supervisor", "pid": state.get("pid"), "state": "up", "detail": ""}
    children = ([supervisor] if alive else []) + list(state["children"])
    state["children"] = [_measured(child, alive=alive) for child in children]
    state["rss_bytes"] = sum(child["rss_bytes"] for child in state["children"])
    state["slack_page"] = (addresses or {}).get("slack_page")
    state["bootstrap"] = (addresses or {}).get("bootstrap")
    return state


def _measured(child: dict[str, Any], *, alive: bool) -> dict[str, Any]:
    if not alive and child["state"] == "up":
        child = {**child, "state": "gone", "pid": None}
    try:
        rss_bytes = psutil.Process(child["pid"]).memory_info().rss if child["pid"] else 0
    except psutil.Error:
        rss_bytes = 0
    return {**child, "rss_bytes": rss_bytes}


def in_words(found: dict[str, Any], folder: LabFolder) -> str:
    if found["phase"] == "absent":
        return f"no lab is up in {folder.root}, and none was"
    lines = [f"lab in {folder.root}: {found['phase']}"]
    if found.get("message"):
        lines.append(found["message"])
    for key, name in (("slack_page", "page"), ("bootstrap", "bootstrap")):
        if found.get(key):
            lines.append(f"{name}: {found[key]}")
    lines += ["", _stages(found), "", _children(found)]
    return "\n".join(lines)


def _stages(found: dict[str, Any]) -> str:
    rows = [(one["name"], one["state"], one["seconds"], one["detail"]) for one in found["stages"]]
    return table(rows, heads=("stage", "state", "seconds", ""))


def _children(found: dict[str, Any]) -> str:
    rows: list[tuple[object, ...]] = [
        (one["name"], one["state"], one["pid"] or "", one["rss_bytes"] // 10**6, one["detail"])
        for one in found["children"]
    ]
    rows.append(("all", "", "", found["rss_bytes"] // 10**6, ""))
    return table(rows, heads=("process", "state", "pid", "MB", ""))
