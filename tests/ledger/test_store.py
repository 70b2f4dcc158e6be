from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from redis import Redis

from changes.lifecycle import Event, IllegalMove, State
from changes.request import Request
from ledger import Audit, Conflict, Ledger, UnreadableEntry, Verified, Work, verify
from ledger.door import normal_id
from tests.ledger.conftest import Opens
from tests.ledger.races import at_once
from tests.ledger.toys import NOW, PERSON, SAID, PolishBrokers, moved, plan_for

QUEUE = "rq:queue:ottla"


def try_to_save(ledger: Ledger, request: Request) -> str:
    try:
        ledger.save(request, audit=Audit(actor="U-BEN", event="noted", words="me first"))
    except Conflict:
        return "lost"
    return "won"


def verified_count(ledger: Ledger) -> int:
    written = StringIO()
    ledger.export(written)
    found = verify(written.getvalue().splitlines())
    assert isinstance(found, Verified), found
    return found.count


def everything(redis: Redis) -> dict[object, object]:
    """All that is stored, key by key, to prove that nothing changed."""
    read: dict[object, Callable[[Any], object]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"stream": redis.xrange,
    }
    return {key: read[redis.type(key)](key) for key in redis.keys("*")}


def rewrite_body(redis: Redis, request_id: str, old: bytes, new: bytes) -> None:
    packed = redis.hget(f"ottla:request:{request_id}", "body")
    assert isinstance(packed, bytes)
    redis.hset(
        f"ottla:request:{request_id}",
        "body",
        zlib.compress(zlib.decompress(packed).replace(old, new)),
    )


