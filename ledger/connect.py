"""The ledger, put together: one connection, one time-out policy, one inspection of the server.

The surprising truth: connecting does nothing. A bot that starts while Redis is away must be able to
tell people so; the first call that needs Redis inspects it, and `check()` does that on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ledger.audit import AuditTrail
from ledger.budget import Budget
from ledger.change_leases import ChangeLeases
from ledger.deliveries import Deliveries
from ledger.door import LedgerUnavailable, utc_now
from ledger.due import DueTimes
from ledger.incidents import Incidents
from ledger.inspection import inspect
from ledger.leases import Leases
from ledger.listing import Listing
from ledger.mutes import Mutes
from ledger.news import Newsroom
from ledger.notes import Notes
from ledger.outbox import Outbox
from ledger.rings import Rings
from ledger.snapshots import Snapshots
from ledger.sweeps import Sweeps
from ledger.threads import Threads
from ledger.views import Views
from ledger.work import WorkQueue

__all__ = ["Ledger", "LedgerUnavailable", "connect", "connection_for_worker"]

TIMEOUT_SECONDS = 2.0
"""Slack wants an answer within 3 s, also when the answer is that Redis is away."""


class Ledger(
    Notes,
    Budget,
    Deliveries,
    Listing,
    DueTimes,
    Leases,
    ChangeLeases,
    Newsroom,
    Rings,
    Snapshots,
    Outbox,
    Incidents,
    Mutes,
    Sweeps,
    Threads,
    AuditTrail,
    Views,
):
    """Everything the processes may ask; safe to use from several threads and after a fork."""

    def __init__(
        self,
        *,
        redis: Redis,
        address: str,
        clock: Callable[[], datetime],
        inspect: Callable[[Redis], None],
    ) -> None:
        super().__init__(redis=redis, address=address, clock=clock, inspect=inspect)
        self._queue = WorkQueue(redis)

    def check(self) -> None:
        """Raise `LedgerUnavailable` now rather than at the first call that needs Redis."""
        with self._reach("starting") as redis:
            redis.ping()

    def close(self) -> None:
        self._redis.connection_pool.disconnect()


def connect(
    url: str, *, allow_no_password: bool = False, clock: Callable[[], datetime] = utc_now
) -> Ledger:
    """The ledger behind `redis://[user:password@]host[:port][/database]`, `rediss://` or `unix://`.

    Beyond this machine a password is required unless `allow_no_password`.
    """
    pool = _pool(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # see ledger/door.py: a repeated transaction is ours to decide
        decode_responses=False,
        protocol=2,
    )
    settings = pool.connection_kwargs
    address = _address(settings)
    if not allow_no_password and not settings.get("password") and not _on_this_machine(settings):
        raise LedgerUnavailable(
            f"The ledger is not used: Redis at {address} has no password in its URL, so anybody in its "
            "network could approve changes. Give one (redis://user:password@host), or allow it on purpose."
        )
    return Ledger(
        redis=Redis(connection_pool=pool),
        address=address,
        clock=clock,
        inspect=lambda redis: inspect(redis, address=address),
    )


def connection_for_worker(url: str) -> Redis:
    """For RQ's worker alone, which blocks on its queue and sets its own time-outs."""
    return Redis(connection_pool=_pool(url))


def _pool(url: str, **settings: Any) -> ConnectionPool:
    try:
        pool = ConnectionPool.from_url(url, **settings) if _plain(url) else None
    except (ValueError, TypeError):
        pool = None
    # A password with / or # in it makes the rest of it look like a path: then there is no host.
    if pool is None or not (pool.connection_kwargs.keys() & {"host", "path"}):
        # The URL itself is not repeated, and neither is the cause: both may hold the password.
        raise LedgerUnavailable(
            "The ledger is not used: the Redis URL cannot be read. It must look like "
            "redis://user:password@host:6379/0, with / # ? % in the password percent-encoded "
            "and no settings behind a question mark but db, username, password and ssl_…."
        ) from None
    return pool


def _plain(url: str) -> bool:
    """Only where and who, and TLS: a setting in the URL would win over ours."""
    given = parse_qs(urlsplit(url).query, keep_blank_values=True)
    return all(name in {"db", "username", "password"} or name.startswith("ssl_") for name in given)


def _address(settings: dict[str, object]) -> str:
    if path := settings.get("path"):
        return str(path)
    return f"{settings['host']}:{settings.get('port', 6379)}"


def _on_this_machine(settings: dict[str, object]) -> bool:
    host = str(settings.get("host", ""))
    return "path" in settings or host in {"localhost", "::1"} or host.startswith("127.")
