"""Incidents and answers as people see them: in the lab's page, on a screen and on a phone.

The pictures are the docs' own: `make pictures` keeps them in docs/pictures.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, expect

from bot.app import Bot, build
from changes.incident import Family, Incident, Severity, Trend, TrendLine
from lab.slack import Running, serve
from ledger import Ledger, keys
from policies import Policies
from tests.bot.conftest import KAFKA, settings_for
from tests.bot.incident_samples import CLUSTER, alert, incident, opened, over
from tests.bot.view_samples import view
from tests.scenarios.windows import PHONE, SOON_MILLISECONDS, Album, Window, chromium

pytestmark = [pytest.mark.browser]

Result = TypeVar("Result")
SCALE = "scale brokers 6"


class Backstage:
    """Workspace and bot on a loop of their own, since the browser is driven from this thread."""

    def __init__(self, ledger: Ledger, redis_url: str, policies: Policies) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ledger = ledger
        self.running: Running = self.run(serve(rate_mode="off"))
        self._bot: Bot = self.run(self._hire(redis_url, policies))
        self._announcing = asyncio.run_coroutine_threadsafe(self._bot.announcer.run(), self._loop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _hire(self, redis_url: str, policies: Policies) -> Bot:
        settings = settings_for(self.running, redis_url)
        bot = await build(settings=settings, policies=policies, ledger=self._ledger)
        connect: Any = bot.socket.client.connect
        await connect()
        return bot

    def close(self) -> None:
        self.run(self._stopped())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _stopped(self) -> None:
        close: Any = self._bot.socket.client.close
        await close()
        await self._bot.doors.tasks.drain(seconds=2)
        stopping = asyncio.create_task(self._bot.announcer.stop())
        await asyncio.sleep(0)
        self._ledger._redis.xadd(keys.NEWS, {"id": "R-0"})  # wakes whoever blocks on the news
        await stopping
        await asyncio.wrap_future(self._announcing)
        await self.running.close()


@pytest.fixture
def backstage(ledger: Ledger, redis_url: str, policies: Policies) -> Iterator[Backstage]:
    found = Backstage(ledger, redis_url, policies)
    yield found
    found.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=SOON_MILLISECONDS)
    with chromium() as found:
        yield found


@pytest.fixture
def album(tmp_path: Path) -> Album:
    folder = Path(os.environ.get("OTTLA_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return Album(folder=folder)


@pytest.fixture
def scratch(tmp_path: Path) -> Album:
    """For what is only to be looked at when a test fails."""
    return Album(folder=tmp_path)


def lag_of_payments(now: datetime) -> Trend:
    """Flat, then the consumer stops."""

    def points(rate: float, base: float) -> tuple[tuple[datetime, float], ...]:
        return tuple(
            (now - timedelta(seconds=30 * (19 - at)), base + max(0, at - 7) * 30 * rate)
            for at in range(20)
        )

    lines = (
        TrendLine(name="payments", points=points(160, 90)),
        TrendLine(name="orders-3", points=points(90, 40)),
        TrendLine(name="orders-1", points=points(70, 50)),
    )
    return Trend(title="Lag of payments", unit="messages", lines=lines)


def stopped(now: datetime) -> Incident:
    began = now - timedelta(minutes=6)
    first = alert(
        began_at=began,
        severity=Severity.CRIT,
        peak=Severity.CRIT,
        words="payments stopped: 57,600 behind, oldest unread 6 min; last commit 18:04 by 10.0.3.17",
        trend=lag_of_payments(now),
        why_not="Nobody reads it: more brokers will not help. Start the consumer again.",
    )
    second = alert(
        "group billing",
        began_at=began + timedelta(minutes=4),
        words="billing falls behind: 9,100 behind, oldest unread over 5 min",
    )
    held = alert("group search", began_at=began, held_by="R-17", words="search falls behind")
    return incident(first, second, held, opened_at=began)


def full(now: datetime) -> Incident:
    began = now - timedelta(minutes=3)
    trend = Trend(
        title="Disk of broker 2",
        unit="%",
        lines=(
            TrendLine(
                name="used",
                points=tuple((now - timedelta(hours=19 - at), 45.4 + 1.4 * at) for at in range(20)),
            ),
            TrendLine(
                name="limit",
                points=((now - timedelta(hours=19), 90.0), (now, 90.0)),
            ),
        ),
    )
    return incident(
        alert(
            "broker 2",
            family=Family.CAPACITY,
            began_at=began,
            words="broker 2 reaches 90 % disk in 13 h: 72.0 % now, +1.4 % an hour",
            proposal=SCALE,
            trend=trend,
        ),
        family=Family.CAPACITY,
        opened_at=began,
    )


def test_an_incident_on_a_screen_and_on_a_phone(
    backstage: Backstage, ledger: Ledger, browser: Browser, album: Album, scratch: Album
) -> None:
    now = datetime.now(UTC)
    dan = Window.open(browser, backstage.running.page_url, "dan", (1280, 1100))
    opened(ledger, stopped(now))
    head = dan.card("Consumers · orders-prod")
    expect(head).to_contain_text("payments stopped: 57,600 behind")
    expect(head.locator("svg.chart-drawing")).to_have_count(1)
    album.keep(dan.page, "incident", only=head)
    phone = Window.open(browser, backstage.running.page_url, "carol", PHONE)
    expect(phone.card("Consumers · orders-prod")).to_be_visible()
    scratch.keep(phone.page, "incident-phone")
    assert phone.width() <= PHONE[0]

    dan.button(head, "incident:acknowledge").click()
    expect(head).to_contain_text("acknowledged by @dan")
    expect(dan.button(head, "incident:acknowledge")).to_have_count(0)

    ledger._redis.delete(keys.budget(f"slack:{KAFKA}"))  # a minute later
    (found,) = ledger.open_incidents()
    ended = over(found, minutes=12).said(now=now, text="Over after 12 min", aloud=False)
    opened(ledger, ended)
    past = dan.card("Consumers · orders-prod · over")
    expect(past).to_contain_text("over after 12 min")
    scratch.keep(dan.page, "incident-over", only=past)
    assert dan.complaints == phone.complaints == []


def test_the_remedy_is_one_button_and_one_question_away(
    backstage: Backstage, ledger: Ledger, browser: Browser, album: Album
) -> None:
    dan = Window.open(browser, backstage.running.page_url, "dan", (1280, 1100))
    opened(ledger, full(datetime.now(UTC)))
    head = dan.card("Capacity · orders-prod")
    expect(head).to_contain_text("reaches 90 % disk in 13 h")
    album.keep(dan.page, "incident-propose", only=head)
    dialog = dan.press(head, "incident:propose:0")
    expect(dialog).to_contain_text("scale brokers 6 on orders-prod")
    dialog.get_by_test_id("confirm-ok").click()
    expect(dan.told_alone().last).to_contain_text("R-1: Scale orders-prod to 6 brokers")
    expect(head).to_contain_text("Proposed from here: R-1 (preparing)")
    assert dan.complaints == []


def test_answers_are_tables_and_charts(
    backstage: Backstage, ledger: Ledger, browser: Browser, album: Album, scratch: Album
) -> None:
    ledger.keep_view(view(at=datetime.now(UTC) - timedelta(seconds=12)))
    dan = Window.open(browser, backstage.running.page_url, "dan", (1280, 1300))
    told = dan.told_alone()
    for number, (words, expected) in enumerate(
        {
            "lag": "Lag of 4 consumer groups",
            "lag payments": "182,400 unread",
            "balance": "Balance of 6 brokers",
            "forecast": "Forecast for orders-prod",
        }.items()
    ):
        dan.type(f"/kafka {words}")
        expect(told).to_have_count(number + 1)
        expect(told.last).to_contain_text(expected)
        kept = album if words == "balance" else scratch
        kept.keep(dan.page, f"answer-{words.replace(' ', '-')}", only=told.last)
    opened(ledger, stopped(datetime.now(UTC)))
    dan.type("/kafka incidents")
    expect(told.last).to_contain_text(f"Consumers on {CLUSTER}")
    scratch.keep(dan.page, "answer-incidents", only=told.last)
    assert dan.complaints == []
