"""What the watch saw, round by round, so that a restart is not blind and rules can be replayed.

A frame is one round, packed by `watch/frames.py`; the ledger does not look into it. Tables that many
frames share (which groups and partitions there are, where replicas live) are stored once and left
with the last frame that refers to them. The surprising truth: the space is bounded, not only the
time. A cluster keeps the frames of `FRAME_HOURS` hours and at most `FRAME_BYTES_MAX` bytes of bodies
and tables; the oldest leave first, so a very large cluster remembers fewer hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from ledger import keys
from ledger.door import Door, seconds_of
from ledger.replies import content, fields, names, number, scored, values

FRAME_HOURS = 24
FRAME_BYTES_MAX = 32 * 1024 * 1024
AHEAD_SECONDS = 3600.0
"""Frames further ahead of the newest than this were written by a clock that was wrong, and leave."""
LEAVE_AT_ONCE = 200
READ_AT_ONCE = 50
BROKER_HISTORY_BYTES_MAX = 8 * 1024 * 1024
BROKER_HISTORY_DAYS = 3
LAG_MEMORY_BYTES_MAX = 8 * 1024 * 1024


class Frame(NamedTuple):
    """One round: its own bytes, and the tables it refers to by digest."""

    body: bytes
    tables: Mapping[str, bytes]


class Rings(Door):
    def keep_frame(self, cluster: str, frame: Frame, *, at: datetime) -> bool:
        """Keep one round; False = there is one of that moment already."""
        if not 0 < (size := weight(frame)) <= FRAME_BYTES_MAX // 4:
            raise ValueError(
                f"a frame has 1 to {FRAME_BYTES_MAX // 4:,} bytes with its tables, not {size:,}"
            )
        moment, frame_id = seconds_of(at), str(round(seconds_of(at) * 1000))

        def write(pipe: Pipeline) -> bool:
            if pipe.hexists(keys.frame_bodies(cluster), frame_id):
                return False
            known = names(pipe.hkeys(keys.frame_tables(cluster)))
            new = {name: table for name, table in frame.tables.items() if name not in known}
            pipe.multi()
            pipe.zadd(keys.frames(cluster), {frame_id: moment})
            pipe.hset(keys.frame_bodies(cluster), frame_id, frame.body)
            for name, table in new.items():
                pipe.hset(keys.frame_tables(cluster), name, table)
            if frame.tables:
                pipe.zadd(
                    keys.frame_table_uses(cluster), dict.fromkeys(frame.tables, moment), gt=True
                )
            pipe.incrby(keys.frame_size(cluster), len(frame.body) + sum(map(len, new.values())))
            for key in keys.frames_all(cluster):
                pipe.expire(key, FRAME_HOURS * 3600)
            return True

        kept = self._in_one(f"keeping what was seen of {cluster}", _watched(cluster), write)
        while kept and self._leave(cluster, at):
            pass
        return kept

    def frames(self, cluster: str, *, since: datetime | None = None) -> Iterator[Frame]:
        """Oldest first; those that leave while one reads are skipped."""
        first = "-inf" if since is None else seconds_of(since)
        doing = f"reading what was seen of {cluster}"
        with self._reach(doing) as redis:
            ids = names(redis.zrangebyscore(keys.frames(cluster), first, "+inf"))
            tables = {
                name.decode(): table
                for name, table in fields(redis.hgetall(keys.frame_tables(cluster))).items()
            }
        for place in range(0, len(ids), READ_AT_ONCE):
            with self._reach(doing) as redis:
                some = list(ids[place : place + READ_AT_ONCE])
                bodies = values(redis.hmget(keys.frame_bodies(cluster), some))
            yield from (Frame(body, tables) for body in bodies if body is not None)

    def frames_size_bytes(self, cluster: str) -> int:
        """What the frames and tables of a cluster weigh just now."""
        with self._reach(f"weighing what was seen of {cluster}") as redis:
            return number(redis.get(keys.frame_size(cluster)))

    def keep_broker_history(self, cluster: str, history: bytes) -> None:
        """Figures of brokers as the watch packs them; the newest replaces the one before."""
        if not 0 < len(history) <= BROKER_HISTORY_BYTES_MAX:
            raise ValueError(
                f"a broker history has 1 to {BROKER_HISTORY_BYTES_MAX:,} bytes, not {len(history):,}"
            )
        with self._reach(f"keeping the figures of {cluster}") as redis:
            seconds = BROKER_HISTORY_DAYS * keys.DAY_SECONDS
            redis.set(keys.broker_history(cluster), history, ex=seconds)

    def broker_history(self, cluster: str) -> bytes | None:
        """None = nothing was kept, or not in the last days."""
        with self._reach(f"reading the figures of {cluster}") as redis:
            return content(redis.get(keys.broker_history(cluster)))

    def keep_lag_memory(self, cluster: str, memory: bytes) -> None:
        """What outlives the frames' scans; the newest replaces the one before."""
        if not 0 < len(memory) <= LAG_MEMORY_BYTES_MAX:
            raise ValueError(
                f"a memory of offsets has 1 to {LAG_MEMORY_BYTES_MAX:,} bytes, not {len(memory):,}"
            )
        with self._reach(f"keeping what is remembered of {cluster}") as redis:
            redis.set(keys.lag_memory(cluster), memory, ex=FRAME_HOURS * 3600)

    def lag_memory(self, cluster: str) -> bytes | None:
        """None = nothing was kept, or not in the last day."""
        with self._reach(f"reading what is remembered of {cluster}") as redis:
            return content(redis.get(keys.lag_memory(cluster)))

    def _leave(self, cluster: str, newest: datetime) -> bool:
        """Let some of the oldest go where there are too many; True = there may be more."""
        now = seconds_of(newest)

        def write(pipe: Pipeline) -> bool:
            gone = _too_many(pipe, cluster, now)
            if not gone:
                return False
            rest = scored(
                pipe.zrangebyscore(
                    keys.frames(cluster), "-inf", "+inf", start=len(gone), num=1, withscores=True
                )
            )
            unused = _unused(pipe, cluster, rest[0][1] if rest else now)
            freed = sum(gone.values()) + sum(unused.values())
            pipe.multi()
            pipe.zrem(keys.frames(cluster), *gone)
            pipe.hdel(keys.frame_bodies(cluster), *gone)
            if unused:
                pipe.hdel(keys.frame_tables(cluster), *unused)
                pipe.zrem(keys.frame_table_uses(cluster), *unused)
            pipe.decrby(keys.frame_size(cluster), freed)
            return True

        return self._in_one(f"forgetting what was seen of {cluster}", _watched(cluster), write)


