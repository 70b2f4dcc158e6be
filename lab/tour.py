"""The scripted tour of `make demo`: two engineers make three brokers six, in the page and the terminal;
then a consumer stops reading, the watch tells of it, and tells of its end.

It speaks and presses through the same door as the page, so nothing is shown that a visitor could not
do; afterwards everything stays up for free play.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from lab.addresses import LabFolder
from lab.children import Children
from lab.load.faults import Mode, read_faults, write_faults
from lab.slack.client import LabRefused, press, read, say

CHANNEL = "#kafka"
READY_SECONDS_MAX = 60.0
CARD_SECONDS_MAX = 60.0
JOB_SECONDS_MAX = 600.0
INCIDENT_SECONDS_MAX = 150.0
ANSWER_SECONDS_MAX = 10.0
POLL_SECONDS = 0.3
READING_SECONDS = 2.5
"""Between acts, so that a person can read what came of the last one."""
BAR_SECONDS = 5.0
"""At most this often the terminal shows the card's bar."""
BAR = re.compile(r"[▓░]{4,} +\*\d+ %\*")
STEP = re.compile(r"\*Step \d+ of \d+\* · ([^·\n]+)")
GROUP = "analytics"
"""Whose consumers stop: they read clicks, customers and prices."""
ENDS = ("Done in", "Failed:", "Aborted by", "Needs attention")
"""How the last line of a thread begins."""

_running: set[asyncio.Task[None]] = set()


async def start(*, children: Children, addresses: Mapping[str, Any], folder: LabFolder) -> None:
    """Play the tour beside the lab; its end or its failure is said in the terminal."""
    del children
    task = asyncio.create_task(_play(addresses, folder.load_faults), name="tour")
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _play(addresses: Mapping[str, Any], faults: Path) -> None:
    try:
        page_url = addresses["slack_page"]
        await asyncio.to_thread(
            play, page_url=page_url, tell=tell, faults=faults if addresses["load"] else None
        )
    except (LabRefused, TourStopped) as stopped:
        tell(f"The tour stopped: {stopped}")


class TourStopped(Exception):
    """Something the tour waits for did not happen; the sentence says what."""


