"""The bot killed before and after every Slack write, Slack answering wrongly: each decision shown once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from ledger import Ledger, connect, keys
from tests.faults.bot_life import OUTLIVED, Story, bot, record
from tests.faults.far_slack import Slack, far_slack
from tests.faults.judging import Judged, row
from tests.faults.life import THE_REQUEST, Shop
from tests.faults.moments import Moments, Passed, When, every_case
from tests.faults.playing import KILLED, in_a_process, new_day

pytestmark = pytest.mark.fault
PASSED = "test:passed"
SHARING = "files.completeUploadExternal"
Shown = tuple[list[str], list[str], int]


@pytest.fixture(scope="module")
def slack() -> Iterator[Slack]:
    with far_slack() as found:
        yield found


class Stage:
    def __init__(self, shop: Shop, slack: Slack) -> None:
        self.shop = shop
        self.slack = slack
        self.story: Story = record(shop)
        self.passed: list[Passed] = []
        self.faultless: Shown = self._faultless()

    def _faultless(self) -> Shown:
        self.anew()

        def noting() -> None:
            moments = Moments()
            bot(self.shop, self.slack, self.story, moments)
            with Redis.from_url(self.shop.redis_url) as redis:
                redis.set(PASSED, json.dumps(moments.passed))

        assert in_a_process(noting) == 0
        with Redis.from_url(self.shop.redis_url) as redis:
            noted = redis.get(PASSED)
        assert isinstance(noted, bytes)
        self.passed = [Passed(*one) for one in json.loads(noted)]
        return self.slack.shown()

    def anew(self) -> None:
        new_day(self.shop)
        self.slack.reset()

    def judge(self) -> Judged:
        cards, lines, files = self.slack.shown()
        _, expected, files_expected = self.faultless
        missing, extra = Counter(expected) - Counter(lines), Counter(lines) - Counter(expected)
        lost = [f"line {text!r}" for text in missing] + ["a picture"] * (files < files_expected)
        doubled = [f"line {text!r}" for text in extra] + ["a picture"] * (files > files_expected)
        lost += ["the card"] * (not cards) + ["the order"] * (lines != expected and not missing)
        doubled += ["the card"] * (len(cards) > 1)
        done = bool(cards) and "*done*" in cards[-1]
        ledger = connect(self.shop.redis_url)
        left = left_to_show(ledger)
        ledger.close()
        return Judged(done, tuple(lost), tuple(doubled), left)


def left_to_show(ledger: Ledger) -> tuple[str, ...]:
    card = ledger.card(THE_REQUEST)
    left = [f"{one} in {keys.BEHIND}" for one in ledger.cards_behind()]
    return (*left, *(["a claim"] if card and card.claim else []))


@pytest.fixture
def stage(shop: Shop, slack: Slack) -> Stage:
    found = Stage(shop, slack)
    cards, lines, files = found.faultless
    assert (len(cards), files) == (1, 3), found.faultless
    assert len(lines) == len(found.story.versions[-1].log)
    return found


def test_every_write(stage: Stage) -> None:
    shop, slack, story = stage.shop, stage.slack, stage.story
    with row("bot killed around every Slack write and card save") as told:
        for at, when in every_case(stage.passed):
            stage.anew()
            moments = Moments(at=at, when=when)
            assert in_a_process(lambda: bot(shop, slack, story, moments)) == KILLED  # noqa: B023  # called at once
            # A dead bot's claim of 60 s outlasts Slack's sharing by far; here no time passes, so:
            slack.until_shared(shared_by(stage.passed, at, when))
            assert in_a_process(lambda: bot(shop, slack, story, later=OUTLIVED)) == 0
            told.note(f"{when} {stage.passed[at].name} (effect {at})", stage.judge())


def shared_by(passed: list[Passed], at: int, when: When) -> int:
    """How many pictures Slack had said yes to when the bot was killed."""
    until = at + 1 if when == "after" else at
    return sum(1 for one in passed[:until] if one.name == SHARING)


def test_away_for_the_whole_job(stage: Stage) -> None:
    with row("bot away for the whole job") as told:
        stage.anew()
        assert in_a_process(lambda: bot(stage.shop, stage.slack, stage.story, away=True)) == 0
        told.note("away", stage.judge())


METHODS = {
    "chat.postMessage": "chat.postMessage",
    "chat.update": "chat.update",
    "files.getUploadURLExternal": "files.getUploadURLExternal",
    "the picture's bytes": "upload",
    SHARING: SHARING,
}
"""What the bot writes to Slack with, and what the lab calls it."""
FAULTS: dict[str, dict[str, Any]] = {
    "Slack answers 500 without having acted": {"action": "http", "status": 500},
    "Slack acts and its answer is lost": {"action": "reset_after_commit"},
    "Slack cuts the line before acting": {"action": "reset_before_commit"},
    "Slack answers 429 with Retry-After": {"action": "ratelimit", "retry_after": 1},
}

EVERY = {("Slack answers 429 with Retry-After", "chat.postMessage"): 3}
"""Each of these waits a whole second; every third post stands for its neighbours."""


@pytest.mark.parametrize("name", FAULTS)
def test_slack_failing_at_each_write(name: str, stage: Stage) -> None:
    writes = Counter(METHODS[one.name] for one in stage.passed if one.name in METHODS)
    assert set(writes) == set(METHODS.values())
    with row(name) as told:
        for method, count in writes.items():
            for after in range(0, count, EVERY.get((name, method), 1)):
                stage.anew()
                stage.slack.fault(**FAULTS[name], match={"method": method}, times=1, after=after)
                assert in_a_process(lambda: bot(stage.shop, stage.slack, stage.story)) == 0
                told.note(f"{method} number {after}", stage.judge())


def test_slack_taking_no_picture_at_all(stage: Stage) -> None:
    """The words stand; after some tries a picture is given up, and nothing waits for it any longer."""
    with row("Slack refuses every picture's bytes") as told:
        for action in ({"action": "http", "status": 500}, {"action": "error", "code": "no"}):
            stage.anew()
            stage.slack.fault(**action, match={"method": "upload"}, times=1000)
            assert in_a_process(lambda: bot(stage.shop, stage.slack, stage.story)) == 0
            found = stage.judge()
            assert stage.slack.shown()[2] == 0
            told.note(str(action), replace(found, lost=without_pictures(found.lost)))


def without_pictures(lost: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(words for words in lost if words != "a picture")
