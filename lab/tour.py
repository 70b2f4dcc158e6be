"""The scripted tour of `make demo`: two engineers make three brokers six, in the page and the terminal.

It speaks and presses through the same door as the page, so nothing is shown that a visitor could not
do; afterwards everything stays up for free play.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from lab.addresses import LabFolder
from lab.children import Children
from lab.slack.client import LabRefused, press, read, say

CHANNEL = "#kafka"
READY_SECONDS_MAX = 60.0
CARD_SECONDS_MAX = 60.0
JOB_SECONDS_MAX = 600.0
READING_SECONDS = 3.0
"""Between acts, so that a person can read what came of the last one."""

_running: set[asyncio.Task[None]] = set()


async def start(*, children: Children, addresses: Mapping[str, Any], folder: LabFolder) -> None:
    """Play the tour beside the lab; its end or its failure is said in the terminal."""
    del children, folder
    task = asyncio.create_task(_play(addresses), name="tour")
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _play(addresses: Mapping[str, Any]) -> None:
    try:
        await asyncio.to_thread(play, page_url=addresses["slack_page"], tell=tell)
    except (LabRefused, TourStopped) as stopped:
        tell(f"The tour stopped: {stopped}")


class TourStopped(Exception):
    """Something the tour waits for did not happen; the sentence says what."""


def tell(words: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {click.style('tour', fg='cyan')}  {words}")


def play(*, page_url: str, tell: Callable[[str], None]) -> None:
    def ann(text: str) -> None:
        say(page_url=page_url, as_name="ann", channel=CHANNEL, text=text)

    wait_for_bot(page_url)
    tell(f"Open {page_url}?as=ann and, in a second window, {page_url}?as=bob")
    tell("ann asks for 5 brokers; the cluster has 3 availability zones")
    ann("/kafka scale brokers 5")
    refused = wait_for_card(page_url, after="", words="5 brokers")
    tell("Ottla refuses and offers 6, since MSK wants a multiple of the zones")
    time.sleep(READING_SECONDS)
    ann("/kafka scale brokers 6 because orders lag behind at noon")
    card = wait_for_card(page_url, after=refused["ts"], words="6 brokers", button="approve")
    tell("The card shows the plan: what moves, how long, what it costs")
    time.sleep(READING_SECONDS)
    tell("ann presses Approve on her own request: refused, a second engineer has to")
    press_approve(page_url, "ann", card["ts"])
    time.sleep(READING_SECONDS)
    tell("bob approves; a worker starts, and the thread shows every step")
    press_approve(page_url, "bob", card["ts"])
    wait_for_end(page_url, card["ts"], tell)
    tell("That was the tour. Play on: /kafka status, /kafka scale brokers 9, as ann, bob or carol.")


def wait_for_bot(page_url: str) -> None:
    """The bot answers commands once its socket is open."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            said = say(page_url=page_url, as_name="ann", channel=CHANNEL, text="/kafka help")
            if said["answers"]:
                return
        except LabRefused:
            pass
        time.sleep(0.5)
    raise TourStopped(f"the bot did not answer /kafka help within {READY_SECONDS_MAX:.0f} s")


def wait_for_card(page_url: str, *, after: str, words: str, button: str = "") -> dict[str, Any]:
    """The newest card after a message that says the words (and has the button)."""
    deadline = time.monotonic() + CARD_SECONDS_MAX
    while time.monotonic() < deadline:
        for message in reversed(read(page_url=page_url, channel=CHANNEL)):
            fits = message["is_app"] and message["ts"] > after and words in message["text"]
            if fits and (not button or approve_button(message)):
                return dict(message)
        time.sleep(0.3)
    raise TourStopped(f"no card saying {words!r} within {CARD_SECONDS_MAX:.0f} s")


def approve_button(message: Mapping[str, Any]) -> str:
    """The words of the Approve button of a card; empty when it has none."""
    texts = [str(b.get("text", "")) for b in message.get("buttons", ())]
    return next((text for text in texts if "approve" in text.lower()), "")


def press_approve(page_url: str, as_name: str, ts: str) -> None:
    message = next(m for m in read(page_url=page_url, channel=CHANNEL) if m["ts"] == ts)
    press(page_url=page_url, as_name=as_name, message_ts=ts, button=approve_button(message))


def wait_for_end(page_url: str, ts: str, tell: Callable[[str], None]) -> None:
    """Say each new line of the thread until the request has ended."""
    told = 0
    deadline = time.monotonic() + JOB_SECONDS_MAX
    while time.monotonic() < deadline:
        lines = read(page_url=page_url, channel=CHANNEL, thread_ts=ts)[1:]
        for line in lines[told:]:
            tell(f"  {line['text'].splitlines()[0] if line['text'] else '(picture)'}")
        told = len(lines)
        if any(
            line["text"].startswith(("Done in", "Failed:", "Needs attention")) for line in lines
        ):
            return
        time.sleep(0.5)
    raise TourStopped(f"the request did not end within {JOB_SECONDS_MAX / 60:.0f} minutes")
