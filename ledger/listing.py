"""Which requests there are: all, the open ones, those of a cluster, and a cluster's line.

Ids and order come from indexes that every save keeps; bodies are read for the ones asked for only, so
a thousand finished requests cost a list of the open ones nothing.
"""

from __future__ import annotations

import logging

from redis.client import Pipeline

from changes.lifecycle import State
from changes.request import Request
from ledger import entries, keys
from ledger.door import Door, number_of
from ledger.replies import names

log = logging.getLogger(__name__)

LIMIT_MAX = 1_000
IN_LINE = frozenset({State.QUEUED, State.RUNNING, State.ROLLING_BACK})
"""A change that rolls back still has its cluster: the next one waits."""


class Listing(Door):
    def requests(
        self, *, cluster: str | None = None, open_only: bool = False, limit: int = 50
    ) -> tuple[Request, ...]:
        """Newest first. An entry of another version of Ottla is left out, and logged by name."""
        found = self._entries(_index(cluster, open_only), limit)
        return tuple(one for one in (_readable(*entry) for entry in found.items()) if one)

    def unreadable(self, *, cluster: str | None = None, limit: int = 50) -> tuple[str, ...]:
        """A sentence for each open request that another version of Ottla wrote, newest first."""
        found = self._entries(_index(cluster, True), limit)
        return tuple(why for why in (_why_unreadable(*entry) for entry in found.items()) if why)

    def _entries(self, key: str, limit: int) -> dict[str, dict[bytes, bytes]]:
        if not 1 <= limit <= LIMIT_MAX:
            raise ValueError(f"a list has 1 to {LIMIT_MAX} requests, not {limit}")
        with self._reach("listing requests") as redis:
            ids = names(redis.zrevrange(key, 0, limit - 1))
            pipe = redis.pipeline(transaction=False)
            for request_id in ids:
                pipe.hgetall(keys.request(request_id))
            return dict(zip(ids, pipe.execute(), strict=True))

    def line(self, cluster: str) -> tuple[str, ...]:
        """Ids of the queued and running requests of a cluster, in the order they were queued."""
        with self._reach(f"reading the line of {cluster}") as redis:
            return names(redis.zrange(keys.line(cluster), 0, -1))


def index(pipe: Pipeline, request: Request, *, audit_number: int | None) -> None:
    """Queue what keeps the indexes true; a place in line is the number of the move's audit line."""
    mine = {request.id: number_of(request.id)}
    if request.version == 0:
        pipe.zadd(keys.ALL, mine)
        pipe.zadd(keys.all_of(request.cluster), mine)
    for key in (keys.OPEN, keys.open_of(request.cluster)):
        if request.state.ended:
            pipe.zrem(key, request.id)
        else:
            pipe.zadd(key, mine)
    if request.state not in IN_LINE:
        pipe.zrem(keys.line(request.cluster), request.id)
    elif audit_number is not None:
        pipe.zadd(keys.line(request.cluster), {request.id: audit_number}, nx=True)


def _index(cluster: str | None, open_only: bool) -> str:
    if cluster is None:
        return keys.OPEN if open_only else keys.ALL
    return keys.open_of(cluster) if open_only else keys.all_of(cluster)


def _readable(request_id: str, fields: dict[bytes, bytes]) -> Request | None:
    try:
        return entries.read(request_id, fields)
    except entries.UnreadableEntry as unreadable:
        log.error("left out of a list: %s", unreadable)
        return None


def _why_unreadable(request_id: str, fields: dict[bytes, bytes]) -> str:
    try:
        entries.read(request_id, fields)
    except entries.UnreadableEntry as unreadable:
        return str(unreadable)
    return ""
