"""From the approver's click to MSK's UpdateBrokerCount, on a running lab with real brokers.

Both moments are wall-clock times of the lab's own logs on one machine: when the workspace was told
of the click, and when the local MSK endpoint answered the call.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import ProxyHandler, Request, build_opener

from bench.numbers import Number
from bench.processes import ROOT, resident_mib, until

LAB_SECONDS_MAX = 300.0
ROLES = ("bot", "worker", "ticker")
Json = dict[str, Any]
_OPENER = build_opener(ProxyHandler({}))


def measure(folder: Path, *, lab: Path | None) -> Sequence[Number]:
    """The click, and the memory of the roles before and after it; starts a lab when none is named."""
    if lab is not None:
        return measured(json.loads((lab / "lab.json").read_text()))
    with started_lab(folder) as addresses:
        return measured(addresses)


@contextmanager
def started_lab(folder: Path, *options: str) -> Iterator[Json]:
    where = folder / "lab"
    with (folder / "lab.log").open("wb") as log:
        command = (sys.executable, "-m", "lab", "up", "--dir", str(where), *options)
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield until(lambda: _ready(where), what="the lab is up", seconds=LAB_SECONDS_MAX)
        finally:
            process.terminate()
            process.wait(60)


def _ready(where: Path) -> Json | None:
    file = where / "lab.json"
    addresses: Json = json.loads(file.read_text()) if file.exists() else {}
    return addresses if addresses.get("ready") else None


def measured(addresses: Json) -> Sequence[Number]:
    idle = [resident_mib(int(addresses["pids"][role])) for role in ROLES]
    page = str(addresses["slack_page"])
    known = {one["ts"] for one in _messages(page)}
    brokers = 3 + len(addresses["brokers"])
    act(page, user="ann", do="command", text=f"/kafka scale brokers {brokers}")
    card = until(lambda: _approvable(page, known), what="a card waits for approval", seconds=90)
    time.sleep(2)  # nothing else is going on any more
    clicked_at = time.time()
    act(page, user="bob", do="click", ts=card["ts"], action_id="request:approve")
    called_at = until(
        lambda: _called_since(str(addresses["aws"]), clicked_at), what="MSK is asked for brokers"
    )
    return (
        Number("click on Approve → MSK has UpdateBrokerCount", called_at - clicked_at, "s", 2),
        *(
            Number(f"memory of the idle {role}", mib, "MiB", 120)
            for role, mib in zip(ROLES, idle, strict=True)
        ),
    )


def act(page: str, **what: str) -> Json:
    body = json.dumps({"channel": "#kafka", **what}).encode()
    request = Request(
        urljoin(page, "lab/act"), data=body, headers={"Content-Type": "application/json"}
    )
    with _OPENER.open(request, timeout=30) as answer:
        found: Json = json.load(answer)
    return found


def _messages(page: str) -> list[Json]:
    with _OPENER.open(urljoin(page, "lab/state"), timeout=30) as answer:
        state = json.load(answer)
    (channel,) = [one["id"] for one in state["channels"] if one["name"] == "kafka"]
    found: list[Json] = state["messages"][channel]
    return found


def _approvable(page: str, known: set[str]) -> Json | None:
    for one in _messages(page):
        if one["ts"] not in known and "request:approve" in json.dumps(one.get("blocks", [])):
            return one
    return None


def _called_since(aws: str, moment: float) -> float | None:
    with _OPENER.open(f"{aws}/lab/log?operation=UpdateBrokerCount", timeout=30) as answer:
        calls = [json.loads(line) for line in answer.read().decode().splitlines()]
    times = [float(one["time"]) for one in calls if one["time"] >= moment - 0.001]
    return min(times, default=None)
