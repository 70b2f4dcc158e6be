"""The main job in two browser windows: asked by one person, approved by another, seen to its end.

Its screenshots are the docs' pictures: `make pictures` keeps them in docs/pictures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.scenarios.labs import Lab
from tests.scenarios.windows import PHONE, SOON_MILLISECONDS, Album, Window, chromium

pytestmark = [pytest.mark.lab, pytest.mark.browser]

APPROVE = "request:approve"
ASKED = "Scale orders-lab to 6 brokers"
JOB_MILLISECONDS = 240_000
PICTURES = 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def album(tmp_path: Path) -> Album:
    folder = Path(os.environ.get("OTTLA_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return Album(folder=folder)


@pytest.fixture(autouse=True, scope="module")
def patience() -> None:
    expect.set_options(timeout=SOON_MILLISECONDS)


def test_two_people_make_three_brokers_six(browser: Browser, lab: Lab, album: Album) -> None:
    ann, bob = (Window.open(browser, lab.page, name) for name in ("ann", "bob"))
    five_is_refused(ann, album)
    card = six_is_planned(ann, bob, album)
    carol = Window.open(browser, lab.page, "carol", PHONE)
    it_fits_a_phone(carol, album)
    her_own_approval_is_refused_to_her_alone(ann, bob, album)
    bob_approves(bob, card, album)
    it_runs_with_a_bar(card, album)
    the_thread_tells_it(bob, card, album)
    it_ends_with_planned_beside_actual(card, album)
    assert carol.width() <= PHONE[0]
    assert ann.complaints == bob.complaints == carol.complaints == []


def five_is_refused(ann: Window, album: Album) -> None:
    ann.type("/kafka scale brokers 5")
    card = ann.card("Scale orders-lab to 5 brokers")
    expect(card).to_contain_text("denied")
    expect(card).to_contain_text("6 can")
    expect(ann.button(card, APPROVE)).to_have_count(0)
    album.keep(ann.page, "denied", only=card)


def six_is_planned(ann: Window, bob: Window, album: Album) -> Locator:
    ann.type("/kafka scale brokers 6 because orders lag behind at noon")
    card = bob.card(ASKED)
    for window in (ann, bob):
        expect(window.button(window.card(ASKED), APPROVE)).to_be_visible()
        expect(window.card(ASKED)).to_contain_text("orders lag behind at noon")
    # Which of the two is true depends on how much load has written by then.
    bound = re.compile("no plan can move less than|no plan for this balance moves less")
    expect(card).to_contain_text(bound)
    album.keep(bob.page, "card-waiting", only=card)
    return card


def her_own_approval_is_refused_to_her_alone(ann: Window, bob: Window, album: Album) -> None:
    before = bob.told_alone().count()
    card = ann.card(ASKED)
    ann.press(card, APPROVE).get_by_test_id("confirm-ok").click()
    refusal = ann.told_alone().filter(has_text="a second engineer has to approve it")
    expect(refusal).to_be_visible()
    expect(ann.button(card, APPROVE)).to_be_visible()
    assert bob.told_alone().count() == before
    album.keep(ann.page, "refused")


def bob_approves(bob: Window, card: Locator, album: Album) -> None:
    dialog = bob.press(card, APPROVE)
    expect(dialog).to_contain_text("Approve R-")
    album.keep(bob.page, "confirm", only=card)
    dialog.get_by_test_id("confirm-ok").click()
    expect(bob.button(card, APPROVE)).to_have_count(0)
    assert "pending" in bob.states_seen(APPROVE)
    expect(card).to_contain_text("approved by @bob")


def it_runs_with_a_bar(card: Locator, album: Album) -> None:
    expect(card).to_contain_text("running")
    expect(card).to_contain_text(re.compile(r"Step 3 of \d"), timeout=JOB_MILLISECONDS)
    expect(card).to_contain_text(re.compile(r"▓.* [2-9]\d %"), timeout=JOB_MILLISECONDS)
    album.keep(card.page, "progress", only=card)


def the_thread_tells_it(bob: Window, card: Locator, album: Album) -> None:
    pane = bob.open_thread(card)
    lines = pane.get_by_test_id("message")
    for words in ("Approved by @bob", "Before:", "Midway:", "After:", "Done in"):
        # A pattern minds upper case, plain text would not; the card says "approved by" as well.
        found = lines.filter(has_text=re.compile(words))
        expect(found).to_have_count(1, timeout=JOB_MILLISECONDS)
    pictures = pane.get_by_test_id("file").locator("img")
    expect(pictures).to_have_count(PICTURES)
    for place in range(PICTURES):
        assert pictures.nth(place).evaluate("(image) => image.naturalWidth") > 0
    bob.show_end(pane.get_by_role("log"))
    album.keep(bob.page, "thread", only=pane)
    album.keep(bob.page, "page")


def it_ends_with_planned_beside_actual(card: Locator, album: Album) -> None:
    for words in ("done", "Planned", "Actual"):
        expect(card).to_contain_text(words)
    expect(card.get_by_test_id("element")).to_have_count(0)
    album.keep(card.page, "done", only=card)


def it_fits_a_phone(carol: Window, album: Album) -> None:
    """A column of words to read and buttons to press, nothing cut off at the right."""
    card = carol.card(ASKED)
    expect(carol.button(card, APPROVE)).to_be_visible()
    assert carol.width() <= PHONE[0]
    for part in card.get_by_test_id("block").all():
        place = part.bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= PHONE[0]
    album.keep(carol.page, "phone")
