"""The card in every state: golden, valid for Slack, harmless whatever is in it, never too long."""

from __future__ import annotations

import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.cards.blocks import FALLBACK_LETTERS_MAX, Drawn, letters_of
from bot.cards.line import addressed, draw_line
from bot.cards.modal import reject_dialog
from bot.cards.request import draw
from bot.posting import faces
from changes.lifecycle import State
from changes.plan import CardLine
from changes.request import Request
from changes.verdict import Reason
from lab.slack.validate import validate_blocks, validate_view
from tests.bot.samples import (
    BOB,
    DENIED,
    HOSTILE,
    NOON,
    PLAN,
    SampleStep,
    every_state,
    planned,
    progress,
    request,
    running,
    vote,
)

CASES = every_state()


def assert_valid(drawn: Drawn) -> None:
    for face in faces(drawn):
        if face.blocks:
            assert validate_blocks(list(face.blocks)) == []
        assert 0 < len(face.text) <= FALLBACK_LETTERS_MAX
        assert letters_of(face.blocks) < 13_000


@pytest.mark.parametrize("name", CASES)
def test_a_card_of_each_state(name: str, snapshot: SnapshotAssertion) -> None:
    drawn = draw(CASES[name])
    assert_valid(drawn)
    assert drawn == draw(CASES[name]), "the same request always draws the same card"
    assert {"text": drawn.text.split("\n"), "blocks": drawn.blocks} == snapshot


def test_every_state_has_a_card_here() -> None:
    assert {one.state for one in CASES.values()} == set(State)


@pytest.mark.parametrize("name", CASES)
def test_a_card_has_the_buttons_that_make_sense_in_its_state(name: str) -> None:
    one = CASES[name]
    found = {
        element["action_id"]: element["value"]
        for block in draw(one).blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }
    wanted = {
        State.PREPARING: {"request:cancel"},
        State.QUEUED: {"request:cancel"},
        State.AWAITING_APPROVAL: {"request:approve", "request:reject", "request:cancel"},
        State.RUNNING: {"request:pause", "request:abort"},
    }
    assert set(found) == wanted.get(one.state, set())
    assert set(found.values()) <= {f"R-17:{one.revision}"}, "id and revision, nothing else"


def hostile_requests() -> list[Request]:
    """Every outside string of a request at its worst."""
    plan = PLAN.with_(
        summary=HOSTILE,
        steps=(SampleStep(words=HOSTILE),) * 3,
        lines=(CardLine(label=HOSTILE, text=HOSTILE),),
        warnings=(HOSTILE,),
        cannot_be_undone=(HOSTILE,),
        undo=HOSTILE,
    ).sealed(policy_digest="d" * 64)
    reason = Reason(rule=HOSTILE, message=HOSTILE, would_pass=HOSTILE)
    denied = DENIED.with_(reasons=(reason,), warnings=(HOSTILE,))
    worst = {"because": HOSTILE, "plan": plan, "differences": (HOSTILE,)}
    waiting = planned(**worst)
    return [
        waiting,
        planned(**worst, state=State.QUEUED, verdict=waiting.verdict),
        planned(**worst, state=State.DENIED, verdict=denied),
        running(**worst, progress=progress(note=HOSTILE, hold=HOSTILE, unit=HOSTILE)),
        planned(**worst, state=State.REJECTED, votes=(vote(BOB, "reject", HOSTILE),)),
    ]


