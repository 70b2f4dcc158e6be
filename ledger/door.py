"""One way to Redis for every part of the ledger: one transaction shape, one kind of failure.

The surprising truth: when the connection dies while a transaction is on its way, nobody knows whether
it was carried out. redis-py reports that as a lost race (`WatchError`), so the transaction is begun
again from reading; if it had been carried out, the version read is a newer one and the caller gets
`Conflict`. redis-py's own retries are switched off, since they would send a transaction twice.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    WatchError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ledger.skew import Skew

TRIES_MAX = 200
"""Lost races before giving up; each lost race means that somebody else's transaction went through."""
PAUSE_SECONDS_MAX = 0.01

_LASTING = (NoPermissionError, AuthenticationError)
_REFUSES_WRITES = re.compile(r"\b(MISCONF|NOREPLICAS|CLUSTERDOWN)\b")
_PASSED_ON = re.compile(r"\b(UNBLOCKED|MASTERDOWN)\b")
"""What a server says once another one has taken over (a failover)."""

Result = TypeVar("Result")


class LedgerUnavailable(Exception):
    """Redis is away or refuses to serve; the sentence can be shown and holds no credentials."""


class LedgerRefuses(LedgerUnavailable):
    """Waiting mends nothing: a wrong password, too few rights, a Redis that is not fit for it."""


class Conflict(Exception):
    """Somebody else saved first: reload and decide again."""


class Door:
    """What every part of the ledger stands on."""

    def __init__(
        self,
        *,
        redis: Redis,
        address: str,
        clock: Callable[[], datetime],
        inspect: Callable[[Redis], None],
    ) -> None:
        self._redis = redis
        self._address = address
        self._clock = clock
        self._inspect = inspect
        self._inspected = False
        self._skew = Skew(address=address, clock=clock)

    def _score(self, moment: datetime) -> float:
        """A moment of this machine's clock as one of Redis's, which every process shares."""
        return seconds_of(moment) + self._skew.seconds

    @contextmanager
    def _reach(self, doing: str) -> Iterator[Redis]:
        """Redis, inspected once; whatever fails becomes a sentence that says what was being done."""
        try:
            if not self._inspected:
                self._inspect(self._redis)
                self._inspected = True
            self._skew.measure(self._redis)
            yield self._redis
        except (RedisConnectionError, RedisTimeoutError, ResponseError) as error:
            if why := _why_unavailable(error):
                if _has_moved(error):
                    self._dial_again()
                kind = LedgerRefuses if isinstance(error, _LASTING) else LedgerUnavailable
                raise kind(
                    f"The ledger cannot be used while {doing}: Redis at {self._address} {why}."
                ) from error
            raise

    def _dial_again(self) -> None:
        """A connection to what is a replica by now stays one for ever; the address may lead elsewhere."""
        self._redis.connection_pool.disconnect()
        self._inspected = False

    def _in_one(
        self, doing: str, watched: Sequence[str], write: Callable[[Pipeline], Result]
    ) -> Result:
        """Carry `write` out as one transaction: it reads, calls `multi()`, then queues its writes.

        Begun again from reading when anybody touched a watched key meanwhile.
        """
        for _ in range(TRIES_MAX):
            with self._reach(doing) as redis, redis.pipeline(transaction=True) as pipe:
                try:
                    watch: Callable[..., object] = pipe.watch  # redis-py gives it no types
                    watch(*watched)
                    result = write(pipe)
                    if pipe.explicit_transaction:
                        pipe.execute()
                    return result
                except WatchError:
                    pass
            time.sleep(random.uniform(0, PAUSE_SECONDS_MAX))
        raise LedgerUnavailable(
            f"The ledger cannot be used while {doing}: {TRIES_MAX} others saved first, one after another."
        )


def _has_moved(error: Exception) -> bool:
    """Is the server behind this connection no longer the one that takes writes?"""
    return isinstance(error, ReadOnlyError) or bool(_PASSED_ON.search(str(error)))


def _why_unavailable(error: Exception) -> str:
    """Why this failure means that Redis cannot serve; empty = it is a mistake of ours."""
    if isinstance(error, NoPermissionError):
        return "does not allow that to this user (see its ACL)"
    if isinstance(error, AuthenticationError):
        return "refuses the user or password that was given"
    if isinstance(error, BusyLoadingError):
        return "is still loading its data"
    if isinstance(error, RedisTimeoutError):
        return "does not answer in time"
    if isinstance(error, RedisConnectionError):
        return _why_unreachable(error)
    if isinstance(error, OutOfMemoryError):
        return "is out of memory and refuses writes"
    if isinstance(error, ReadOnlyError):
        return "is a replica and refuses writes"
    if _PASSED_ON.search(str(error)):
        return "has just become a replica"
    if found := _REFUSES_WRITES.search(str(error)):
        return f"refuses writes ({found.group()})"
    return ""


def _why_unreachable(error: BaseException | None) -> str:
    """Down the chain of causes: a certificate and a name are other mistakes than a server that is down."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "has a TLS certificate that is not trusted (name its CA: `?ssl_ca_certs=/path`)"
        if isinstance(error, socket.gaierror):
            return "has a name that nobody knows"
        error = error.__cause__ or error.__context__
    return "does not answer"


def normal_id(text: str, *, letter: str = "R") -> str | None:
    """`r-17`, ` R-17 ` and full-width digits all mean R-17; None = nothing is called that.

    Requests begin with R, incidents with I, mutes with M.
    """
    found = re.fullmatch(
        rf"{letter}-?0*([1-9][0-9]{{0,8}})", unicodedata.normalize("NFKC", text).strip().upper()
    )
    return f"{letter}-{found.group(1)}" if found else None


def number_of(numbered_id: str) -> int:
    return int(numbered_id.partition("-")[2])


def seconds_of(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone means nothing and is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give one, such as UTC")
    return moment.timestamp()


def utc_now() -> datetime:
    return datetime.now(UTC)