def weight(frame: Frame) -> int:
    """Bytes it costs at most: less when its tables are stored already."""
    return len(frame.body) + sum(map(len, frame.tables.values()))


def _watched(cluster: str) -> list[str]:
    return [keys.frames(cluster)]


def _too_many(redis: Redis, cluster: str, now: float) -> dict[str, int]:
    """(id → bytes) of the next frames that must leave, oldest first, never the newest."""
    ahead = redis.zrangebyscore(keys.frames(cluster), now + AHEAD_SECONDS, "+inf", start=0, num=1)
    if ahead:
        return {one: _length(redis, keys.frame_bodies(cluster), one) for one in names(ahead)}
    over = number(redis.get(keys.frame_size(cluster))) - FRAME_BYTES_MAX
    too_old = now - timedelta(hours=FRAME_HOURS).total_seconds()
    gone: dict[str, int] = {}
    oldest = redis.zrange(keys.frames(cluster), 0, LEAVE_AT_ONCE - 1, withscores=True)
    for name, moment in scored(oldest):
        if (moment >= too_old and over <= 0) or moment >= now:
            break
        size = _length(redis, keys.frame_bodies(cluster), name)
        gone[name] = size
        over -= size
    return gone


def _unused(redis: Redis, cluster: str, oldest_kept: float) -> dict[str, int]:
    """(digest → bytes) of tables whose last user is gone."""
    last_used_before = redis.zrangebyscore(
        keys.frame_table_uses(cluster), "-inf", f"({oldest_kept}"
    )
    return {
        name: _length(redis, keys.frame_tables(cluster), name) for name in names(last_used_before)
    }


def _length(redis: Redis, key: str, field: str) -> int:
    size: int = redis.hstrlen(key, field)
    return size
