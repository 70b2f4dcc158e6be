from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from changes.book import Before, Book, WatchedChange
from changes.excuses import ChangeLease
from changes.incident import Family, Incident, Mute, acknowledged
from changes.request import Refusal
from ledger import Card, Conflict, Ledger, UnreadableEntry, keys
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, PERSON

CARD = Card(channel="C-KAFKA", ts="1700000000.000100")


def opened(family: Family = Family.CONSUMERS, cluster: str = "orders") -> Incident:
    return Incident(id="", cluster=cluster, family=family, opened_at=NOW)


def save(ledger: Ledger, *incidents: Incident, cluster: str = "orders") -> Book:
    book = ledger.watch_book(cluster)
    return ledger.save_watch(cluster, book, incidents, expected_version=book.version)


class TestRound:
    def test_begins_with_an_empty_book(self, ledger: Ledger) -> None:
        assert ledger.watch_book("orders") == Book(cluster="orders")

    def test_is_stored_whole_with_ids_cards_owed_and_news(self, ledger: Ledger) -> None:
        since = ledger.news_position()
        book = save(ledger, opened(), opened(Family.BALANCE))
        assert [(one.id, one.version) for one in book.incidents] == [("I-1", 1), ("I-2", 1)]
        assert ledger.watch_book("orders") == book
        assert ledger.incidents_behind() == ("I-1", "I-2")
        assert ledger.changed_since(since).ids == ("I-1", "I-2")
        assert ledger.cards_behind() == ()

    def test_that_changed_no_incident_is_no_news(self, ledger: Ledger) -> None:
        since = ledger.news_position()
        assert save(ledger).version == 1
        assert ledger.changed_since(since).ids == ()

    def test_is_refused_whole_when_another_saved_the_book(self, ledger: Ledger) -> None:
        book = ledger.watch_book("orders")
        save(ledger)
        with pytest.raises(Conflict, match="at version 1, this round started from 0"):
            ledger.save_watch("orders", book, [opened()], expected_version=book.version)
        assert ledger.open_incidents() == ()

    def test_is_refused_whole_when_somebody_acknowledged_meanwhile(self, ledger: Ledger) -> None:
        book = save(ledger, opened())
        ledger.change_incident("I-1", lambda one: acknowledged(one, person=PERSON, now=NOW))
        changed = book.incidents[0].with_(flapping=True)
        with pytest.raises(Conflict, match="I-1 was changed by somebody else"):
            ledger.save_watch("orders", book, [changed], expected_version=book.version)
        assert ledger.watch_book("orders").version == book.version

    def test_of_two_at_once_opens_one_incident(self, ledger: Ledger) -> None:
        def one() -> str:
            book = ledger.watch_book("orders")
            try:
                ledger.save_watch("orders", book, [opened()], expected_version=0)
                return "saved"
            except Conflict:
                return "lost"

        assert sorted(at_once(one, times=4)) == ["lost", "lost", "lost", "saved"]
        assert [one.id for one in ledger.open_incidents()] == ["I-1"]

    def test_of_two_clusters_do_not_meet(self, ledger: Ledger) -> None:
        save(ledger, opened())
        save(ledger, opened(cluster="billing"), cluster="billing")
        assert [one.id for one in ledger.open_incidents("orders")] == ["I-1"]
        assert [one.id for one in ledger.open_incidents("billing")] == ["I-2"]
        assert len(ledger.open_incidents()) == 2

    def test_still_gives_incidents_whose_figures_are_awaited(self, ledger: Ledger) -> None:
        book = save(ledger, opened())
        over = book.incidents[0].with_(ended_at=NOW)
        lease = ChangeLease(
            request_id="R-17", cluster="orders", title="scale", effects=(), started_at=NOW
        )
        before = Before(key="k", subject="s", incident_id="I-1", measure=1.6, measure_words="m")
        change = WatchedChange(
            lease=lease, seen_at=NOW, runs=True, grace_seconds=300, before=(before,)
        )
        waiting = book.with_(changes=(change,))
        ledger.save_watch("orders", waiting, [over], expected_version=book.version)
        assert [one.id for one in ledger.watch_book("orders").incidents] == ["I-1"]
        assert ledger.open_incidents() == ()

    def test_of_another_version_of_ottla_is_refused_by_name(
        self, ledger: Ledger, redis: Redis
    ) -> None:
        save(ledger, opened())
        redis.hset(keys.book("orders"), "format", "2")
        with pytest.raises(UnreadableEntry, match="the watch's book of orders was written by"):
            ledger.watch_book("orders")
        redis.hset(keys.incident("I-1"), "format", "2")
        with pytest.raises(UnreadableEntry, match="I-1 was written by another version"):
            ledger.incident("I-1")
        assert ledger.incidents() == ()


