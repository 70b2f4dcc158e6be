"""Bad input on every way in: a sentence, nothing saved, nothing queued; and words that stay words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.cards.line import draw_line
from bot.cards.text import harmless
from changes.lifecycle import State
from tests.bot.conftest import Desk, until
from tests.bot.counter import Counter, counter
from tests.bot.test_forged_votes import who

__all__ = ["counter"]

NUL, RLO, ZWJ, ZWSP = "\0", "\u202e", "\u200d", "\u200b"
MISTAKES = {
    "negative": ("scale brokers -6", ("cannot be negative", "scale brokers 6`")),
    "minus of a word processor": ("scale brokers −6", ("cannot be negative",)),
    "decimal": ("scale brokers 6.0", ("must be a whole number", "Write `6`")),
    "fraction": ("scale brokers 6.5", ("must be a whole number", "digits only")),
    "exponent": ("scale brokers 6e0", ("must be a whole number",)),
    "superscript": ("scale brokers 6²", ("must be a whole number",)),
    "Arabic digit": ("scale brokers ٦", ("must be a whole number", "Write `6`")),
    "roman": ("scale brokers Ⅵ", ("must be a whole number",)),
    "zero": ("scale brokers 0", ("`brokers` must be",)),
    "too many": ("scale brokers 99999999999999999999", ("`brokers` must be",)),
    "ten thousand digits": ("scale brokers " + "9" * 10_000, ("at most 500 are read",)),
    "shell": ("scale brokers 6; rm -rf /", ("nothing is run through a shell",)),
    "shell without a blank": ("scale brokers 6;rm", ("nothing is run through a shell",)),
    "substitution": ("scale brokers $(reboot)", ("nothing is run through a shell",)),
    "backticks": ("scale brokers `reboot`", ("nothing is run through a shell",)),
    "pipe": ("scale brokers 6 | tee", ("nothing is run through a shell",)),
    "flag": ("scale brokers 6 --force", ("`--force` is too much",)),
    "long": ("scale brokers 6 because " + "x" * 10_000, ("10024 characters", "Shorten the reason")),
    "NUL": (f"scale brokers 6{NUL}", ("NULL (U+0000)", "cannot be seen")),
    "right to left": (f"scale brokers {RLO}6", ("RIGHT-TO-LEFT OVERRIDE (U+202E)",)),
    "zero width": (f"scale brokers 6{ZWSP}", ("ZERO WIDTH SPACE (U+200B)",)),
    "joiner in a word": (f"sca{ZWJ}le brokers 6", ("ZERO WIDTH JOINER (U+200D)",)),
    "joiner in a reason": (f"scale brokers 6 because a{ZWJ}b", ("ZERO WIDTH JOINER",)),
    "newline": ("scale brokers 6\nscale brokers 9", ("`scale` is too much",)),
    "mention": ("scale brokers <@U0LAB0BOB1|bob>", ("A mention cannot stand here",)),
    "broadcast": ("scale brokers <!channel>", ("A mention cannot stand here",)),
    "channel": ("scale brokers 6 on <#C0LABKAFKA|kafka>", ("A channel cannot stand here",)),
    "link": ("scale brokers 6 on <http://orders-prod|orders-prod>", ("A link cannot stand here",)),
    "unknown cluster": (
        "scale brokers 6 on orders-prd",
        ("no cluster `orders-prd`", "Did you mean `orders-prod`"),
    ),
    "glob": ("scale brokers 6 on orders-*", ("`*` has no meaning here",)),
    "case": ("scale brokers 6 on Orders-Prod", ("names are exact", "`orders-prod`")),
    "ARN": (
        "scale brokers 6 on arn:aws:kafka:us-east-1:999999999999:cluster/orders-prod/x-1",
        ("Clusters go by name, not by ARN",),
    ),
    "two clusters": ("scale brokers 6 on orders-prod on orders-prod", ("`on` stands here twice",)),
    "no reason": ("scale brokers 6 because", ("`because` needs a reason",)),
    "nothing": ("scale brokers", ("`brokers` is missing",)),
    "request by name": ("approve first", ("Requests are named like `R-17`",)),
    "request zero": ("approve R-0", ("Requests are named like `R-17`",)),
    "two requests": ("approve R-1 R-2", ("`R-2` is too much",)),
    "rejection without a reason": ("reject R-1", ("`reason` is missing",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_one_answer_and_leaves_nothing_behind(
    counter: Counter, mistake: str
) -> None:
    text, words = MISTAKES[mistake]
    body = await counter.command(_as_slack_sends(text), who(counter, "ann"))
    await counter.bot.doors.tasks.drain(seconds=5)
    answer = json.loads(body)["text"].replace("ˋ", "`")  # its twin, since it stands in a code block
    assert "I did not understand that." in answer
    for word in words:
        assert word in answer, answer
    assert len(answer) < 1500
    assert not set(answer) & {NUL, RLO, ZWJ, ZWSP}
    assert counter.ledger._redis.dbsize() == 0, "nothing saved, nothing queued"
    assert counter.running.workspace.ephemerals == {}, "answered once"


def _as_slack_sends(text: str) -> str:
    """`&` and angle brackets that a person typed arrive escaped; tokens do not."""
    return text.replace("&", "&amp;")


@pytest.mark.parametrize("typed", ["６", "6", "\u00a06\u3000", "6 ", "\t6\n"])
async def test_what_honest_keyboards_send_is_six(counter: Counter, typed: str) -> None:
    await counter.command(f"scale brokers {typed}", who(counter, "ann"))
    await counter.bot.doors.tasks.drain(seconds=5)
    (asked,) = counter.ledger.requests()
    assert asked.change.describe().endswith("6 brokers") or "6" in asked.change.describe()
    assert asked.change.model_dump()["brokers"] == 6


HOSTILE = (
    "<!channel> <!here|here> <!everyone> <@U0LABCAROL> <@U0LABCAROL|carol> "
    "<!subteam^S0EVILTEAM|@everybody> "
    "<https://evil.example/login|the runbook> <https://evil.example> <mailto:a@evil.example|mail> "
    "@channel @here :rotating_light: *bold* _it_ ~no~ `code` ```block``` &lt;!channel&gt; "
    "&amp;lt;!here&amp;gt; https://evil.example/bare"
)
LIVE = (
    *("<!channel", "<!here", "<!everyone", "<@U0LABCAROL", "<!subteam^S0EVIL", "<https://evil"),
    *("<mailto:", "https://evil.example", "@channel", "@here", ":rotating_light:", "*bold*"),
)
"""What must never reach Slack from somebody's words, in text that Slack would read as markup."""


