"""A real ledger whose every write to Redis passes through the hook: transactions and single commands.

The surprising truth: a transaction has no middle. Redis carries out MULTI … EXEC as one, so before and
after are all the moments there are; "after" is a process that dies with the answer on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from redis import Redis
from redis.client import Pipeline

from ledger import Ledger, connect
from tests.faults.moments import Moments

WRITES = frozenset({"SET", "EVAL", "DEL", "ZADD", "ZREM", "XADD", "HSET", "INCR", "SADD", "RPUSH"})
UNCOUNTED = ("renewing",)
"""A heartbeat comes when it comes; counting it would number the others differently in each run."""


class WatchedLedger(Ledger):
    """Says what it is doing, so that a case has a name."""

    doing = ""

    @contextmanager
    def _reach(self, doing: str) -> Iterator[Redis]:
        self.doing = doing
        with super()._reach(doing) as redis:
            yield redis


def watched_ledger(
    url: str, *, role: str, moments: Moments, clock: Callable[[], datetime]
) -> WatchedLedger:
    pool = connect(url)._redis.connection_pool

    def passing(command: str, send: Callable[[], Any]) -> Any:
        if command not in WRITES or ledger.doing.startswith(UNCOUNTED):
            return send()
        return moments.passing(role, ledger.doing, send)

    class WatchedRedis(Redis):
        def execute_command(self, *args: Any, **options: Any) -> Any:
            send: Callable[..., Any] = super().execute_command  # redis-py gives it no types
            return passing(str(args[0]).upper(), lambda: send(*args, **options))

        def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Pipeline:
            opened: Callable[..., Pipeline] = WatchedPipeline
            return opened(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    class WatchedPipeline(Pipeline):
        def execute(self, raise_on_error: bool = True) -> Any:
            commands = {str(one[0][0]).upper() for one in self.command_stack}
            written = sorted(commands & WRITES)
            send: Callable[[bool], Any] = super().execute  # redis-py gives it no types
            return passing(written[0] if written else "", lambda: send(raise_on_error))

    address = str(pool.connection_kwargs.get("port", ""))
    redis = WatchedRedis(connection_pool=pool)
    ledger = WatchedLedger(redis=redis, address=address, clock=clock, inspect=lambda _: None)
    return ledger
