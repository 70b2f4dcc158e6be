"""From an alert to its end through the real socket: posted, muted, proposed for, offered again, over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.bot.conftest import Desk, Json, until
from tests.bot.incident_samples import alert, incident, opened, over

pytestmark = pytest.mark.slow

PROPOSE = "incident:propose:0"


def buttons(head: Json) -> list[str]:
    return [e["action_id"] for b in head["blocks"] if b["type"] == "actions" for e in b["elements"]]


async def test_from_an_alert_to_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.keeper.BUDGET_SECONDS", 2.0)  # its minute is looked at elsewhere
    opened(desk.ledger, incident(alert(proposal="scale brokers 6")))
    head = await desk.card_with("*I-1* · *warning*")
    option = "I-1:4"
    ts = head["ts"]
    await desk.act("select", user="dan", ts=ts, action_id="incident:mute", value=option)
    await desk.card_with("muted until")
    await desk.act("click", user="dan", ts=ts, action_id=PROPOSE)
    await desk.card_with("Proposed from here: `R-1` (preparing)")
    assert PROPOSE not in buttons(desk.cards()[0])
    assert desk.request().requester.user_id == "U0LAB0DAN1"

    await desk.command("cancel R-1", user="dan")
    head = await desk.card_with("Proposed from here: `R-1` (cancelled)")
    assert PROPOSE in buttons(head), "it may be proposed again"

    found = desk.ledger.incident("I-1")
    assert found is not None
    opened(desk.ledger, over(found).said(now=datetime.now(UTC), text="Over after 12 min"))
    head = await desk.card_with("over after 12 min")
    assert head["ts"] == ts
    assert buttons(head) == []
    await until(lambda: desk.ledger.incidents_behind() == (), what="all is shown")
    incidents = [one for one in desk.cards() if "*I-1*" in one["text"]]
    assert len(incidents) == 1
