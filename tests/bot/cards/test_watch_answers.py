"""Cards of what the watch sees: within Slack's limits whatever a cluster holds, missing figures said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.cards.balance import balance_card
from bot.cards.blocks import Drawn
from bot.cards.forecast import forecast_card
from bot.cards.incident_list import incident_list, one_incident
from bot.cards.lag import all_groups, one_group
from bot.posting import faces
from changes.incident import Mute, Severity
from changes.view import BrokerLine, ForecastLine, GroupLine
from lab.slack.validate import validate_blocks
from tests.bot.cards.test_incident import HOSTILE
from tests.bot.incident_samples import NOW, alert, incident, over
from tests.bot.view_samples import BROKERS, GROUPS, crowd, view

AGE = "as of 20 s ago"
MUTE = Mute(
    id="M-3",
    cluster="orders-prod",
    subject="group payments",
    by="U0LAB0ANN1",
    reason="we deploy",
    at=NOW,
    until=NOW + timedelta(hours=2),
)
SAID = (
    incident(alert(severity=Severity.CRIT), alert("group b"), acked_by="U0LAB0DAN1", more=7)
    .said(now=NOW, text="Acknowledged by <@U0LAB0DAN1>")
    .with_(proposed=("R-3",), checked=("most leaders over the mean: 14 before, 1 now",))
)
HOSTILE_GROUP = GROUPS[0].with_(
    group=HOSTILE, state=HOSTILE, age_words=HOSTILE, kafka_state=HOSTILE, worst=((HOSTILE, 3),) * 2
)
ANSWERS: dict[str, Callable[[], Drawn]] = {
    "lag of all": lambda: all_groups(view(), age=AGE),
    "lag of a crowd": lambda: all_groups(view(groups=crowd(5_000), groups_total=50_000), age=AGE),
    "lag of none": lambda: all_groups(view(groups=(), groups_total=0), age=AGE),
    "lag of one": lambda: one_group(view(), GROUPS[0], age=AGE),
    "lag of one that is not read": lambda: one_group(
        view(blind=("broker 2 does not answer",), groups_unread=34), GROUPS[2], age=AGE
    ),
    "balance": lambda: balance_card(view(), age=AGE),
    "balance of many": lambda: balance_card(
        view(brokers=[BrokerLine(broker_id=n, rack="", leaders=n, replicas=n) for n in range(90)]),
        age=AGE,
    ),
    "balance unseen": lambda: balance_card(view(brokers=(), blind=("Kafka is away",)), age=AGE),
    "forecast": lambda: forecast_card(view(), age=AGE),
    "forecast of nothing": lambda: forecast_card(view(forecasts=(), advice=()), age=AGE),
    "incidents": lambda: incident_list(
        [SAID, incident(id="I-13")],
        past=[over(incident(id="I-9"))],
        mutes=[MUTE],
        links={"I-12": "https://acme-lab.slack.com/archives/C1/p1"},
        where=" on orders-prod",
        now=NOW + timedelta(minutes=9),
    ),
    "no incidents": lambda: incident_list([], past=[], mutes=[], links={}, where="", now=NOW),
    "one incident": lambda: one_incident(SAID, link=""),
    "hostile lag": lambda: all_groups(view(groups=(HOSTILE_GROUP,), groups_total=1), age=AGE),
    "hostile group": lambda: one_group(view(blind=(HOSTILE,)), HOSTILE_GROUP, age=AGE),
    "hostile forecast": lambda: forecast_card(
        view(
            forecasts=[
                ForecastLine(
                    broker_id=1,
                    what=HOSTILE,
                    now_percent=None,
                    percent_per_hour=None,
                    hours_left=1.0,
                    words=HOSTILE,
                )
            ],
            advice=(HOSTILE,),
        ),
        age=AGE,
    ),
    "hostile incidents": lambda: incident_list(
        [incident(alert(f"group {HOSTILE}", words=HOSTILE))],
        past=[over(incident(alert(f"group {HOSTILE}", words=HOSTILE)))],
        mutes=[MUTE.with_(subject=HOSTILE, reason=HOSTILE)],
        links={},
        where="",
        now=NOW,
    ),
    "hostile incident": lambda: one_incident(
        incident(alert(f"group {HOSTILE}", words=HOSTILE, stale=HOSTILE, held_by=HOSTILE)), link=""
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_it_looks_the_same_every_time(name: str, snapshot: SnapshotAssertion) -> None:
    one = ANSWERS[name]()
    assert {"text": one.text, "blocks": list(one.blocks)} == snapshot


@pytest.mark.parametrize("name", ANSWERS)
def test_slack_takes_it_in_every_face(name: str) -> None:
    for face in faces(ANSWERS[name]()):
        assert validate_blocks(list(face.blocks)) == [] or not face.blocks
        assert 0 < len(face.text) < 4_000


@pytest.mark.parametrize("name", [name for name in ANSWERS if "hostile" in name])
def test_no_name_mentions_or_links(name: str) -> None:
    """Tables and charts hold plain text, where nothing is markup."""
    one = ANSWERS[name]()
    plain = ("header", "data_visualization", "table")
    for face in faces(one):
        blocks = [block for block in face.blocks if block["type"] not in plain]
        said = face.text + json.dumps(blocks, ensure_ascii=False)
        assert "<!channel" not in said
        assert "<@U0LAB0BOB1" not in said
        assert "<https" not in said
        assert not {"\u202e", "\u200b"} & set(said + json.dumps(one.blocks, ensure_ascii=False))


def test_a_crowd_is_shown_by_its_worst_fifteen_with_counts() -> None:
    one = ANSWERS["lag of a crowd"]()
    table = next(block for block in one.blocks if block["type"] == "table")
    assert len(table["rows"]) == 16
    assert "50,000 consumer groups" in one.text
    assert "and 49,985 more" in one.text
    assert "45,000 more without trouble" in one.text


def test_what_was_not_read_is_no_zero() -> None:
    text = ANSWERS["lag of one that is not read"]().text
    assert "could not be read" in text
    assert "broker 2 does not answer" in text
    assert "34 groups could not be read" in text
    assert " 0 unread" not in text


def test_columns_that_nobody_could_fill_are_left_out() -> None:
    bare = [one.with_(cpu_percent=None, rack="") for one in BROKERS]
    one = balance_card(view(brokers=bare), age=AGE)
    table = next(block for block in one.blocks if block["type"] == "table")
    head = [cell["text"] for cell in table["rows"][0]]
    assert head == ["broker", "leaders", "replicas", "on disk", "disk"]


def test_the_soonest_limit_stands_first() -> None:
    one = ANSWERS["forecast"]()
    table = next(block for block in one.blocks if block["type"] == "table")
    assert [row[0]["text"] for row in table["rows"]] == ["broker", "1", "2", "3"]
    assert [row[-1]["text"] for row in table["rows"]][1:] == ["15 h", "16 d 16 h", "not rising"]


def test_long_names_keep_both_ends() -> None:
    group = GroupLine(group="a" * 60 + "-the-end", state="ok", kafka_state="Stable", lag=1)
    one = all_groups(view(groups=(group,), groups_total=1), age=AGE)
    table = next(block for block in one.blocks if block["type"] == "table")
    name = table["rows"][1][0]["text"]
    assert name.startswith("aaaa")
    assert name.endswith("-the-end")
    assert len(name) <= 40
