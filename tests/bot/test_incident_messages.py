"""One message an incident, few calls, each line once: on a real workspace and ledger, with our clock."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.incident_story import CALLS_PER_MINUTE, IncidentShelf
from bot.keeper import Keeper
from changes.incident import Family, Incident, acknowledged
from changes.request import Person
from tests.bot.conftest import KAFKA
from tests.bot.incident_samples import CLUSTER, alert, incident, over
from tests.bot.incident_stage import CRIT, Stage, clock, hired, stage
from tests.bot.view_samples import view

__all__ = ["clock", "stage"]


async def test_one_message_redrawn_in_place_from_first_to_last(stage: Stage) -> None:
    stage.show(incident().said(now=stage.clock.now(), text="Owner 10.0.0.7, last commit 18:04"))
    await stage.keep()
    (head,) = stage.heads()
    assert "*I-12*" not in head["text"]
    assert "*I-1* · *warning*" in head["text"]
    assert head["metadata"]["event_payload"] == {"incident_id": "I-1"}
    assert [line["text"] for line in stage.lines()] == ["Owner 10.0.0.7, last commit 18:04"]
    stage.show(over(stage.stored()).said(now=stage.clock.now(), text="Over after 12 min"))
    await stage.wait(61)
    (same,) = stage.heads()
    assert same["ts"] == head["ts"]
    assert "over after 12 min" in same["text"]
    assert [line["text"] for line in stage.lines()][1:] == ["Over after 12 min"]
    assert stage.ledger.incidents_behind() == ()


async def test_a_rise_is_heard_and_an_edit_is_not(stage: Stage) -> None:
    stage.ledger.keep_view(view(on_call="S0LABKAPPR"))
    stage.show(incident())
    await stage.keep()
    worse = stage.stored().with_(alerts=(alert(**CRIT),))
    said = worse.said(now=stage.clock.now(), text="Critical now", aloud=True, calls="on call")
    stage.show(said)
    await stage.keep()
    (line,) = stage.lines()
    assert line["subtype"] == "thread_broadcast"
    assert line["text"] == "Critical now · <!subteam^S0LABKAPPR>"
    assert "*critical*" in stage.heads()[0]["text"]


async def test_a_rise_is_heard_at_once_although_its_edit_has_to_wait(stage: Stage) -> None:
    stage.show(incident().said(now=stage.clock.now(), text="Owner 10.0.0.7"))
    await stage.keep()
    assert stage.calls() == CALLS_PER_MINUTE - 1
    worse = stage.stored().with_(alerts=(alert(**CRIT),))
    stage.show(worse.said(now=stage.clock.now(), text="Critical now", aloud=True))
    await stage.keep()
    assert stage.lines()[-1]["text"] == "Critical now"
    assert stage.calls() == CALLS_PER_MINUTE
    assert "*critical*" not in stage.heads()[0]["text"]
    await stage.wait(70)
    assert "*critical*" in stage.heads()[0]["text"]


async def test_nobody_is_called_for_what_somebody_has(stage: Stage) -> None:
    stage.ledger.keep_view(view(on_call="here"))
    stage.show(incident(alert(**CRIT)))
    await stage.keep()
    now = stage.clock.now()
    held = stage.stored().said(now=now, text="Nobody has it", calls="on call")
    held = held.with_(acked_by="U0LAB0DAN1", acked_at=now + timedelta(seconds=1))
    stage.show(held)
    await stage.keep()
    assert [line["text"] for line in stage.lines()] == ["Nobody has it"]
    later = now + timedelta(seconds=70)
    stage.show(stage.stored().said(now=later, text="Now critical", calls="on call"))
    await stage.wait(61)
    assert stage.lines()[-1]["text"] == "Now critical · <!here>", "worse than what was taken on"


async def test_more_alerts_wait_for_the_next_minute_and_severity_does_not(stage: Stage) -> None:
    stage.show(incident())
    await stage.keep()
    before = stage.calls()
    for number in range(8):
        await stage.wait(5)
        more = tuple(alert(f"group g-{at}") for at in range(number + 2))
        stage.show(stage.stored().with_(alerts=more))
    await stage.keep()
    assert stage.calls() == before
    stage.show(stage.stored().with_(alerts=(alert(**CRIT),)))
    await stage.keep()
    assert stage.calls() == before + 1
    assert "*critical*" in stage.heads()[0]["text"]
    stage.show(stage.stored().with_(alerts=(alert("group z", **CRIT),)))
    await stage.wait(61)
    assert "group z" in stage.heads()[0]["text"]


async def test_who_pressed_is_answered_at_once_although_the_budget_is_spent(stage: Stage) -> None:
    stage.show(incident())
    await stage.keep()
    for _ in range(5):
        stage.ledger.spend(
            f"slack:{KAFKA}", token=str(_), most=9, seconds=60, now=stage.clock.now()
        )
    dan = Person(user_id="U0LAB0DAN1", name="dan")

    def act(one: Incident) -> Any:
        return acknowledged(one, person=dan, now=stage.clock.now())

    stage.ledger.change_incident("I-1", act)
    await stage.keep()
    assert "acknowledged by <@U0LAB0DAN1>" in stage.heads()[0]["text"]
    assert stage.lines() == [], "the line can wait, the answer cannot"
    await stage.wait(61)
    assert len(stage.lines()) == 1


async def test_the_end_of_one_does_not_hold_back_the_first_message_of_the_next(
    stage: Stage,
) -> None:
    """It would be over before its turn came, and then nobody is told of it at all."""
    stage.show(incident(), incident(family=Family.BALANCE))
    await stage.wait(70)
    before = stage.calls()
    for one in stage.ledger.open_incidents():
        stage.show(over(one).said(now=stage.clock.now(), text=f"{one.id} is over"))
    await stage.keep()
    assert stage.calls() - before == CALLS_PER_MINUTE - 1
    stage.show(incident(family=Family.CLUSTER))
    await stage.keep()
    assert len(stage.heads()) == 3
    assert stage.calls() - before == CALLS_PER_MINUTE
    await stage.wait(130)
    assert stage.ledger.incidents_behind() == ()


@pytest.mark.slow
async def test_five_thousand_alerts_at_once_are_three_calls_a_minute(stage: Stage) -> None:
    """Every family at once, each changing with every scan."""
    storm = tuple(alert(f"group g-{number}", **CRIT) for number in range(1_000))
    stage.show(*(incident(*storm[:60], family=one, more=940) for one in Family))
    marks = [stage.calls()]
    for minute in range(6):
        for _ in range(6):
            for found in stage.ledger.open_incidents():
                worse = found.with_(more=found.more + 1)
                said = worse.said(now=stage.clock.now(), text=f"another one in minute {minute}")
                stage.show(said)
            await stage.wait(10)
        marks.append(stage.calls())
    per_minute = [after - before for before, after in pairwise(marks)]
    assert max(per_minute) <= CALLS_PER_MINUTE
    assert len(stage.heads()) == len(Family)
    await stage.wait(600)
    assert stage.ledger.incidents_behind() == ()
    assert len(stage.heads()) == len(Family)


async def test_lines_that_waited_come_in_order_and_together(stage: Stage) -> None:
    stage.show(incident())
    await stage.keep()
    found = stage.stored()
    for number in range(30):
        at = stage.clock.now() + timedelta(minutes=number)
        found = found.said(now=at, text=f"line {number}")
    stage.show(found)
    await stage.keep()
    (line,) = stage.lines()
    assert "20 earlier lines" in line["text"]
    numbers = [int(word.rsplit(" ", 1)[1]) for word in line["text"].splitlines()[1:]]
    assert numbers == list(range(20, 30))
    assert line["metadata"]["event_payload"] == {"incident_id": "I-1", "line": 0, "through": 29}
    stage.show(stage.stored().said(now=stage.clock.now(), text="and one more"))
    await stage.wait(61)
    assert [one["text"] for one in stage.lines()][1:] == ["and one more"]


async def test_what_is_held_back_altogether_is_not_posted_until_it_is_not(stage: Stage) -> None:
    stage.show(incident(alert(held_by="R-17")).said(now=stage.clock.now(), text="Held by R-17"))
    await stage.keep()
    assert (stage.messages(), stage.ledger.incidents_behind()) == ([], ())
    stage.show(stage.stored().with_(alerts=(alert(),)))
    await stage.keep()
    assert len(stage.heads()) == 1


async def test_a_cluster_that_is_no_more_has_no_channel_and_no_message(stage: Stage) -> None:
    shelf = IncidentShelf(stage.ledger, lambda _: "")
    keeper = Keeper(
        ledger=stage.ledger, writer=stage.keeper._writer, now=stage.clock.now, shelf=shelf
    )
    stage.show(incident())
    assert await keeper.keep("I-1") is None
    assert stage.messages() == []


async def test_a_cluster_the_bot_learns_of_later_gets_its_message(stage: Stage) -> None:
    """Policy files reach the watch before the bot: what was passed over meanwhile is shown then."""
    channels: dict[str, str] = {}
    late = Keeper(
        ledger=stage.ledger,
        writer=stage.keeper._writer,
        now=stage.clock.now,
        shelf=IncidentShelf(stage.ledger, lambda cluster: channels.get(cluster, "")),
    )
    stage.show(incident(alert(**CRIT)).said(now=stage.clock.now(), text="Critical", aloud=True))
    assert await late.keep("I-1") is None
    channels[CLUSTER] = KAFKA
    stage.show(stage.stored().with_(more=1))
    await late.keep("I-1")
    assert len(stage.heads()) == 1
    assert stage.ledger.incidents_behind() == ()


async def test_two_bots_post_each_thing_once(stage: Stage) -> None:
    other = await hired(stage.running, stage.ledger, stage.clock)
    for number in range(10):
        (found,) = stage.show(incident(alert(f"group g-{number}")))
        await stage.keep()
        await other.keep()
        stage.show(over(found).said(now=stage.clock.now(), text=f"end of {number}"))
        await other.keep()
        await stage.keep()
        await stage.wait(120)
    assert len(stage.heads()) == 10
    assert [line["text"] for line in stage.lines()] == [f"end of {number}" for number in range(10)]