def markup_in(value: Any) -> list[str]:
    """Every string that Slack reads as markup: fallback texts, mrkdwn objects; not `plain_text`
    and not the `text` elements of rich text, which Slack shows letter for letter."""
    if isinstance(value, list):
        return [text for one in value for text in markup_in(one)]
    if not isinstance(value, dict):
        return []
    if value.get("type") in ("plain_text", "text"):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    return own + [text for one in value.values() for text in markup_in(one)]


def live_in(messages: list[Any], *, but: str = "") -> list[str]:
    found = [text for one in messages for text in markup_in(one)]
    return [
        f"{word} in {text!r}" for text in found for word in LIVE if word in text and but != word
    ]


async def test_a_hostile_reason_is_inert_on_card_thread_and_in_every_answer(desk: Desk) -> None:
    await desk.command(f"scale brokers 6 because {HOSTILE}", user="ann")
    await until(lambda: desk.ledger.load("R-1"), what="asked")
    desk.prepared(desk.request())
    await desk.card_with("approve R-1")
    await desk.command("status", user="bob")
    await desk.command("show R-1", user="bob")
    await desk.until_told("bob", "*Thread*")
    card = desk.cards()[0]
    await desk.act(
        "message", user="bob", text="reject <!channel> see https://evil.example/x @here",
        thread_ts=card["ts"],
    )  # fmt: skip
    await until(lambda: desk.request().state is State.REJECTED, what="rejected")
    await desk.card_with("*rejected*")
    await until(lambda: len(desk.thread()) >= 3, what="the rejection is in the thread")
    ours = [m for m in desk.messages() if m.get("bot_id")]
    whispers = [e["message"] for e in desk.running.workspace.ephemerals.values()]
    assert len(ours) >= 2
    assert whispers
    assert live_in(ours + whispers) == []
    shown = card["text"] + str(desk.cards()[0]["blocks"])
    assert "the runbook" in shown, "the words themselves are kept"


@pytest.mark.parametrize("surface", ["button", "thread", "command"])
async def test_a_hostile_rejection_is_stored_harmless(counter: Counter, surface: str) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    bob = who(counter, "bob")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.bot.counter.REASON_GIVEN", HOSTILE)
        got = await counter.act(surface, "reject", bob, request)
    assert got.request is not None
    (vote,) = got.request.votes
    for word in ("<!channel", "<@U0LABCAROL", "<https://evil"):
        assert word not in vote.reason
        assert all(word not in line.text for line in got.request.log)
        assert all(word not in line.words for line in got.audit)


@pytest.mark.parametrize(
    "reason", [NUL, RLO * 5, ZWJ + ZWSP, " \n\t ", "\u2800\u3164", "\ufeff"], ids=ascii
)
async def test_a_reason_of_nothing_visible_is_no_reason(counter: Counter, reason: str) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    bob = who(counter, "bob")
    got = await counter.act("thread", "reject", bob, request, text=f"reject {reason}x"[:-1])
    assert got.request == request
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.bot.counter.REASON_GIVEN", reason)
        pressed = await counter.act("button", "reject", bob, request)
    assert pressed.request == request
    assert got.others == pressed.others == 0


@pytest.mark.parametrize("reason", ['""', "&lt;&gt;", "\u3164\u3164"], ids=ascii)
async def test_a_command_needs_a_reason_that_can_be_seen_too(counter: Counter, reason: str) -> None:
    request = counter.stored(State.AWAITING_APPROVAL)
    await counter.command(f"reject {request.id} {reason}", who(counter, "bob"))
    await counter.bot.doors.tasks.drain(seconds=5)
    assert counter.ledger.load(request.id) == request


@pytest.mark.parametrize("hidden", ["\u3164", "\u2800", "\u115f", "\u200b"], ids=ascii)
@pytest.mark.parametrize("opening", ["<<>", "‹", "<"])
def test_letters_nobody_sees_do_not_hide_a_mention(hidden: str, opening: str) -> None:
    for token in ("!subteam^S0LABKAPPR", "@U0LABCAROL", "!channel"):
        stored = harmless(f"{opening}{hidden}{token}> wake up")
        (section,) = draw_line(stored).blocks[0]["elements"]
        kinds = {element["type"] for element in section["elements"]}
        assert kinds == {"text"}, (stored, section)


async def test_a_reason_of_ten_thousand_letters_is_cut_and_the_card_still_fits(desk: Desk) -> None:
    card = await desk.waiting()
    await desk.act("message", user="bob", text="reject " + "ünï©ode " * 1200, thread_ts=card["ts"])
    await until(lambda: desk.request().state is State.REJECTED, what="rejected")
    drawn = await desk.card_with("*rejected*")
    assert len(desk.request().votes[0].reason) <= 1000
    assert len(json.dumps(drawn["blocks"])) < 13_000