class TestOpen:
    def test_numbers_requests_and_queues_their_preparation(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        first, second = opens(), opens()
        assert (first.id, second.id, first.state) == ("R-1", "R-2", State.PREPARING)
        assert redis.lrange(QUEUE, 0, -1) == [b"prepare-R-1-0-1", b"prepare-R-2-0-1"]
        assert ledger.load("R-1") == first
        assert [line.event for line in ledger.audit_lines(request_id="R-1")] == ["asked"]

    def test_gives_the_same_request_for_the_same_wish_within_ten_seconds(
        self, redis: Redis, opens: Opens
    ) -> None:
        first = opens(because="Black Friday")
        before = everything(redis)
        assert opens(because="Black Friday") == first
        assert everything(redis) == before

    def test_opens_another_one_later_or_for_another_wish(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        opens(because="Black Friday")
        assert opens(because="Cyber Monday").id == "R-2"
        assert opens(because="Black Friday", cluster="payments").id == "R-3"
        later = ledger.open_request(
            change=PolishBrokers(cluster="orders", times=3),
            requester=PERSON,
            channel="C-KAFKA",
            asked_in="",
            because="Black Friday",
            now=NOW + timedelta(seconds=10),
        )
        assert later.id == "R-4"

    def test_opens_another_one_once_the_first_has_been_decided(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        moved(ledger, opens(because="Black Friday"), Event.CANCELLED)
        assert opens(because="Black Friday").id == "R-2"

    def test_gives_one_request_to_two_who_press_at_once(self, opens: Opens) -> None:
        found = at_once(lambda: opens(because="Black Friday").id, times=8)
        assert set(found) == {"R-1"}

    def test_gives_every_one_of_many_its_own_number(self, ledger: Ledger, opens: Opens) -> None:
        found = at_once(lambda: opens().id, times=8)
        assert sorted(found) == [f"R-{n}" for n in range(1, 9)]
        assert verified_count(ledger) == 8


class TestLoad:
    @pytest.mark.parametrize("text", ["R-17", "r-17", " r17 ", "R-017", "R-１７"])
    def test_finds_a_request_however_its_id_is_typed(self, text: str) -> None:
        assert normal_id(text) == "R-17"

    @pytest.mark.parametrize(
        "text", ["", "17", "R-", "R-0", "R-1x", "R--1", "R-1\n2", "R-9999999999"]
    )
    def test_finds_nothing_for_what_is_no_id(self, ledger: Ledger, text: str) -> None:
        assert normal_id(text) is None
        assert ledger.load(text) is None

    def test_gives_back_the_classes_that_went_in(self, ledger: Ledger, opens: Opens) -> None:
        request = opens()
        planned = request.with_(plan=plan_for(request))
        saved = ledger.save(planned, audit=None)
        loaded = ledger.load(request.id)
        assert loaded == saved
        assert loaded is not None
        assert loaded.plan is not None
        assert loaded.plan.intact

    def test_says_when_another_version_wrote_the_entry(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        opens()
        redis.hset("ottla:request:R-1", "format", "2")
        with pytest.raises(UnreadableEntry, match=r"R-1 was written by another version.*format 2"):
            ledger.load("R-1")

    def test_names_a_change_that_nobody_knows_any_more(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        opens()
        rewrite_body(redis, "R-1", b"PolishBrokers", b"PaintBrokers")
        with pytest.raises(UnreadableEntry, match="'PaintBrokers' is not a known kind"):
            ledger.load("R-1")

    def test_says_when_a_body_is_damaged(self, ledger: Ledger, redis: Redis, opens: Opens) -> None:
        opens()
        redis.hset("ottla:request:R-1", "body", b"not compressed")
        with pytest.raises(UnreadableEntry, match="damaged"):
            ledger.load("R-1")


class TestSave:
    def test_stores_the_next_version(self, ledger: Ledger, opens: Opens) -> None:
        saved = ledger.save(opens().with_(because="other"), audit=None)
        assert saved.version == 1
        assert ledger.load("R-1") == saved

    def test_lets_exactly_one_of_two_writers_win(self, ledger: Ledger, opens: Opens) -> None:
        for _ in range(10):
            request = opens()
            assert sorted(at_once(partial(try_to_save, ledger, request), times=2)) == [
                "lost",
                "won",
            ]
            lines = list(ledger.audit_lines(request_id=request.id))
            assert [line.event for line in lines] == ["asked", "noted"]

    def test_lets_writers_of_different_requests_all_win(self, ledger: Ledger, opens: Opens) -> None:
        requests = iter([opens() for _ in range(8)])
        lock = threading.Lock()

        def save() -> int:
            with lock:
                request = next(requests)
            return moved(ledger, request, Event.CANCELLED).version

        assert at_once(save, times=8) == [1] * 8
        assert verified_count(ledger) == 16

    def test_refuses_a_move_without_its_audit_line(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = opens()
        before = everything(redis)
        with pytest.raises(ValueError, match="needs an audit line"):
            ledger.save(request.moved(event=Event.CANCELLED, now=NOW), audit=None)
        assert everything(redis) == before

    def test_refuses_to_wake_an_ended_request(self, ledger: Ledger, opens: Opens) -> None:
        ended = moved(ledger, opens(), Event.CANCELLED)
        with pytest.raises(IllegalMove, match="can never be 'running'"):
            ledger.save(ended.with_(state=State.RUNNING), audit=SAID)

    def test_refuses_a_request_that_is_not_there(self, ledger: Ledger, opens: Opens) -> None:
        with pytest.raises(Conflict, match="R-99 is not in the ledger"):
            ledger.save(opens().with_(id="R-99"), audit=None)

    def test_does_not_write_over_an_entry_of_another_version(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = opens()
        for field, value in (("state", "hibernating"), ("format", "2")):
            redis.hset("ottla:request:R-1", field, value)
            before = everything(redis)
            with pytest.raises(UnreadableEntry, match="R-1 was written by another version"):
                ledger.save(request, audit=None)
            assert everything(redis) == before

    def test_refuses_a_due_time_without_a_zone(self, ledger: Ledger, opens: Opens) -> None:
        with pytest.raises(ValueError, match="no time zone"):
            ledger.save(opens(), audit=None, due_at=NOW.replace(tzinfo=None))


class TestOneTransaction:
    def test_stores_state_audit_due_time_work_and_news_together(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        request = opens()
        here = ledger.news_position()
        queued = request.moved(event=Event.PREPARED_ALLOWED, now=NOW)
        ledger.save(queued, audit=SAID, due_at=NOW, work=[Work("tick", "R-1")])
        assert redis.hget("ottla:request:R-1", "state") == b"queued"
        assert [line.event for line in ledger.audit_lines()] == ["asked", "moved"]
        assert ledger.due(NOW) == ("R-1",)
        assert redis.lrange(QUEUE, 0, -1) == [b"prepare-R-1-0-1", b"tick-R-1-1-1"]
        assert ledger.changed_since(here).ids == ("R-1",)

    @pytest.mark.parametrize(
        "broken", ["entries.write", "listing.index", "chain.append", "outbox.owe", "news.publish"]
    )
    def test_stores_nothing_when_the_process_fails_in_between(
        self,
        ledger: Ledger,
        redis: Redis,
        opens: Opens,
        monkeypatch: pytest.MonkeyPatch,
        broken: str,
    ) -> None:
        request = opens()
        before = everything(redis)

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("the power went out")

        monkeypatch.setattr(f"ledger.store.{broken}", fail)
        with pytest.raises(RuntimeError, match="power"):
            ledger.save(
                request.moved(event=Event.PREPARED_ALLOWED, now=NOW),
                audit=SAID,
                due_at=NOW,
                work=[Work("tick", "R-1")],
            )
        assert everything(redis) == before

    def test_leaves_no_job_behind_when_somebody_else_saves_in_between(
        self, ledger: Ledger, redis: Redis, opens: Opens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = opens()
        put = ledger._queue.put

        def put_late(*arguments: object) -> None:
            """The job is on its way when another process saves the same request."""
            monkeypatch.setattr(ledger._queue, "put", put)
            ledger.save(request, audit=None)
            put(*arguments)  # type: ignore[arg-type]  # handed through as it came

        monkeypatch.setattr(ledger._queue, "put", put_late)
        with pytest.raises(Conflict):
            ledger.save(
                request.moved(event=Event.PREPARED_ALLOWED, now=NOW),
                audit=SAID,
                work=[Work("tick", "R-1")],
            )
        assert redis.lrange(QUEUE, 0, -1) == [b"prepare-R-1-0-1"]
        assert redis.hget("ottla:request:R-1", "state") == b"preparing"
        assert len(list(ledger.audit_lines())) == 1

    def test_writes_a_refusal_without_touching_the_request(
        self, ledger: Ledger, redis: Redis, opens: Opens
    ) -> None:
        opens()
        before = redis.hgetall("ottla:request:R-1")
        ledger.refused(request_id="r-1", audit=Audit("U-ANA", "refused", "R-1 is yours"))
        assert redis.hgetall("ottla:request:R-1") == before
        assert [line.event for line in ledger.audit_lines()] == ["asked", "refused"]
