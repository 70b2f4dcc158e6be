"""The page in a real browser: one way through command, button, confirm, modal and thread, as two people."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.lab.slack.conftest import Bench, Serve, connect, hang_up

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium on PATH; install it with `apt-get install chromium` (Debian, Ubuntu)",
    ),
]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
READY = "body[data-ui-ready='1']"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def card() -> list[dict[str, Any]]:
    confirm = {
        "title": plain("Approve?"),
        "text": plain("Three brokers more."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    approve = {
        "type": "button",
        "action_id": "approve",
        "text": plain("Approve"),
        "style": "primary",
        "confirm": confirm,
    }
    return [
        {"type": "header", "text": plain("R-1 · Scale brokers 3 → 6")},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Moves*\n41 GiB"}]},
        {
            "type": "actions",
            "elements": [
                approve,
                {"type": "button", "action_id": "reject", "text": plain("Reject")},
                {"type": "button", "action_id": "deaf", "text": plain("Deaf")},
            ],
        },
    ]


REASON = {
    "type": "modal",
    "callback_id": "reason",
    "title": plain("Reject R-1"),
    "submit": plain("Reject"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def wire(bench: Bench) -> None:
    @bench.app.command("/kafka")
    async def asked(ack: Any, client: Any, command: dict[str, Any]) -> None:
        await ack(f"you said {command['text']}")
        await client.chat_postMessage(channel="C0LABKAFKA", text="R-1", blocks=card())

    @bench.app.action("approve")
    async def approved(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        where = {"channel": "C0LABKAFKA", "ts": body["message"]["ts"]}
        await client.chat_update(**where, text=f"approved by <@{body['user']['id']}>", blocks=[])

    @bench.app.action("reject")
    async def rejected(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=REASON)

    @bench.app.view("reason")
    async def reasoned(ack: Any, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["why"]["text"]["value"]
        if len(text) < 5:
            await ack(response_action="errors", errors={"why": "say a little more"})
        else:
            await ack()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def window(browser: Browser, bench: Bench, person: str) -> tuple[Page, list[str]]:
    page = await (await browser.new_context()).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    await page.goto(f"{bench.running.page_url}?as={person}")
    await page.wait_for_selector(READY)
    return page, problems


async def test_two_windows_are_two_people(serving: Serve, browser: Browser) -> None:
    bench = await serving()
    wire(bench)
    handler = await connect(bench.app, bench.running)
    ann, ann_problems = await window(browser, bench, "U0LAB0ANN1")
    bob, bob_problems = await window(browser, bench, "bob")

    await ann.fill("[data-qa=composer]", "/ka")
    await expect(ann.locator("[data-qa=slash-menu-item][data-command='/kafka']")).to_be_visible()
    await ann.fill("[data-qa=composer]", "/kafka scale brokers 6")
    await ann.press("[data-qa=composer]", "Enter")
    ephemeral = ann.locator("[data-qa=message][data-ephemeral=true]")
    await expect(ephemeral).to_contain_text("you said scale brokers 6")
    await expect(ephemeral).to_contain_text("Only visible to you")
    await expect(bob.locator("[data-qa=block][data-type=header]")).to_have_text(
        "R-1 · Scale brokers 3 → 6"
    )
    await expect(bob.locator("[data-ephemeral=true]")).to_have_count(0)

    await bob.click("[data-action-id=deaf]")
    await expect(bob.locator("[data-action-id=deaf]")).to_have_attribute("data-state", "pending")
    await expect(bob.locator("[data-action-id=deaf]")).to_have_attribute("data-state", "failed")

    await bob.click("[data-action-id=reject]")
    await bob.fill("[data-qa=modal] input", "no")
    await bob.click("[data-qa=modal-submit]")
    await expect(bob.locator("[data-qa=modal-error]")).to_have_text("say a little more")
    await bob.fill("[data-qa=modal] input", "not on a Friday")
    await bob.click("[data-qa=modal-submit]")
    await expect(bob.locator("[data-qa=modal]")).to_have_count(0)

    await bob.click("[data-action-id=approve]")
    await bob.click("[data-qa=confirm-deny]")
    await expect(bob.locator("[data-qa=confirm-dialog]")).to_have_count(0)
    await bob.click("[data-action-id=approve]")
    await bob.click("[data-qa=confirm-ok]")
    approved = ann.locator("[data-qa=message][data-user=U0LABOTTLA][data-ephemeral=false]")
    await expect(approved).to_contain_text("approved by @bob")

    await approved.hover()
    await approved.locator("[data-qa=reply-in-thread]").click()
    await ann.fill("[data-qa=thread-composer]", "thank you <b>&")
    await ann.press("[data-qa=thread-composer]", "Enter")
    await expect(ann.locator("[data-qa=thread-pane] [data-qa=message]").last).to_contain_text(
        "thank you <b>&"
    )
    await expect(bob.locator("[data-qa=thread-reply-count]")).to_contain_text("1 reply")

    await ann.click("[data-qa=dismiss]")
    await expect(ephemeral).to_have_count(0)
    assert ann_problems + bob_problems == []
    await hang_up(handler)


async def test_a_narrow_window_and_a_lost_app_are_told(serving: Serve, browser: Browser) -> None:
    bench = await serving()
    page, problems = await window(browser, bench, "ann")
    await page.set_viewport_size({"width": 400, "height": 800})
    await page.fill("[data-qa=composer]", "/kafka status")
    await page.press("[data-qa=composer]", "Enter")
    await expect(
        page.locator("[data-qa=command-error][data-error=dispatch_failed]")
    ).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 400
    await bench.client.chat_postMessage(channel="C0LABPAYMT", text="<@U0LAB0ANN1> look")
    place = page.locator("[data-qa=channel-item][data-channel=C0LABPAYMT]")
    await expect(place).to_have_attribute("data-unread", "true")
    await expect(place).to_have_attribute("data-mentions", "1")
    assert problems == []