class TestHistory:
    def test_is_newest_first_with_what_is_open(self, ledger: Ledger) -> None:
        for _ in range(3):
            book = save(ledger, opened())
            ended = book.incidents[-1].with_(ended_at=NOW)
            ledger.save_watch("orders", book, [ended], expected_version=book.version)
        save(ledger, opened())
        found = ledger.incidents("orders", limit=3)
        assert [(one.id, one.ended_at is None) for one in found] == [
            ("I-4", True),
            ("I-3", False),
            ("I-2", False),
        ]
        assert [one.id for one in ledger.open_incidents()] == ["I-4"]

    def test_is_capped_in_number_and_age(
        self, ledger: Ledger, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "INCIDENTS_KEPT", 2)
        book = save(ledger, opened(), opened(), opened())
        assert [one.id for one in ledger.incidents()] == ["I-3", "I-2"]
        assert redis.ttl(keys.incident("I-3")) == -1
        ended = book.incidents[-1].with_(ended_at=NOW)
        ledger.save_watch("orders", book, [ended], expected_version=book.version)
        days = redis.ttl(keys.incident("I-3")) / keys.DAY_SECONDS
        assert days == pytest.approx(keys.INCIDENT_DAYS_AFTER_END, abs=0.1)

    @pytest.mark.parametrize("limit", [0, -1, 501])
    def test_has_a_limit_one_can_give(self, ledger: Ledger, limit: int) -> None:
        with pytest.raises(ValueError, match="1 to 500"):
            ledger.incidents(limit=limit)


class TestPeoplesActs:
    def test_are_saved_as_a_version_of_their_own(self, ledger: Ledger) -> None:
        save(ledger, opened())
        acked = ledger.change_incident("i-1", lambda one: acknowledged(one, person=PERSON, now=NOW))
        assert isinstance(acked, Incident)
        assert (acked.version, acked.acked_by) == (2, PERSON.user_id)
        assert ledger.incident(" I-1 ") == acked

    def test_that_are_refused_save_nothing(self, ledger: Ledger) -> None:
        save(ledger, opened())
        no = Refusal(words="no")
        assert ledger.change_incident("I-1", lambda _: no) == no
        assert ledger.change_incident("I-1", lambda one: one) == ledger.incident("I-1")
        stored = ledger.incident("I-1")
        assert stored is not None
        assert stored.version == 1

    @pytest.mark.parametrize("named", ["I-9", "R-1", "", "nonsense", "I-0", "I-1; DEL"])
    def test_need_an_incident(self, ledger: Ledger, named: str) -> None:
        assert ledger.change_incident(named, lambda one: one) is None
        assert ledger.incident(named) is None

    def test_of_many_at_once_are_all_kept(self, ledger: Ledger) -> None:
        save(ledger, opened())

        def say() -> object:
            return ledger.change_incident("I-1", lambda one: one.said(now=NOW, text="me too"))

        at_once(say, times=8)
        stored = ledger.incident("I-1")
        assert stored is not None
        assert (len(stored.log), stored.version) == (8, 9)


class TestCards:
    def test_are_claimed_like_those_of_requests_and_apart_from_them(self, ledger: Ledger) -> None:
        save(ledger, opened())
        assert ledger.save_incident_card("I-1", CARD, expected=None)
        assert not ledger.save_incident_card("I-1", CARD, expected=None)
        assert ledger.incident_card("i-1") == CARD
        assert ledger.card("R-1") is None

    def test_that_show_everything_are_owed_no_more(self, ledger: Ledger) -> None:
        book = save(ledger, opened().said(now=NOW, text="one"))
        drawn = CARD.with_(drawn_version=book.incidents[0].version)
        ledger.save_incident_card("I-1", drawn, expected=None)
        assert ledger.incidents_behind() == ("I-1",)
        ledger.save_incident_card("I-1", drawn.with_(lines_posted=1), expected=drawn)
        assert ledger.incidents_behind() == ()

    def test_belong_to_an_incident(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="'R-1' is not the id of an incident"):
            ledger.save_incident_card("R-1", CARD, expected=None)


class TestMutes:
    def mute(self, **fields: object) -> Mute:
        told = {"id": "", "cluster": "orders", "subject": "group payments", "by": "U", "at": NOW}
        return Mute.model_validate({**told, "until": NOW + timedelta(days=3650), **fields})

    def test_get_a_number_and_hold_until_they_end(self, ledger: Ledger) -> None:
        first = ledger.add_mute(self.mute())
        second = ledger.add_mute(self.mute(subject="", reason="maintenance"))
        assert isinstance(first, Mute)
        assert isinstance(second, Mute)
        assert [one.id for one in ledger.mutes("orders")] == ["M-1", "M-2"]
        assert ledger.mutes("billing") == ()
        ended = ledger.end_mute("m-1", NOW)
        assert ended == first.with_(until=NOW)
        assert ledger.end_mute("M-1", NOW) is None
        assert ledger.mutes("orders") == (second,)

    def test_that_are_over_hold_nothing(self, ledger: Ledger) -> None:
        ledger.add_mute(self.mute(until=NOW - timedelta(seconds=1)))
        assert ledger.mutes("orders") == ()

    def test_of_another_version_silence_nobody_and_stop_nothing(self, ledger: Ledger) -> None:
        ledger.add_mute(self.mute())
        second = ledger.add_mute(self.mute(subject="broker 2"))
        ledger._redis.set(keys.mute("M-1"), '{"id": "M-1", "of_a_later_version": true}')
        assert ledger.mutes("orders") == (second,)

    def test_are_limited_in_words(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keys, "MUTES_MAX", 1)
        ledger.add_mute(self.mute())
        assert ledger.add_mute(self.mute()) == Refusal(
            words="orders has 1 mutes already; end some of them first."
        )
