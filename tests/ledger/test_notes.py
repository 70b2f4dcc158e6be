"""Lines in a request's thread by others than its worker."""

from __future__ import annotations

from changes.lifecycle import Event, State
from ledger import Ledger
from tests.ledger.conftest import Opens
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, moved


def lines(ledger: Ledger, request_id: str) -> list[str]:
    found = ledger.load(request_id)
    assert found is not None
    return [line.text for line in found.log]


def test_a_line_is_written_once_however_often_it_is_said(ledger: Ledger, opens: Opens) -> None:
    request = opens()
    for _ in range(3):
        ledger.note_on_request(request.id, "held back: lag of billing", now=NOW)
    assert lines(ledger, request.id) == ["held back: lag of billing"]
    assert ledger.cards_behind() == (request.id,)


def test_many_at_once_all_find_their_place(ledger: Ledger, opens: Opens) -> None:
    request = opens()
    words = iter([f"held back: alert {number}" for number in range(8)])
    at_once(lambda: ledger.note_on_request(request.id, next(words), now=NOW), times=8)
    assert sorted(lines(ledger, request.id)) == [f"held back: alert {n}" for n in range(8)]


def test_an_ended_request_takes_a_line_and_stays_ended(ledger: Ledger, opens: Opens) -> None:
    request = moved(ledger, opens(), Event.PREPARED_DENIED)
    noted = ledger.note_on_request(request.id, "2 alerts were held back", now=NOW)
    assert noted is not None
    assert noted.state is State.DENIED
    assert lines(ledger, request.id) == ["2 alerts were held back"]
    assert ledger.due(NOW) == ()


def test_a_request_that_is_not_there_takes_none(ledger: Ledger) -> None:
    assert ledger.note_on_request("R-99", "held back", now=NOW) is None
