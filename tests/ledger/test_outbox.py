from __future__ import annotations

import pytest

from changes.lifecycle import Event
from ledger import Card, Ledger
from tests.ledger.conftest import Opens
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, moved

POSTED = Card(channel="C-KAFKA", ts="1700000000.000100")


class TestCard:
    def test_is_not_there_before_it_is_saved(self, ledger: Ledger) -> None:
        assert ledger.card("R-1") is None
        assert ledger.save_card("R-1", POSTED, expected=None)
        assert ledger.card("r-1") == POSTED

    def test_is_claimed_by_exactly_one_of_two_announcers(self, ledger: Ledger) -> None:
        ledger.save_card("R-1", POSTED, expected=None)
        names = iter("ab")

        def claim() -> bool:
            mine = POSTED.with_(claim=next(names), claimed_until=NOW)
            return ledger.save_card("R-1", mine, expected=POSTED)

        assert sorted(at_once(claim, times=2)) == [False, True]

    def test_is_not_made_twice(self, ledger: Ledger) -> None:
        assert ledger.save_card("R-1", POSTED, expected=None)
        assert not ledger.save_card("R-1", POSTED, expected=None)

    def test_belongs_to_a_request(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="not the id of a request"):
            ledger.save_card("nonsense", POSTED, expected=None)


class TestCardsBehind:
    def test_are_those_whose_newest_version_is_not_drawn(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        first, second = opens(), opens()
        assert ledger.cards_behind() == ("R-1", "R-2")
        drawn = POSTED.with_(drawn_version=first.version)
        ledger.save_card("R-1", drawn, expected=None)
        assert ledger.cards_behind() == (second.id,)
        moved(ledger, first, Event.CANCELLED)
        assert ledger.cards_behind() == ("R-1", "R-2")

    def test_include_those_with_lines_not_posted(self, ledger: Ledger, opens: Opens) -> None:
        request = ledger.save(
            opens().said(now=NOW, text="one").said(now=NOW, text="two"), audit=None
        )
        drawn = POSTED.with_(drawn_version=request.version, lines_posted=1)
        ledger.save_card("R-1", drawn, expected=None)
        assert ledger.cards_behind() == ("R-1",)
        ledger.save_card("R-1", drawn.with_(lines_posted=2), expected=drawn)
        assert ledger.cards_behind() == ()

    def test_come_in_the_order_of_their_numbers(self, ledger: Ledger, opens: Opens) -> None:
        ids = [opens().id for _ in range(11)]
        assert ledger.cards_behind() == tuple(ids)

    def test_a_card_drawn_from_an_older_version_stays_behind(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        """The request was saved while its card was on its way to Slack."""
        request = opens()
        ledger.save(request, audit=None)
        ledger.save_card("R-1", POSTED.with_(drawn_version=request.version), expected=None)
        assert ledger.cards_behind() == ("R-1",)
