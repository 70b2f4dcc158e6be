"""Somebody who can write to Redis puts jobs there by hand; the real worker must run none of them.

One worker process carries out the whole list, so that it is also proved to outlive each of them.
"""

from __future__ import annotations

import http.server
import json
import os
import pickle
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Fields = dict[str, bytes | str]
GOOD: list[Any] = ["workers.jobs.sweep", None, ["all"], {}]


class Bomb:
    """Unpickled, it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def stored(call: list[Any], **more: bytes | str) -> Fields:
    return {"data": zlib.compress(json.dumps(call).encode()), **as_rq_has_it(), **more}


def as_rq_has_it() -> Fields:
    return {
        "created_at": "2026-03-01T10:00:00.000000Z",
        "enqueued_at": "2026-03-01T10:00:00.000000Z",
        "origin": "ottla",
        "description": "\x1b[2J a description that clears the screen",
        "status": "queued",
        "timeout": "30",
    }


def hostile(touch: str, hook: str) -> dict[str, Fields]:
    """Jobs by name; `touch` is a shell command that would leave a file, `hook` an address."""
    webhook = json.dumps([{"url": hook, "job_status": s} for s in ("finished", "failed")])
    call = f"__import__('os').system({touch!r})"
    return {
        "system": stored(["os.system", None, [touch], {}]),
        "builtin": stored(["builtins.eval", None, [call], {}]),
        "import": stored(["tests.security.left_behind.touch", None, [], {}]),
        "other-function-of-ours": stored(["workers.jobs.run", None, [None, "R-1"], {}]),
        "look-alike": stored(["workers.jobs.ticĸ", None, ["R-1"], {}]),
        "name-is-a-list": stored([["os.system"], None, [touch], {}]),
        "no-name": stored([None, None, [touch], {}]),
        "method": stored(["workers.jobs.tick", {"a": 1}, ["R-1"], {}]),
        "extra-kwargs": stored(["workers.jobs.tick", None, ["R-1"], {"own": "mine"}]),
        "extra-args": stored(["workers.jobs.tick", None, ["R-1", touch], {}]),
        "no-args": stored(["workers.jobs.tick", None, [], {}]),
        "odd-args": stored(["workers.jobs.prepare", None, [{"R-1": touch}], {}]),
        "huge-args": stored(["workers.jobs.tick", None, ["R" * 30_000_000], {}]),
        "long-id": stored(["workers.jobs.tick", None, ["R-" + "1" * 5_000], {}]),
        "pickled": {"data": zlib.compress(pickle.dumps(Bomb(touch))), **as_rq_has_it()},
        "pickled-plain": {"data": pickle.dumps(Bomb(touch)), **as_rq_has_it()},
        "pickled-result": stored(
            ["os.system", None, [touch], {}], result=pickle.dumps(Bomb(touch))
        ),
        "callbacks-on-failure": stored(
            ["os.system", None, [touch], {}],
            failure_callback_name="os.system",
            stopped_callback_name="os.system",
        ),
        "webhook-on-failure": stored(["os.system", None, [touch], {}], webhooks=webhook),
        "no-json": {"data": b"\xff\xfe nothing", **as_rq_has_it()},
        "no-data": as_rq_has_it(),
        "no-date": stored(GOOD, created_at="yesterday"),
        "no-number": stored(GOOD, timeout="soon", result_ttl="never"),
        "no-status": stored(GOOD, status="owned"),
        "bad-bytes": stored(GOOD, origin=b"\xff\xff"),
    }


def decorated(hook: str) -> dict[str, Fields]:
    """Our own function, with more than we ever add: it runs, the rest does not."""
    webhook = json.dumps([{"url": hook, "job_status": s} for s in ("finished", "failed")])
    return {
        "callback-on-success": stored(GOOD, success_callback_name="os.system"),
        "webhook-on-success": stored(GOOD, webhooks=webhook),
        "repeated": stored(GOOD, repeats_left="1000000", repeat_intervals="[0]"),
        "dependent": stored(GOOD, dependency_ids='["nobody"]'),
    }


@pytest.fixture(scope="module")
def hook() -> Iterator[tuple[str, list[str]]]:
    """An address inside the network that must not be reached."""
    reached: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/reached", reached
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def aftermath(
    guarded_redis: RedisServer,
    rules: Path,
    hook: tuple[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Redis, str, Path]]:
    """Redis, what the worker said, and the file that must not exist, after the worker's whole round."""
    left = tmp_path_factory.mktemp("left") / "behind"
    jobs = {**hostile(f"touch {left}", hook[0]), **decorated(hook[0]), "good": stored(GOOD)}
    with Redis.from_url(guarded_redis.url) as redis:
        redis.flushdb()
        for name, fields in jobs.items():
            redis.hset(f"rq:job:{name}", mapping=dict(fields))
            redis.rpush("rq:queue:ottla", name)
        redis.sadd("rq:queues", "rq:queue:ottla")
        yield redis, run_worker(guarded_redis.url, rules), left


def run_worker(url: str, rules: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "workers", "--burst"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "REDIS_URL": url,
            "OTTLA_POLICIES": str(rules),
            "ORDERS_KAFKA_USER": "ottla",
            "ORDERS_KAFKA_PASSWORD": "not used by any job here",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


UNREADABLE = {"huge-args", "no-data", "no-date", "no-number", "no-status", "bad-bytes"}


def status(redis: Redis, name: str) -> str:
    found = redis.hget(f"rq:job:{name}", "status")
    return found.decode() if isinstance(found, bytes) else ""


@pytest.mark.parametrize("name", hostile("", "http://x/"))
def test_a_hostile_job_is_refused_and_said(aftermath: tuple[Redis, str, Path], name: str) -> None:
    redis, said, left = aftermath
    assert not left.exists()
    if name not in UNREADABLE:
        assert status(redis, name) == "failed"
    assert name in said, said[-3000:]
    finished = redis.zrange("rq:finished:ottla", 0, -1)
    assert name.encode() not in finished


@pytest.mark.parametrize("name", [*decorated("http://x/"), "good"])
def test_good_jobs_behind_it_still_run(aftermath: tuple[Redis, str, Path], name: str) -> None:
    redis, said, _ = aftermath
    assert status(redis, name) == "finished", said[-3000:]


def test_nothing_was_run_and_no_address_was_asked(
    aftermath: tuple[Redis, str, Path], hook: tuple[str, list[str]]
) -> None:
    redis, said, left = aftermath
    assert not left.exists()
    assert hook[1] == []
    assert redis.llen("rq:queue:ottla") == 0
    assert "\x1b[2J" not in said
    assert "ModuleNotFoundError" not in said, "a name from the queue was imported"


def test_the_same_jobs_do_harm_without_our_class(
    guarded_redis: RedisServer, tmp_path: Path
) -> None:
    """The check of the check: RQ's own job class runs what it is given."""
    from rq import Queue, SimpleWorker
    from rq.serializers import JSONSerializer

    left = tmp_path / "behind"
    with Redis.from_url(guarded_redis.url) as redis:
        redis.flushdb()
        fields = hostile(f"touch {left}", "http://127.0.0.1:9/")["system"]
        redis.hset("rq:job:system", mapping=dict(fields))
        redis.rpush("rq:queue:ottla", "system")
        queue = Queue("ottla", connection=redis, serializer=JSONSerializer)
        SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    assert left.exists()
