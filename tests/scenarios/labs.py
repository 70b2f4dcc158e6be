"""A lab for scenarios: the real thing, started as a person would, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import changes.catalog  # noqa: F401  (requests in the ledger name its classes)
from changes.lifecycle import State
from changes.request import Request
from lab.children import die_with
from lab.slack.client import LabRefused, press, read, say
from ledger import connect

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 240
CHANNEL = "#kafka"
Json = dict[str, Any]


@dataclass
class Lab:
    """A running lab, spoken to through its command line and its page's door."""

    folder: Path
    process: subprocess.Popen[bytes] | None
    addresses: Json = field(default_factory=dict)

    @classmethod
    def found(cls, folder: Path) -> Lab:
        lab = cls(folder=folder, process=None)
        lab.reload()
        return lab

    def run(self, *arguments: str, check: bool = True) -> str:
        """`python -m MODULE …` as an outsider runs it, with the lab's addresses in its environment."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "OTTLA_LAB_DIR": str(self.folder),
            "REDIS_URL": str(self.addresses["redis"]),
            "OTTLA_POLICIES": str(self.folder / "policies"),
            "AWS_ENDPOINT_URL": str(self.addresses["aws"]),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",
        }

    @property
    def page(self) -> str:
        return str(self.addresses["slack_page"])

    def reload(self) -> Json:
        """lab.json as it is now: brokers and process ids come and go."""
        self.addresses = json.loads((self.folder / "lab.json").read_text())
        return self.addresses

    def request(self, request_id: str) -> Request:
        """The request as the ledger has it."""
        ledger = connect(str(self.addresses["redis"]))
        try:
            found = ledger.load(request_id)
        finally:
            ledger.close()
        assert found is not None, f"there is no {request_id}"
        return found

    def command(self, name: str, text: str, *, seconds: float = 20) -> str:
        """A slash command; all that person alone is told, once it is more than "one moment …"."""
        since = self.newest(name)
        say(page_url=self.page, as_name=name, channel=CHANNEL, text=text, wait_seconds=0)

        def look() -> str:
            told = self.told(name, since=since)
            return "" if told.rstrip().endswith("…") else told

        return str(until(look, what=f"an answer to {text!r}", seconds=seconds))

    def newest(self, name: str) -> str:
        return max((str(m["ts"]) for m in self.messages(as_name=name)), default="0")

    def write(self, name: str, text: str, *, thread: str) -> None:
        say(page_url=self.page, as_name=name, channel=CHANNEL, text=text, thread_ts=thread)

    def click(self, name: str, card: Mapping[str, Any], button: str) -> None:
        press(page_url=self.page, as_name=name, message_ts=str(card["ts"]), button=button)

    def messages(self, *, thread: str | None = None, as_name: str | None = None) -> list[Json]:
        return read(page_url=self.page, channel=CHANNEL, thread_ts=thread, as_name=as_name)

    def card(self, request_id: str) -> Json:
        """The one card of a request."""
        cards = [
            m
            for m in self.messages()
            if ((m["metadata"] or {}).get("event_payload") or {}).get("request_id") == request_id
        ]
        assert len(cards) == 1, f"{request_id} has {len(cards)} cards"
        return cards[0]

    def told(self, name: str, *, since: str, thread: str | None = None) -> str:
        """What only this person was told after a moment (a message's ts)."""
        seen = self.messages(as_name=name, thread=thread)
        own = [m for m in seen if m["ephemeral"] and m["ts"] > since]
        return "\n".join(str(m["text"]) for m in own)

    def ask(self, name: str, text: str) -> str:
        """Ask for a change; the id of the request that was opened."""
        answer = self.command(name, f"/kafka {text}")
        found = re.search(r"\bR-[0-9]+\b", answer)
        assert found, answer
        return found[0]

    def until_state(self, request_id: str, *states: State, seconds: float = 60) -> Request:
        def look() -> Request | None:
            found = self.request(request_id)
            return found if found.state in states else None

        what = f"{request_id} to be {' or '.join(states)}"
        found: Request = until(look, what=what, seconds=seconds)
        return found

    def card_says(self, request_id: str, words: str, *, seconds: float = 30) -> Json:
        def look() -> Json | None:
            with contextlib.suppress(AssertionError):
                card = self.card(request_id)
                return card if words in card["text"] else None
            return None

        found: Json = until(
            look, what=f"the card of {request_id} to say {words!r}", seconds=seconds
        )
        return found

    def signal_role(self, role: str, number: signal.Signals) -> None:
        os.kill(int(self.reload()["pids"][role]), number)


def until(look: Callable[[], Any], *, what: str, seconds: float) -> Any:
    """Poll until `look` answers something true; what was waited for is said when it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


@contextlib.contextmanager
def running_lab(folder: Path, *options: str) -> Iterator[Lab]:
    """It ends with the test, and with the tests' process: no signal lets a killed one clean up."""
    log = (folder / "supervisor.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", "up", "--dir", str(folder / "lab"), *options],
        cwd=ROOT,
        stdout=log,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with(os.getpid()),
    )
    lab = Lab(folder=folder / "lab", process=process)
    try:
        wait_until_ready(lab, process, folder / "supervisor.log")
        yield lab
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()
        log.close()


def wait_until_ready(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, f"the lab ended early: {log.read_text()[-2000:]}"
        file = lab.folder / "lab.json"
        return file.exists() and bool(lab.reload().get("ready"))

    until(ready, what=f"the lab to be ready: {log.read_text()[-500:]}", seconds=START_SECONDS_MAX)

    def answered() -> bool:
        with contextlib.suppress(LabRefused):
            return bool(lab.command("ann", "/kafka help"))
        return False

    until(answered, what="the bot to answer", seconds=60)
