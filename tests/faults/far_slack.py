"""The lab's Slack workspace in a process of its own, so that what was posted outlives the bot."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from urllib.request import ProxyHandler, Request, build_opener

from lab.slack import serve
from lab.slack.client import read
from lab.slack.quirks import Quirks
from tests.faults.life import CHANNEL
from tests.faults.playing import FORK

_OPENER = build_opener(ProxyHandler({}))
QUIRKS = Quirks(file_share_seconds=0.15)
"""As late as in the lab would cost the folder minutes; the gap between a yes and the file is still there."""
LANDED_SECONDS_MAX = 30.0


class Slack(NamedTuple):
    page_url: str
    api_url: str
    bot_token: str

    def reset(self) -> None:
        self._post("reset", {})

    def fault(self, action: str, **more: Any) -> None:
        self._post("faults", {"action": action, **more})

    def shown(self) -> tuple[list[str], list[str], int]:
        """Cards by their state line, lines of their threads in order, and how many pictures."""
        cards = [m for m in read(page_url=self.page_url, channel=CHANNEL) if m["is_app"]]
        lines = [
            message
            for card in cards
            for message in read(page_url=self.page_url, channel=CHANNEL, thread_ts=str(card["ts"]))[
                1:
            ]
        ]
        texts = [str(message["text"]) for message in lines if not message["files"]]
        files = sum(len(message["files"]) for message in lines)
        return [str(card["text"]) for card in cards], texts, files

    def until_shared(self, files: int) -> None:
        """Until as many files stand in threads: Slack shares each a moment after its yes."""
        deadline = time.monotonic() + LANDED_SECONDS_MAX
        while self.shown()[2] < files:
            assert time.monotonic() < deadline, f"{files} files never show"
            time.sleep(0.02)

    def _post(self, door: str, body: dict[str, Any]) -> None:
        request = Request(
            f"{self.page_url.rstrip('/')}/lab/{door}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with _OPENER.open(request, timeout=10) as answer:
            assert answer.status == 200


def _serve(tell: Connection) -> None:
    async def run() -> None:
        running = await serve(rate_mode="off", quirks=QUIRKS)
        tell.send(Slack(running.page_url, running.api_url, running.bot_token))
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def far_slack() -> Iterator[Slack]:
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        assert ours.poll(20), "the workspace does not start"
        yield ours.recv()
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
        theirs.close()
