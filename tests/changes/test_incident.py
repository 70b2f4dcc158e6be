"""Every state × event pair of an alert, and what people may do to an incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from changes.incident import (
    AlertEvent,
    AlertState,
    Family,
    Incident,
    acknowledged,
    alert_after,
    duration_words,
    muted,
    proposed,
    unmuted,
)
from changes.lifecycle import IllegalMove
from changes.request import Person, Refusal

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANA = Person(user_id="U0ANA", name="Ana")
BEN = Person(user_id="U0BEN", name="Ben")
GUEST = Person(user_id="U0GUEST", name="Guest", standing="you are a guest here")
OPEN = Incident(id="I-7", version=3, cluster="orders", family=Family.CONSUMERS, opened_at=NOW)
OVER = OPEN.with_(ended_at=NOW)

EXPECTED = {
    ("pending", "seen", "pending"),
    ("pending", "held long enough", "firing"),
    ("pending", "between", "resolved"),
    ("pending", "gone", "resolved"),
    ("pending", "dropped", "resolved"),
    ("firing", "seen", "firing"),
    ("firing", "between", "firing"),
    ("firing", "gone", "resolving"),
    ("firing", "dropped", "resolved"),
    ("resolving", "seen", "firing"),
    ("resolving", "between", "firing"),
    ("resolving", "gone", "resolving"),
    ("resolving", "gone long enough", "resolved"),
    ("resolving", "dropped", "resolved"),
    ("resolved", "seen", "pending"),
    ("resolved", "between", "resolved"),
    ("resolved", "gone", "resolved"),
    ("resolved", "dropped", "resolved"),
}


@pytest.mark.parametrize("state", list(AlertState))
@pytest.mark.parametrize("event", list(AlertEvent))
def test_an_alert_moves_only_as_the_table_says(state: AlertState, event: AlertEvent) -> None:
    to = {t for s, e, t in EXPECTED if (s, e) == (state.value, event.value)}
    if to:
        assert {alert_after(state, event).value} == to
    else:
        with pytest.raises(IllegalMove, match=event.value):
            alert_after(state, event)


class TestAcknowledging:
    def test_names_who_looks_into_it(self) -> None:
        acked = acknowledged(OPEN, person=ANA, now=NOW)
        assert isinstance(acked, Incident)
        assert (acked.acked_by, acked.acked_at) == ("U0ANA", NOW)
        assert [(line.text, line.aloud) for line in acked.log] == [
            ("Acknowledged by <@U0ANA>", False)
        ]

    def test_counts_once(self) -> None:
        acked = acknowledged(OPEN, person=ANA, now=NOW)
        assert isinstance(acked, Incident)
        assert acknowledged(acked, person=ANA, now=NOW) == Refusal(
            words="You have acknowledged I-7 already."
        )
        assert acknowledged(acked, person=BEN, now=NOW) == Refusal(
            words="I-7 is acknowledged by <@U0ANA> already."
        )

    def test_is_not_for_strangers_nor_for_what_is_over(self) -> None:
        assert acknowledged(OVER, person=GUEST, now=NOW) == Refusal(
            words="You cannot acknowledge I-7: you are a guest here."
        )
        assert acknowledged(OVER, person=ANA, now=NOW) == Refusal(
            words="I-7 is over: there is nothing to acknowledge."
        )


class TestMuting:
    def test_says_for_how_long_and_by_whom(self) -> None:
        quiet = muted(OPEN, person=ANA, until=NOW + timedelta(hours=2), now=NOW)
        assert isinstance(quiet, Incident)
        assert (quiet.muted_by, quiet.muted_until) == ("U0ANA", NOW + timedelta(hours=2))
        assert quiet.log[-1].text == "Muted for 2 h by <@U0ANA>"

    @pytest.mark.parametrize(
        ("hours", "words"), [(0, "must end in the future"), (-1, "future"), (169, "7 days at most")]
    )
    def test_has_limits(self, hours: int, words: str) -> None:
        refused = muted(OPEN, person=ANA, until=NOW + timedelta(hours=hours), now=NOW)
        assert isinstance(refused, Refusal)
        assert words in refused.words

    def test_ends_early_when_somebody_says_so(self) -> None:
        quiet = muted(OPEN, person=ANA, until=NOW + timedelta(hours=2), now=NOW)
        assert isinstance(quiet, Incident)
        loud = unmuted(quiet, person=BEN, now=NOW)
        assert isinstance(loud, Incident)
        assert loud.muted_until is None
        assert unmuted(loud, person=BEN, now=NOW) == Refusal(words="I-7 is not muted.")


def test_a_proposed_change_is_remembered_once() -> None:
    asked = proposed(OPEN, request_id="R-17", person=ANA, now=NOW)
    assert isinstance(asked, Incident)
    assert asked.proposed == ("R-17",)
    assert proposed(asked, request_id="R-17", person=ANA, now=NOW) == asked


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (300, "5 min"), (7800, "2 h 10 min"), (7200, "2 h"), (3 * 86400, "3 days")],
)
def test_durations_are_said_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