def tell(words: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {click.style('tour', fg='cyan')}  {words}")


def play(*, page_url: str, tell: Callable[[str], None], faults: Path | None) -> None:
    """`faults`: the file by which the load is told what goes wrong; None = there is no load."""
    wait_for_bot(page_url)
    tell(f"Open {page_url}?as=ann and, in a second window, {page_url}?as=bob")
    began = time.monotonic()
    refused = five_are_refused(page_url, tell)
    card = six_are_planned(page_url, tell, after=refused["ts"])
    two_people_decide(page_url, tell, card["ts"])
    wait_for_end(page_url, card["ts"], tell)
    if faults is not None:
        consumers_stop(page_url, tell, faults)
    tell(
        f"That was the tour, {time.monotonic() - began:.0f} s of it. Everything stays up; play on:"
    )
    tell("  /kafka status · /kafka help · /kafka scale brokers 9, as ann, bob, carol or dan")
    tell("  /kafka lag · /kafka balance · /kafka incidents · python -m lab fault list")
    tell("  Ctrl-C here ends the lab and everything it started")


def five_are_refused(page_url: str, tell: Callable[[str], None]) -> dict[str, Any]:
    tell("ann types /kafka scale brokers 5; the cluster spans 3 availability zones")
    say(page_url=page_url, as_name="ann", channel=CHANNEL, text="/kafka scale brokers 5")
    refused = wait_for_card(page_url, after="", words="5 brokers", state="denied")
    tell("Ottla says why 5 cannot be done and what can: MSK wants the same number in each zone")
    time.sleep(READING_SECONDS)
    return refused


def six_are_planned(page_url: str, tell: Callable[[str], None], *, after: str) -> dict[str, Any]:
    text = "/kafka scale brokers 6 because orders lag behind at noon"
    tell(f"ann types {text}")
    say(page_url=page_url, as_name="ann", channel=CHANNEL, text=text)
    card = wait_for_card(page_url, after=after, words="6 brokers", button="approve")
    tell("One card holds the plan: what moves, how long, what it costs, what cannot be undone")
    time.sleep(READING_SECONDS)
    return card


def two_people_decide(page_url: str, tell: Callable[[str], None], ts: str) -> None:
    tell("ann presses Approve on her own request; only she sees the answer:")
    before = newest(page_url, "ann")
    press_approve(page_url, "ann", ts)
    tell(f"  {told_alone(page_url, 'ann', since=before)}")
    time.sleep(READING_SECONDS)
    tell("bob presses Approve; a worker begins, and the card's thread is its log:")
    press_approve(page_url, "bob", ts)


def consumers_stop(page_url: str, tell: Callable[[str], None], faults: Path) -> None:
    """The other half of the product: nobody asked for anything, and people hear what matters."""
    tell(f"Now the consumers of {GROUP} stop: python -m lab fault consumer-stops {GROUP}")
    began, before = time.monotonic(), newest(page_url, "ann")
    write_faults(faults, read_faults(faults).with_group(GROUP, Mode.STOPS))
    try:
        told = wait_for_incident(page_url, after=before, says=rf"{GROUP}.*\bstopped")
    finally:
        write_faults(faults, read_faults(faults).with_group(GROUP, Mode.FINE))
    tell(f"After {time.monotonic() - began:.0f} s one message, redrawn in place from here on:")
    tell(f"  {line_with(told, GROUP)}")
    tell(f"The consumers come back: python -m lab fault consumer-fine {GROUP}")
    over = wait_for_incident(page_url, after=before, says="· over")
    tell(f"  {line_with(over, 'over after')}")


def wait_for_incident(page_url: str, *, after: str, says: str) -> str:
    """The text of the newest message of the watch, once a line of it says the words (a pattern)."""
    deadline = time.monotonic() + INCIDENT_SECONDS_MAX
    while time.monotonic() < deadline:
        for message in reversed(read(page_url=page_url, channel=CHANNEL)):
            text = str(message["text"])
            if message["is_app"] and message["ts"] > after and re.search(says, text):
                return text
        time.sleep(POLL_SECONDS)
    raise TourStopped(f"no incident saying {says!r} within {INCIDENT_SECONDS_MAX:.0f} s")


def line_with(text: str, words: str) -> str:
    found = next((line for line in text.splitlines() if words in line), text.partition("\n")[0])
    return found.replace("*", "").replace("`", "")


def newest(page_url: str, name: str) -> str:
    found = read(page_url=page_url, channel=CHANNEL, as_name=name)
    return max((str(message["ts"]) for message in found), default="0")


def told_alone(page_url: str, name: str, *, since: str) -> str:
    """The first words that only this person was told after a moment."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while time.monotonic() < deadline:
        for message in read(page_url=page_url, channel=CHANNEL, as_name=name):
            if message["ephemeral"] and message["ts"] > since:
                return str(message["text"])
        time.sleep(POLL_SECONDS)
    raise TourStopped(f"nobody answered {name} within {ANSWER_SECONDS_MAX:.0f} s")


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


def wait_for_card(
    page_url: str, *, after: str, words: str, button: str = "", state: str = ""
) -> dict[str, Any]:
    """The newest card after a message that says the words (and has the button, and the state)."""
    deadline = time.monotonic() + CARD_SECONDS_MAX
    while time.monotonic() < deadline:
        for message in reversed(read(page_url=page_url, channel=CHANNEL)):
            fits = message["is_app"] and message["ts"] > after and words in message["text"]
            fits = fits and state in message["text"]
            if fits and (not button or approve_button(message)):
                return dict(message)
        time.sleep(POLL_SECONDS)
    raise TourStopped(f"no card saying {words!r} within {CARD_SECONDS_MAX:.0f} s")


def approve_button(message: Mapping[str, Any]) -> str:
    """The words of the Approve button of a card; empty when it has none."""
    texts = [str(b.get("text", "")) for b in message.get("buttons", ())]
    return next((text for text in texts if "approve" in text.lower()), "")


def press_approve(page_url: str, as_name: str, ts: str) -> None:
    message = next(m for m in read(page_url=page_url, channel=CHANNEL) if m["ts"] == ts)
    press(page_url=page_url, as_name=as_name, message_ts=ts, button=approve_button(message))


def wait_for_end(page_url: str, ts: str, tell: Callable[[str], None]) -> None:
    """Say each new line of the thread, and now and then the card's bar, until it has ended."""
    told, bar, bar_at = 0, "", time.monotonic()
    deadline = time.monotonic() + JOB_SECONDS_MAX
    while time.monotonic() < deadline:
        card, *lines = read(page_url=page_url, channel=CHANNEL, thread_ts=ts)
        for line in lines[told:]:
            tell(f"  {in_one_line(line)}")
        told = len(lines)
        if any(line["text"].startswith(ENDS) for line in lines):
            return
        now = bar_of(str(card["text"]))
        if now not in ("", bar) and time.monotonic() - bar_at >= BAR_SECONDS:
            tell(f"  {now}")
            bar, bar_at = now, time.monotonic()
        time.sleep(POLL_SECONDS)
    raise TourStopped(f"the request did not end within {JOB_SECONDS_MAX / 60:.0f} minutes")


def in_one_line(message: Mapping[str, Any]) -> str:
    if message["files"]:
        return "(a CloudWatch picture of that moment, in the thread)"
    return str(message["text"]).partition("\n")[0]


def bar_of(card: str) -> str:
    """The bar and the step of a running card; empty when it has none."""
    bar, step = BAR.search(card), STEP.search(card)
    if bar is None or step is None:
        return ""
    return f"{bar[0].replace('*', '')}  {step[1].strip()}"
