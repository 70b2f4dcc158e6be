"""An incident's message: short, the same for the same value, and harmless whatever names are in it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.cards.blocks import FALLBACK_LETTERS_MAX, Drawn
from bot.cards.incident import draw, named
from bot.cards.incident_buttons import ACKNOWLEDGE, MUTE, PROPOSE, UNMUTE, digest
from bot.posting import faces
from changes.incident import AlertState, Family, Incident, Severity
from changes.lifecycle import State
from lab.slack.validate import characters, validate_blocks
from tests.bot.incident_samples import NOW, alert, incident, over, trend

HOSTILE = "<!channel> <@U0LAB0BOB1> *b* _i_ ~s~ `c` :tada: https://evil.example @here \u202egnp\u200b | x & y"
SCALE = "scale brokers 6"


def many(count: int, **more: Any) -> tuple[Any, ...]:
    return tuple(alert(f"group g-{number}", **more) for number in range(count))


LAGGING = incident(alert(trend=trend("orders-0", "orders-1"), lines=("owner 10.0.0.7",)))
CARDS: dict[str, Incident] = {
    "one warning with a chart": LAGGING,
    "critical, proposed for": incident(
        alert(
            "broker 2",
            family=Family.CAPACITY,
            severity=Severity.CRIT,
            words="disk 91 % full, 6 h until 95 % at +0.7 %/h",
            proposal=SCALE,
            peak=Severity.CRIT,
        ),
        family=Family.CAPACITY,
    ),
    "brokers will not help": incident(
        alert(
            "topic orders",
            why_not="Key skew: one partition gets 93 % of the records, and more brokers cannot split it.",
        )
    ),
    "a storm": incident(*many(40, severity=Severity.CRIT, peak=Severity.CRIT), more=4_960),
    "some not seen, some held back": incident(
        *many(2),
        alert("group billing", stale="broker 2 does not answer"),
        alert("group held", held_by="R-17"),
        alert("group quiet", held_by="mute M-3", state=AlertState.PENDING),
    ),
    "acknowledged and muted": incident(
        alert(),
        acked_by="U0LAB0DAN1",
        acked_at=NOW,
        muted_until=NOW + timedelta(hours=4),
        muted_by="U0LAB0ANN1",
    ),
    "flapping after a change": incident(
        alert(state=AlertState.RESOLVING), flapping=True, after_change="R-17"
    ),
    "proposed and checked": incident(
        alert(proposal=SCALE),
        proposed=("R-18",),
        checked=("most leaders over the mean: 14 before, 1 now",),
    ),
    "over": over(incident(alert(trend=trend()), *many(7))),
    "over, critical": over(incident(alert(severity=Severity.CRIT, peak=Severity.CRIT))),
    "hostile": incident(
        alert(
            f"group {HOSTILE}",
            words=HOSTILE,
            stale=HOSTILE,
            why_not=HOSTILE,
            trend=trend(HOSTILE, HOSTILE),
        ),
        alert("group b", held_by=HOSTILE),
        checked=(HOSTILE,),
        remark=HOSTILE,
        cluster="orders-prod",
    ),
}


def drawn(name: str) -> Drawn:
    asked = {"R-18": State.AWAITING_APPROVAL} if CARDS[name].proposed else {}
    return draw(CARDS[name], proposed=asked)


def elements(one: Drawn) -> list[dict[str, Any]]:
    return [e for block in one.blocks if block["type"] == "actions" for e in block["elements"]]


@pytest.mark.parametrize("name", CARDS)
def test_it_looks_the_same_every_time(name: str, snapshot: SnapshotAssertion) -> None:
    one = drawn(name)
    assert {"text": one.text, "blocks": list(one.blocks)} == snapshot


@pytest.mark.parametrize("name", CARDS)
def test_slack_takes_it_in_every_face_and_it_fits_a_phone(name: str) -> None:
    for face in faces(drawn(name)):
        assert validate_blocks(list(face.blocks)) == [] or not face.blocks
        assert 0 < len(face.text) <= FALLBACK_LETTERS_MAX
    words = [block for block in drawn(name).blocks if block["type"] != "data_visualization"]
    assert characters(words) < 1_800


def test_hostile_names_mention_link_and_style_nothing_in_blocks_or_text() -> None:
    one = drawn("hostile")
    for face in faces(one):
        said = face.text + json.dumps(
            [b for b in face.blocks if b["type"] not in ("header", "data_visualization")],
            ensure_ascii=False,
        )
        assert "<!channel" not in said
        assert "<@U0LAB0BOB1" not in said
        assert "https://" not in outside_code(said)
        assert not {"\u202e", "\u200b"} & set(said)
        assert "@here" not in re.sub("`[^`]*`", "", said), (
            "in code it is dead, outside it has a twin"
        )
    chart = next(b for b in one.blocks if b["type"] == "data_visualization")
    names = [series["name"] for series in chart["chart"]["series"]]
    assert len(set(names)) == 2
    assert all(len(name) <= 20 for name in names)


def outside_code(said: str) -> str:
    """In code everything is dead but the backtick; outside it, letters that mean something have twins."""
    return re.sub("`[^`]*`", "", said)


def test_only_ids_stand_in_buttons() -> None:
    one = drawn("critical, proposed for")
    values = {e["action_id"]: e.get("value") for e in elements(one)}
    assert values[ACKNOWLEDGE] == "I-12"
    assert values[f"{PROPOSE}:0"] == f"I-12:{digest(SCALE)}"
    mute = next(e for e in elements(one) if e["action_id"] == MUTE)
    assert [option["value"] for option in mute["options"]] == ["I-12:1", "I-12:4", "I-12:24"]


def test_the_buttons_fit_what_was_done_already() -> None:
    found = [e["action_id"] for e in elements(drawn("acknowledged and muted"))]
    assert found == [UNMUTE]
    assert PROPOSE not in str(elements(drawn("proposed and checked"))), "it is asked for already"
    ended = draw(CARDS["proposed and checked"], proposed={"R-18": State.REJECTED})
    assert f"{PROPOSE}:0" in [e["action_id"] for e in elements(ended)]
    assert elements(drawn("over")) == []


@pytest.mark.parametrize(
    ("subject", "words", "shown"),
    [
        ("group a", "a stalled on orders-1", "`a` stalled on orders-1"),
        ("broker 2", "disk of broker 2 is 92 % full", "disk of `broker 2` is 92 % full"),
        ("broker 2", "12 copies behind", "`broker 2` 12 copies behind"),
        ("group app.eu", "app.eu.v2 is not app.eu", "app.eu.v2 is not `app.eu`"),
        ("cluster", "MSK heals orders-prod", "MSK heals orders-prod"),
        ("topic logs", "use `retention.ms` of logs", "use `retention.ms` of logs"),
    ],
)
def test_each_object_is_named_once(subject: str, words: str, shown: str) -> None:
    assert named(subject, words) == shown


def test_a_storm_is_counted_and_not_listed() -> None:
    text = drawn("a storm").text
    assert text.count("group g-") == 5
    assert "… and 4,995 more" in text


def test_the_end_says_how_long_it_was_and_keeps_what_it_was_about() -> None:
    text = drawn("over").text
    assert "over after 12 min" in text
    assert "group g-0" in text
    assert "18,240 messages unread" in text


def test_what_nobody_was_told_of_is_not_told_when_it_ends() -> None:
    """An alert that a change held back all the time never was anybody's trouble."""
    one = incident(alert("group a"), alert("group b", held_by="R-17", fired_at=None))
    assert "group b" not in draw(over(one)).text
