"""docs/incidents.md says what the code does: every move, every limit, every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from changes import book, incident
from changes.incident import ALERT_MOVES
from ledger import keys
from watch import flapping, shown, telling_round
from watch.incident_settings import IncidentSettings

PAGE = (Path(__file__).parents[3] / "docs/incidents.md").read_text()


def test_the_picture_is_the_table() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+): (.+)$", PAGE, re.MULTILINE))
    moves = {
        (state.value, to.value, event.value)
        for state, row in ALERT_MOVES.items()
        for event, to in row.items()
        if to is not state
    }
    assert drawn == moves


@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("{:,}; findings beyond", book.ALERTS_MAX),
        ("{}; the others are counted", shown.DETAIL_MAX),
        ("{} quiet ones", telling_round.LINES_MAX),
        ("{} in all", telling_round.ALOUD_LINES_MAX),
        ("the newest {:,} incidents", keys.INCIDENTS_KEPT),
        ("{} days after its end", keys.INCIDENT_DAYS_AFTER_END),
        ("{} lines, 7 days", book.PAST_MAX),
        ("100 lines, {} days", book.PAST_DAYS),
        ("{} days, 500 at a time", incident.MUTE_HOURS_MAX // 24),
        ("{} at a time per cluster", keys.MUTES_MAX),
        ("score of {:g}", flapping.FLAPPING_FROM),
        ("halved each {:g} minutes", flapping.HALVED_EACH_SECONDS / 60),
        ("{:g} minutes of quiet", flapping.QUIET.total_seconds() / 60),
    ],
)
def test_limits_are_those_of_the_code(words: str, figure: float) -> None:
    assert words.format(figure) in PAGE


def test_settings_it_names_exist() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))
    assert named <= set(IncidentSettings.model_fields)
    assert len(named) >= 8
