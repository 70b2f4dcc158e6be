"""A lab that has run a job left no token or password in its logs, its wire log or the audit."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

from changes.lifecycle import State
from tests.scenarios.conftest import lab
from tests.scenarios.labs import Lab

__all__ = ["lab"]

pytestmark = pytest.mark.lab
OPENER = build_opener(ProxyHandler({}))
MOVED_ON = (State.RUNNING, State.DONE)


def secrets_of(lab: Lab) -> dict[str, str]:
    addresses = lab.addresses
    return {
        "bot token": addresses["tokens"]["bot"],
        "app token": addresses["tokens"]["app"],
        "Redis password": urlsplit(addresses["redis"]).password or "",
        "control token": addresses["control"]["token"],
    }


def a_job_has_run(lab: Lab) -> bool:
    """On a lab that was used before, one has; on a fresh one it is asked for, approved and begun."""
    if any(m["text"].count("*done*") or "*running*" in m["text"] for m in lab.messages()):
        return True
    request_id = lab.ask("ann", "scale brokers 6 because of the test")
    lab.click("bob", lab.card_says(request_id, "awaiting approval"), "request:approve")
    return lab.until_state(request_id, *MOVED_ON, seconds=60).state in MOVED_ON


def test_a_lab_that_ran_a_job_keeps_its_secrets(lab: Lab) -> None:
    assert a_job_has_run(lab)
    logs = [path for path in (lab.folder / "logs").rglob("*") if path.is_file()]
    places = {path.name: path.read_text(errors="replace") for path in logs}
    places["audit"] = lab.run("ledger", "export")
    for name, base in (("slack wire", lab.page), ("aws wire", f"{lab.addresses['aws']}/")):
        places[name] = OPENER.open(urljoin(base, "lab/log"), timeout=30).read().decode()
    assert {"bot.log", "worker.log", "ticker.log"} <= set(places)
    assert '"running"' in places["audit"]
    secrets = secrets_of(lab)
    assert all(len(secret) >= 8 for secret in secrets.values()), "too short to be looked for"
    found = [
        (what, place)
        for place, said in places.items()
        for what, secret in secrets.items()
        if secret in said
    ]
    assert found == []
