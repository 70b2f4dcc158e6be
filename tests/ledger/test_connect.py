from __future__ import annotations

import inspect
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from redis import Redis

from changes.book import Book
from changes.excuses import ChangeLease
from changes.incident import Mute
from changes.lifecycle import Event
from changes.request import Request
from changes.view import ClusterView
from ledger import (
    Audit,
    Card,
    Conflict,
    Fence,
    Ledger,
    LedgerUnavailable,
    Verified,
    connect,
    verify,
)
from ledger.connect import connection_for_worker
from ledger.inspection import what_is_unwise, what_is_wrong
from ledger.rings import Frame
from tests.ledger.conftest import Opens
from tests.ledger.toys import NOW, PERSON, SAID, PolishBrokers, moved
from tests.redis_server import RedisServer, free_port

pytestmark = pytest.mark.slow

FIT = {"redis_version": "6.2.0", "redis_mode": "standalone", "aof_enabled": 1}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One of our own, to be killed."""
    with RedisServer(folder=tmp_path) as server:
        yield server


def ask(ledger: Ledger) -> object:
    return ledger.open_request(
        change=PolishBrokers(cluster="orders", times=3),
        requester=PERSON,
        channel="C-KAFKA",
        asked_in="",
        because="",
        now=NOW,
    )


REQUEST = Request(
    id="R-1",
    change=PolishBrokers(cluster="orders", times=3),
    requester=PERSON,
    channel="C-KAFKA",
    created_at=NOW,
    updated_at=NOW,
)
LEASE = ChangeLease(
    request_id="R-1", cluster="orders", title="polish brokers 3", effects=(), started_at=NOW
)
MUTE = Mute(id="", cluster="orders", subject="", by="U", at=NOW, until=NOW + timedelta(hours=1))
EVERY_CALL: dict[str, Callable[[Ledger], object]] = {
    "check": lambda ledger: ledger.check(),
    "open_request": ask,
    "load": lambda ledger: ledger.load("R-1"),
    "save": lambda ledger: ledger.save(REQUEST, audit=None),
    "requests": lambda ledger: ledger.requests(),
    "unreadable": lambda ledger: ledger.unreadable(),
    "line": lambda ledger: ledger.line("orders"),
    "refused": lambda ledger: ledger.refused(request_id="R-1", audit=SAID),
    "due": lambda ledger: ledger.due(NOW),
    "enqueue_tick": lambda ledger: ledger.enqueue_tick("R-1"),
    "reconcile_due": lambda ledger: ledger.reconcile_due(NOW),
    "claim": lambda ledger: ledger.claim("orders", seconds=1),
    "renew": lambda ledger: ledger.renew(Fence(name="orders", number=1, seconds=1)),
    "release": lambda ledger: ledger.release(Fence(name="orders", number=1, seconds=1)),
    "hold_change_lease": lambda ledger: ledger.hold_change_lease(LEASE, seconds=1),
    "renew_change_lease": lambda ledger: ledger.renew_change_lease("R-1"),
    "end_change_lease": lambda ledger: ledger.end_change_lease(LEASE, NOW),
    "change_leases": lambda ledger: ledger.change_leases("orders"),
    "note_on_request": lambda ledger: ledger.note_on_request("R-1", "x", now=NOW),
    "queue_sweep": lambda ledger: ledger.queue_sweep("orders"),
    "at_work": lambda ledger: ledger.at_work("orders"),
    "follow": lambda ledger: next(ledger.follow(timeout_seconds=0.1)),
    "changed_since": lambda ledger: ledger.changed_since("0-0"),
    "news_position": lambda ledger: ledger.news_position(),
    "keep_picture": lambda ledger: ledger.keep_picture(content=b"x"),
    "picture": lambda ledger: ledger.picture("0" * 64),
    "card": lambda ledger: ledger.card("R-1"),
    "save_card": lambda ledger: ledger.save_card("R-1", Card(channel="C"), expected=None),
    "cards_behind": lambda ledger: ledger.cards_behind(),
    "request_at": lambda ledger: ledger.request_at(channel="C", ts="1.0"),
    "request_at_unindexed": lambda ledger: ledger.request_at_unindexed(channel="C", ts="1.0"),
    "take_delivery": lambda ledger: ledger.take_delivery("x"),
    "delivered": lambda ledger: ledger.delivered("x"),
    "spend": lambda ledger: ledger.spend("x", token="y", most=1, seconds=1, now=NOW),
    "watch_book": lambda ledger: ledger.watch_book("orders"),
    "save_watch": lambda ledger: ledger.save_watch(
        "orders", Book(cluster="orders"), (), expected_version=0
    ),
    "incident": lambda ledger: ledger.incident("I-1"),
    "incidents": lambda ledger: ledger.incidents(),
    "open_incidents": lambda ledger: ledger.open_incidents(),
    "change_incident": lambda ledger: ledger.change_incident("I-1", lambda one: one),
    "incident_card": lambda ledger: ledger.incident_card("I-1"),
    "save_incident_card": lambda ledger: ledger.save_incident_card(
        "I-1", Card(channel="C"), expected=None
    ),
    "incidents_behind": lambda ledger: ledger.incidents_behind(),
    "mutes": lambda ledger: ledger.mutes("orders"),
    "add_mute": lambda ledger: ledger.add_mute(MUTE),
    "end_mute": lambda ledger: ledger.end_mute("M-1", NOW),
    "view": lambda ledger: ledger.view("orders"),
    "keep_view": lambda ledger: ledger.keep_view(
        ClusterView(cluster="orders", at=NOW, scan_seconds=30)
    ),
    "keep_frame": lambda ledger: ledger.keep_frame("orders", Frame(b"x", {}), at=NOW),
    "frames": lambda ledger: list(ledger.frames("orders")),
    "frames_size_bytes": lambda ledger: ledger.frames_size_bytes("orders"),
    "keep_broker_history": lambda ledger: ledger.keep_broker_history("orders", b"x"),
    "broker_history": lambda ledger: ledger.broker_history("orders"),
    "keep_lag_memory": lambda ledger: ledger.keep_lag_memory("orders", b"x"),
    "lag_memory": lambda ledger: ledger.lag_memory("orders"),
    "record": lambda ledger: ledger.record("I-1", audit=SAID),
    "audit_lines": lambda ledger: list(ledger.audit_lines()),
    "export": lambda ledger: ledger.export(StringIO()),
}


class TestAway:
    def test_connecting_alone_needs_no_redis(self) -> None:
        connect("redis://127.0.0.1:1/0")

    @pytest.mark.parametrize("call", EVERY_CALL)
    def test_every_call_says_so_in_a_sentence(self, call: str) -> None:
        ledger = connect(f"redis://user:s3cret@127.0.0.1:{free_port()}/0")
        with pytest.raises(LedgerUnavailable) as told:
            EVERY_CALL[call](ledger)
        assert "Redis at 127.0.0.1:" in str(told.value)
        assert str(told.value).endswith("does not answer.")
        assert "s3cret" not in str(told.value)

    def test_every_call_is_in_the_list_above(self) -> None:
        public = {
            name
            for name, _ in inspect.getmembers(Ledger, inspect.isfunction)
            if not name.startswith("_")
        }
        assert public - {"close"} == set(EVERY_CALL)

    def test_a_redis_that_hangs_costs_two_seconds(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            ledger = connect(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
            begun = time.monotonic()
            with pytest.raises(LedgerUnavailable, match="does not answer in time"):
                ledger.load("R-1")
            assert 1.5 < time.monotonic() - begun < 3
            ledger.close()

    def test_serves_again_once_redis_is_back(self, server: RedisServer) -> None:
        ledger = connect(server.url)
        ask(ledger)
        server.stop()
        with pytest.raises(LedgerUnavailable):
            ledger.load("R-1")
        server.start()
        assert ledger.load("R-1") is not None
        ledger.close()

    def test_a_follower_is_told_and_reads_on_from_where_it_was(self, server: RedisServer) -> None:
        ledger = connect(server.url)
        here = ledger.news_position()
        ask(ledger)
        news = ledger.follow(timeout_seconds=5)
        server.kill()
        with pytest.raises(LedgerUnavailable, match="following the news"):
            next(news)
        server.start()
        assert ledger.changed_since(here).ids == ("R-1",)
        ledger.close()


class TestKilled:
    def test_nothing_that_was_answered_is_lost(self, server: RedisServer) -> None:
        """Four savers, the server killed in the middle: what they were told is there afterwards."""
        ledger = connect(server.url)
        told: list[tuple[str, int]] = []
        lock = threading.Lock()

        def keep_saving(number: int) -> None:
            mine = connect(server.url)
            try:
                request = mine.open_request(
                    change=PolishBrokers(cluster="orders", times=3),
                    requester=PERSON,
                    channel="C",
                    asked_in="",
                    because=str(number),
                    now=NOW,
                )
                while True:
                    request = mine.save(request, audit=Audit("worker", "noted", "still at it"))
                    with lock:
                        told.append((request.id, request.version))
            except (LedgerUnavailable, Conflict):  # a save whose answer was lost is a conflict
                mine.close()

        threads = [threading.Thread(target=keep_saving, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 20
        while len(told) <= 40 and time.monotonic() < end:
            time.sleep(0.01)
        server.kill()
        for thread in threads:
            thread.join(timeout=30)
        server.start()

        assert len(told) > 40
        for request_id, version in told:
            stored = ledger.load(request_id)
            assert stored is not None
            assert stored.version >= version
        written = StringIO()
        ledger.export(written)
        found = verify(written.getvalue().splitlines())
        assert isinstance(found, Verified)
        versions = sum(one.version for one in ledger.requests())
        assert found.count == versions + len(ledger.requests()), "an audit line for every save"
        ledger.close()

    def test_due_times_leases_and_cards_survive_too(self, server: RedisServer) -> None:
        ledger = connect(server.url)
        ask(ledger)
        fence = ledger.claim("orders", seconds=60)
        assert fence is not None
        ledger.save_card("R-1", Card(channel="C", ts="1.0"), expected=None)
        server.kill()
        server.start()
        assert ledger.due(datetime(2100, 1, 1, tzinfo=UTC)) == ("R-1",)
        assert ledger.claim("orders", seconds=60) is None
        assert ledger.renew(fence)
        assert ledger.card("R-1") == Card(channel="C", ts="1.0")
        ledger.close()


class TestRefusedServers:
    @pytest.mark.parametrize(
        ("about", "words"),
        [
            ({"redis_version": "6.0.16"}, "is version 6.0.16; at least 6.2 is needed"),
            ({"redis_version": "5.0.7"}, "is version 5.0.7"),
            ({"redis_version": ""}, "is version unknown"),
            ({"redis_mode": "cluster"}, "is a Redis Cluster"),
            ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, "throws keys away"),
        ],
    )
    def test_are_named_with_what_would_be_right(self, about: dict[str, object], words: str) -> None:
        assert words in what_is_wrong({**FIT, **about})

    @pytest.mark.parametrize(
        "version", ["6.2.0", "6.2.14", "7.0.15", "8.2.3", "10.0.0", "255.255.255"]
    )
    def test_are_not_those_that_are_new_enough(self, version: str) -> None:
        assert not what_is_wrong({**FIT, "redis_version": version})

    def test_do_not_lose_a_word_on_fit_ones(self) -> None:
        assert what_is_unwise(FIT, appendfsync="always") == ()
        assert what_is_unwise(FIT, appendfsync="") == ()

    def test_full_ones_say_that_they_are_full(self, tmp_path: Path) -> None:
        with RedisServer(folder=tmp_path, options=("--maxmemory", "100kb")) as server:
            ledger = connect(server.url)
            with pytest.raises(LedgerUnavailable, match="out of memory and refuses writes"):
                ask(ledger)
            assert ledger.requests() == ()
            ledger.close()

    @pytest.mark.parametrize(
        ("options", "warning"),
        [
            (("--appendonly", "no"), "keeps no append-only file"),
            (("--appendfsync", "everysec"), "answers before it has written (appendfsync everysec)"),
        ],
    )
    def test_that_may_forget_are_used_with_one_warning(
        self,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        options: tuple[str, ...],
        warning: str,
    ) -> None:
        with RedisServer(folder=tmp_path, options=options) as server:
            ledger = connect(server.url)
            ledger.check()
            ledger.check()
            ledger.close()
        assert caplog.text.count(warning) == 1


class TestPassword:
    def test_is_required_beyond_this_machine(self) -> None:
        with pytest.raises(LedgerUnavailable, match=r"redis\.example:6379 has no password"):
            connect("redis://redis.example:6379/0")
        connect("redis://redis.example:6379/0", allow_no_password=True)
        connect("rediss://bot:s3cret@redis.example:6379/0")

    @pytest.mark.parametrize(
        "url",
        [
            *("redis://localhost", "redis://127.0.0.1:6380/2", "redis://[::1]:6379"),
            "unix:///run/redis.sock",
        ],
    )
    def test_is_not_required_on_this_machine(self, url: str) -> None:
        connect(url)

    def test_that_is_wrong_or_missing_is_said(self, tmp_path: Path) -> None:
        with RedisServer(folder=tmp_path, password="right") as server:
            for login in ("", ":wrong@"):
                ledger = connect(server.url.replace(":right@", login))
                with pytest.raises(LedgerUnavailable, match="refuses the user or password"):
                    ledger.check()
                ledger.close()
            ledger = connect(server.url)
            ledger.check()
            ledger.close()

    def test_whose_user_may_not_do_that_is_said(self, server: RedisServer) -> None:
        with Redis.from_url(server.url) as redis:
            redis.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+info")
        ledger = connect(server.url.replace("//", "//reader:pw@"))
        assert ledger.load("R-1") is None
        with pytest.raises(LedgerUnavailable, match="does not allow that to this user"):
            ledger.claim("orders", seconds=1)
        ledger.close()


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "s3cret",
            "http://s3cret@host",
            "redis://:s3/cret@host:6379",
            "redis://:12/s3cret@host:6379",
            "redis://user:s3#cret@host:6379",
            "redis://user:s3cret@host:port",
            "redis://user:s3cret@host:6379/zero?socket_timeout=s3cret",
            "redis://user:s3cret@host:6379?decode_responses=yes",
        ],
    )
    def test_that_cannot_be_read_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(LedgerUnavailable, match="URL cannot be read") as told:
            connect(url)
        assert "s3cret" not in str(told.value)
        assert told.value.__suppress_context__
        assert told.value.__cause__ is None


class TestProcesses:
    def test_a_forked_child_uses_a_connection_of_its_own(
        self, ledger: Ledger, opens: Opens
    ) -> None:
        """RQ forks for every job, after the parent has connected."""
        request = opens()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                moved(ledger, request, Event.CANCELLED)
                code = 0
            finally:
                os._exit(code)
        assert [ledger.load("R-1") is not None for _ in range(50)] == [True] * 50
        assert os.waitpid(child, 0)[1] == 0
        stored = ledger.load("R-1")
        assert stored is not None
        assert stored.state.ended

    def test_the_worker_s_connection_sees_the_same_database(
        self, redis_url: str, opens: Opens
    ) -> None:
        opens()
        with connection_for_worker(redis_url) as redis:
            assert redis.llen("rq:queue:ottla") == 1