def mrkdwn_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["text"])] if value.get("type") == "mrkdwn" else []
        return own + [text for one in value.values() for text in mrkdwn_in(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in mrkdwn_in(one)]
    return []


ALLOWED = re.compile(r"<(@U0\w+|!subteam\^S0\w+|!date\^\d+\^\{[^<>]*\|[^<>|]*)>")


@pytest.mark.parametrize("one", hostile_requests(), ids=lambda one: str(one.state))
def test_outside_strings_are_inert_wherever_they_stand(one: Request) -> None:
    drawn = draw(one)
    assert_valid(drawn)
    for text in [drawn.text, *mrkdwn_in(list(drawn.blocks))]:
        assert not re.search(r"[<>]", ALLOWED.sub("", text)), text
        assert "evil.example|" not in text
        assert "://" not in text
        assert "@here" not in text
        assert "\u202e" not in text
        assert not re.search(r"^&gt;", text, re.M)
        assert "*bold*" not in text
    assert "<@U0BOB>" not in drawn.text or one.votes, "a mention that somebody typed pings nobody"


@pytest.mark.parametrize("state", [State.AWAITING_APPROVAL, State.RUNNING, State.DENIED])
def test_a_huge_plan_still_gives_a_card_with_its_buttons(state: State) -> None:
    long = "partition " * 60
    plan = PLAN.with_(
        summary=long,
        steps=tuple(SampleStep(words=f"{n} {long}") for n in range(60)),
        lines=tuple(CardLine(label=f"{n}", text=long) for n in range(40)),
        warnings=(long,) * 30,
        cannot_be_undone=(long,) * 30,
    ).sealed(policy_digest="d" * 64)
    reasons = tuple(Reason(rule=f"r{n}", message=long, would_pass=long) for n in range(30))
    verdict = planned().verdict if state is not State.DENIED else DENIED.with_(reasons=reasons)
    drawn = draw(planned(plan=plan, state=state, verdict=verdict, progress=progress()))
    assert_valid(drawn)
    assert "`/kafka show R-17`" in drawn.text, "what was cut is pointed to"
    if state is State.AWAITING_APPROVAL:
        assert any(block["type"] == "actions" for block in drawn.blocks)
        assert "*Needs approval by*" in drawn.text, "who may approve is never what is cut"


def test_the_time_left_comes_from_the_steps_own_rate() -> None:
    assert "about 12 min left" in draw(running()).text
    early = running(progress=progress(done=1))
    assert "planned: 35–50 min in all" in draw(early).text
    held = running(progress=progress(hold="CPU of broker 2 is at 82 %"))
    assert "left in this step" not in draw(held).text
    assert "CPU of broker 2 is at 82 %" in draw(held).text


def test_a_bar_is_full_only_when_it_is_done() -> None:
    almost = draw(running(progress=progress(done=41_199_999_999)))
    assert "░  *99 %*" in almost.text


def test_a_request_without_a_reason_says_nothing_about_it() -> None:
    assert "Why" not in draw(request(because="")).text


def test_the_dialog_is_valid() -> None:
    view = reject_dialog(request_id="R-999999999", revision=3, channel="C0KAFKA")
    assert validate_view(view) == []


@pytest.mark.parametrize(
    "text",
    ["Approved by <@U0BOB> (revision 1)", HOSTILE, "", "a\n\nb", "x" * 9000, "`/kafka show R-1`"],
)
def test_a_line_of_the_thread_is_valid_and_harmless(text: str) -> None:
    drawn = draw_line(text)
    assert_valid(drawn)
    kinds = {
        element["type"]
        for block in drawn.blocks
        for section in block["elements"]
        for element in section["elements"]
    }
    assert kinds <= {"text", "user"}


def test_a_line_names_people_and_groups_by_id() -> None:
    drawn = draw_line("Planned; needs 1 of <!subteam^S0APPR>, asked by <@U0ANN>")
    elements = drawn.blocks[0]["elements"][0]["elements"]
    assert {"type": "usergroup", "usergroup_id": "S0APPR"} in elements
    assert {"type": "user", "user_id": "U0ANN"} in elements


def test_approvers_are_called_by_their_group_and_only_where_they_are_needed() -> None:
    words = "Planned; waiting for an approval by @kafka-approvers"
    needed = planned().said(now=NOON, text=words, calls="approvers")
    assert addressed(needed, 0).endswith("approval by <!subteam^S0APPROVE>")
    words = "Rejected by <@U0BOB>: no approval by @kafka-approvers"
    typed = needed.said(now=NOON, text=words, calls="requester")
    assert "subteam" not in addressed(typed, 1)
    assert addressed(typed, 1).endswith(" · <@U0ANN>")
    assert addressed(running().said(now=NOON, text="Step 2 begins"), 0) == "Step 2 begins"
    words = "Planned again (revision 2): MSK has 4 brokers"
    again = planned().said(now=NOON, text=words, calls="both")
    assert addressed(again, 0).endswith("4 brokers · <!subteam^S0APPROVE> · <@U0ANN>")
