from __future__ import annotations

import threading
import time

from redis import Redis

from ledger import Ledger
from ledger.news import BEGINNING
from tests.ledger.conftest import Opens


class TestFollow:
    def test_hears_of_every_save_from_its_call_on(self, ledger: Ledger, opens: Opens) -> None:
        opens()
        news = ledger.follow(timeout_seconds=0.2)
        opens()
        opens()
        assert [next(news), next(news), next(news)] == ["R-2", "R-3", None]

    def test_loses_nothing_while_its_reader_is_busy(self, ledger: Ledger, opens: Opens) -> None:
        news = ledger.follow(timeout_seconds=0.2)
        opens()
        assert next(news) == "R-1"
        for _ in range(1_100):  # more than one page
            ledger.save(request, audit=None) if (request := ledger.load("R-1")) else None
        opens()
        heard = []
        while (one := next(news)) is not None:
            heard.append(one)
        assert heard[-1] == "R-2"

    def test_stops_when_told_to(self, ledger: Ledger) -> None:
        told = threading.Event()
        threading.Timer(0.1, told.set).start()
        begun = time.monotonic()
        assert list(ledger.follow(stop=told.is_set, timeout_seconds=60)) == []
        assert time.monotonic() - begun < 3

    def test_wakes_up_at_once(self, ledger: Ledger, opens: Opens) -> None:
        news = ledger.follow(timeout_seconds=5)
        soon = threading.Timer(0.1, opens)
        soon.start()
        begun = time.monotonic()
        assert next(news) == "R-1"
        assert time.monotonic() - begun < 1
        soon.join()


class TestChangedSince:
    def test_tells_a_reader_who_was_away_each_request_once(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        here = ledger.news_position()
        assert here == BEGINNING
        ledger.save(opens(), audit=None)
        opens()
        news = ledger.changed_since(here)
        assert news.ids == ("R-1", "R-2")
        assert news.complete
        assert ledger.changed_since(news.position).ids == ()
        assert list(zip("ab", ledger.follow(timeout_seconds=1, since=here), strict=False))

    def test_admits_that_news_was_cut_meanwhile(self, ledger: Ledger, redis: Redis) -> None:
        pipe = redis.pipeline(transaction=False)
        for number in range(10_000):
            pipe.xadd("ottla:news", {"id": f"R-{number}"}, id=f"{number + 10}-0")
        pipe.execute()
        assert not ledger.changed_since("1-0").complete
        assert ledger.changed_since("10-0").complete
        assert ledger.changed_since("9999-0").complete
