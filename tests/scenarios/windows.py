"""One person's browser window on the lab's Slack page, driven by what the page itself calls things.

The surprising truth: a button is pending for a few milliseconds only, so that state is not waited
for but recorded by an observer inside the page, from before the press.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

WIDE = (1280, 1000)
PHONE = (400, 860)
PIXELS_PER_POINT = 2
"""As on the screens most readers of the docs have."""
COLOURS = (0, 256, 96, 48)
"""Tried in turn until a picture is small enough; 0 is all of them."""
MARGIN = 24
PICTURE_BYTES_MAX = 200_000
SOON_MILLISECONDS = 30_000
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

REMEMBER_STATES = """() => {
  window.statesSeen = [];
  new MutationObserver((changes) => changes.forEach(({ target }) =>
    window.statesSeen.push(`${target.dataset.actionId} ${target.dataset.state}`))
  ).observe(document.body, { subtree: true, attributeFilter: ["data-state"] });
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser without a screen; the test is skipped where there is none."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on PATH; on Debian: apt-get install chromium")
    # Chromium refuses its sandbox to root, who is who runs in most containers.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-qa")
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """A window in which one person looks at #kafka."""

    name: str
    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, url: str, name: str, size: tuple[int, int] = WIDE) -> Window:
        page = browser.new_page(
            viewport={"width": size[0], "height": size[1]}, device_scale_factor=PIXELS_PER_POINT
        )
        window = cls(name=name, page=page)
        page.on("pageerror", lambda error: window.complaints.append(str(error)))
        page.on("requestfailed", lambda request: window.complaints.append(request.url))
        page.goto(f"{url}?as={name}")
        page.locator("body[data-ui-ready]").wait_for()
        page.evaluate(REMEMBER_STATES)
        return window

    def type(self, words: str) -> None:
        """In the composer, key by key as far as the menu is concerned, then Enter."""
        composer = self.page.get_by_test_id("composer")
        composer.fill(words)
        composer.press("Enter")

    def card(self, title: str) -> Locator:
        """The newest message of the channel under this heading."""
        heading = self.page.get_by_role("heading", name=title)
        return self.page.locator("#messages").get_by_test_id("message").filter(has=heading).last

    def button(self, card: Locator, action_id: str) -> Locator:
        return card.locator(f'[data-qa="element"][data-action-id="{action_id}"]')

    def press(self, card: Locator, action_id: str) -> Locator:
        """Press a button that asks back; the dialog it opened."""
        self.button(card, action_id).click()
        dialog = self.page.get_by_test_id("confirm-dialog")
        expect(dialog).to_be_visible()
        return dialog

    def told_alone(self) -> Locator:
        """What only this person sees, in the channel and in an open thread."""
        return self.page.locator('[data-qa="message"][data-ephemeral="true"]')

    def states_seen(self, action_id: str) -> list[str]:
        seen: list[str] = self.page.evaluate("window.statesSeen")
        return [one.split(" ")[1] for one in seen if one.split(" ")[0] == action_id]

    def open_thread(self, card: Locator) -> Locator:
        card.get_by_test_id("thread-reply-count").click()
        pane = self.page.get_by_test_id("thread-pane")
        expect(pane).to_be_visible()
        return pane

    def width(self) -> int:
        """How wide the page is, of which the window may show a part only."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth")
        return found

    def show_end(self, frame: Locator) -> None:
        frame.evaluate("(list) => { list.scrollTop = list.scrollHeight; }")


@dataclass(frozen=True)
class Album:
    """The folder of the pictures; small enough for a repository."""

    folder: Path

    def keep(self, page: Page, name: str, *, only: Locator | None = None) -> None:
        """The window, or the place in it where something stands.

        A card is drawn anew while it is looked at, so its own node may be gone before a picture of
        it is taken; its place is not.
        """
        # A pointer that rests on a message lights it up, which says nothing in a picture.
        page.mouse.move(0, 0)
        clip = place_of(only) if only else None
        shot = Image.open(io.BytesIO(page.screenshot(animations="disabled", clip=clip)))
        file = self.folder / f"{name}.png"
        whole = shot.convert("RGB")
        for most in COLOURS:
            (few_colours(whole, most) if most else whole).save(file, optimize=True)
            if file.stat().st_size <= PICTURE_BYTES_MAX:
                break
        assert file.stat().st_size <= PICTURE_BYTES_MAX, f"{file} is too big for the docs"


def few_colours(shot: Image.Image, most: int) -> Image.Image:
    """A palette costs a quarter of the bytes. Pillow's own mixes new colours and loses small signs;
    this one is the colours that most pixels have, as they are."""
    counted = sorted(shot.getcolors(shot.width * shot.height) or [], reverse=True)
    palette: dict[tuple[int, ...], bytes] = {}
    for _, colour in counted:
        # Pillow tells apart six bits of a colour: of two within them it would take either.
        if isinstance(colour, tuple):
            palette.setdefault(tuple(part >> 2 for part in colour), bytes(colour))
    chart = Image.new("P", (1, 1))
    chart.putpalette(b"".join(list(palette.values())[:most]))
    return shot.quantize(palette=chart, dither=Image.Dither.NONE)


def place_of(what: Locator) -> FloatRect | None:
    """Without the empty room to the right of a card's frame."""
    what.evaluate("(node) => node.scrollIntoView({ block: 'nearest' })")
    place = what.bounding_box()
    frame = what.locator(".text.card")
    inner = frame.bounding_box() if frame.count() == 1 else None
    if place and inner:
        place["width"] = inner["x"] + inner["width"] - place["x"] + MARGIN
    return place
