"""Slack away for minutes: afterwards what is worth it, once and in its final state, and no burst."""

from __future__ import annotations

import pytest

from bot.incident_story import CALLS_PER_MINUTE
from changes.incident import Family
from tests.bot.incident_samples import alert, incident, over
from tests.bot.incident_stage import CRIT, Stage, clock, stage

__all__ = ["clock", "stage"]
pytestmark = pytest.mark.slow


async def test_what_came_and_went_unseen_is_not_posted(stage: Stage) -> None:
    stage.away()
    stage.show(incident())
    await stage.wait(300)
    stage.show(over(stage.stored()))
    await stage.wait(300)
    stage.back()
    before = stage.calls()
    await stage.wait(120)
    assert (stage.messages(), stage.calls() - before) == ([], 0)
    assert stage.ledger.incidents_behind() == ()


async def test_the_critical_one_is_one_message_in_its_final_state(stage: Stage) -> None:
    stage.away()
    said = incident(alert(**CRIT)).said(now=stage.clock.now(), text="Critical", aloud=True)
    stage.show(said)
    await stage.wait(300)
    stage.show(over(stage.stored()).said(now=stage.clock.now(), text="Over"))
    await stage.wait(300)
    stage.back()
    await stage.wait(120)
    (only,) = stage.messages()
    assert "was critical" in only["text"]
    assert stage.ledger.incidents_behind() == ()


async def test_one_that_was_posted_before_is_edited_and_its_lines_are_one_post(
    stage: Stage,
) -> None:
    stage.show(incident())
    await stage.keep()
    stage.away()
    for number in range(4):
        await stage.wait(120)
        now = stage.clock.now()
        stage.show(stage.stored().said(now=now, text=f"line {number}", aloud=True))
    stage.show(over(stage.stored()).said(now=stage.clock.now(), text="Over"))
    await stage.wait(120)
    stage.back()
    await stage.wait(180)
    (head,) = stage.heads()
    assert "over after" in head["text"]
    (line,) = stage.lines()
    assert "subtype" not in line, "an end is not broadcast"
    assert [word.split("UTC ")[1] for word in line["text"].splitlines()] == [
        "line 0",
        "line 1",
        "line 2",
        "line 3",
        "Over",
    ]


async def test_several_that_came_and_went_are_one_line(stage: Stage) -> None:
    stage.away()
    for family in (Family.CONSUMERS, Family.BALANCE, Family.CAPACITY):
        stage.show(incident(family=family))
    await stage.wait(300)
    stage.show(*(over(one) for one in stage.ledger.open_incidents()))
    await stage.wait(300)
    stage.back()
    before = stage.calls()
    await stage.wait(240)
    (only,) = stage.messages()
    assert "3 incidents came and went before they could be shown here" in only["text"]
    assert stage.calls() - before == 1


async def test_what_still_fires_is_posted_without_a_burst(stage: Stage) -> None:
    stage.away()
    stage.show(*(incident(family=one) for one in Family))
    await stage.wait(600)
    stage.back()
    before = stage.calls()
    await stage.wait(60)
    assert stage.calls() - before <= CALLS_PER_MINUTE
    await stage.wait(240)
    assert len(stage.heads()) == len(Family)
