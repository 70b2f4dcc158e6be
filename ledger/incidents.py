"""Incidents and the watch's book: one round of the watch commits as a whole or not at all.

The book's version decides: of two watch processes that judged the same moment, the second gets a
`Conflict`, reads again and judges again, so no incident is opened twice. The surprising truth: people
change incidents too (acknowledge, mute), and they never wait for the watch; a round that started
before such an act is the one that has to begin again.

History is capped: the newest `keys.INCIDENTS_KEPT` incidents, and none longer than
`keys.INCIDENT_DAYS_AFTER_END` days after its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from redis import Redis
from redis.client import Pipeline

from changes.book import Book
from changes.incident import Incident
from changes.request import Refusal
from ledger import entries, keys, news, outbox
from ledger.door import Conflict, Door, normal_id, number_of
from ledger.replies import fields, names, number, values

log = logging.getLogger(__name__)

LIMIT_MAX = 500


class Incidents(Door):
    def watch_book(self, cluster: str) -> Book:
        """The book with the incidents that are open (or whose figures are awaited); a new one when
        none is stored. Raises `UnreadableEntry` for a book of another version of Ottla."""
        with self._reach(f"reading the watch's book of {cluster}") as redis:
            name = f"the watch's book of {cluster}"
            found = entries.opened(name, fields(redis.hgetall(keys.book(cluster))), Book)
            book = found or Book(cluster=cluster)
            wanted = {*names(redis.zrange(keys.open_incidents_of(cluster), 0, -1)), *book.awaited}
            incidents = [_read(redis, one) for one in sorted(wanted, key=number_of)]
        return book.with_(incidents=tuple(one for one in incidents if one))

    def save_watch(
        self, cluster: str, book: Book, incidents: Sequence[Incident], *, expected_version: int
    ) -> Book:
        """Store one round: the book, and the incidents it changed; new ones get their id here.

        Raises `Conflict` and stores nothing when the book, or one of the incidents, was saved by
        somebody else meanwhile. The book that is returned holds the open incidents as stored.
        """

        def write(pipe: Pipeline) -> Book:
            self._check_unchanged(pipe, cluster, incidents, expected_version)
            last = number(pipe.get(keys.INCIDENT_COUNTER))
            saved = _numbered(incidents, last)
            kept = book.with_(cluster=cluster, version=expected_version + 1, incidents=())
            pipe.multi()
            _write_book(pipe, kept)
            if opened := sum(1 for one in incidents if not one.id):
                pipe.set(keys.INCIDENT_COUNTER, last + opened)
            for one in saved:
                _write(pipe, one)
            return kept.with_(incidents=_merged(book.incidents, saved))

        watched = [keys.book(cluster), *(keys.incident(one.id) for one in incidents if one.id)]
        if any(not one.id for one in incidents):
            watched.append(keys.INCIDENT_COUNTER)
        return self._in_one(f"saving what the watch saw of {cluster}", watched, write)

    def incident(self, incident_id: str) -> Incident | None:
        """None = there is none of that id (any more). Raises `UnreadableEntry`."""
        known = normal_id(incident_id, letter="I")
        if known is None:
            return None
        with self._reach(f"reading {known}") as redis:
            return _read(redis, known)

    def open_incidents(self, cluster: str | None = None) -> tuple[Incident, ...]:
        """Oldest first. An entry of another version of Ottla is left out, and logged by name."""
        key = keys.OPEN_INCIDENTS if cluster is None else keys.open_incidents_of(cluster)
        with self._reach("listing open incidents") as redis:
            return _readable(redis, names(redis.zrange(key, 0, -1)))

    def incidents(self, cluster: str | None = None, *, limit: int = 20) -> tuple[Incident, ...]:
        """The history, newest first, open ones among them; left out as in `open_incidents`."""
        if not 1 <= limit <= LIMIT_MAX:
            raise ValueError(f"a list has 1 to {LIMIT_MAX} incidents, not {limit}")
        key = keys.INCIDENTS if cluster is None else keys.incidents_of(cluster)
        with self._reach("listing incidents") as redis:
            return _readable(redis, names(redis.zrevrange(key, 0, limit - 1)))

    def change_incident(
        self, incident_id: str, change: Callable[[Incident], Incident | Refusal]
    ) -> Incident | Refusal | None:
        """Carry a person's act out on the newest version; None = there is no such incident.

        `change` is pure: it is called again when somebody saved in between. An incident that it
        returns as it was is not saved.
        """
        known = normal_id(incident_id, letter="I")
        if known is None:
            return None

        def write(pipe: Pipeline) -> Incident | Refusal | None:
            stored = _read(pipe, known)
            changed = stored if stored is None else change(stored)
            if changed is None or isinstance(changed, Refusal) or changed == stored:
                return changed
            saved = changed.with_(version=changed.version + 1)
            pipe.multi()
            _write(pipe, saved)
            return saved

        return self._in_one(f"changing {known}", [keys.incident(known)], write)

    def _check_unchanged(
        self, pipe: Pipeline, cluster: str, incidents: Iterable[Incident], expected: int
    ) -> None:
        (stored,) = values(pipe.hmget(keys.book(cluster), ["version"]))
        if int(stored or 0) != expected:
            raise Conflict(
                f"The watch's book of {cluster} was saved by somebody else: it is at version "
                f"{int(stored or 0)}, this round started from {expected}."
            )
        for one in incidents:
            if one.id and _stored_version(pipe, one.id) != one.version:
                raise Conflict(f"{one.id} was changed by somebody else while this round ran.")


def _numbered(incidents: Sequence[Incident], last: int) -> tuple[Incident, ...]:
    """As they are stored: each a version further, new ones with the next numbers."""
    found = []
    for one in incidents:
        if not one.id:
            last += 1
            one = one.with_(id=f"I-{last}")
        found.append(one.with_(version=one.version + 1))
    return tuple(found)


def _merged(before: Iterable[Incident], saved: Iterable[Incident]) -> tuple[Incident, ...]:
    found = {one.id: one for one in (*before, *saved) if one.id}
    return tuple(found[one] for one in sorted(found, key=number_of))


def _write_book(pipe: Pipeline, book: Book) -> None:
    key = keys.book(book.cluster)
    body = entries.pressed(f"the watch's book of {book.cluster}", book)
    pipe.hset(key, mapping={"format": entries.FORMAT, "version": book.version, "body": body})
    pipe.expire(key, keys.BOOK_DAYS_AFTER_SAVE * keys.DAY_SECONDS)


def _write(pipe: Pipeline, incident: Incident) -> None:
    """Queue all that one save of an incident writes; the transaction has begun."""
    key = keys.incident(incident.id)
    body = entries.pressed(incident.id, incident)
    pipe.hset(
        key,
        mapping={
            "format": entries.FORMAT,
            "version": incident.version,
            "lines": len(incident.log),
            "body": body,
        },
    )
    _index(pipe, incident)
    if incident.ended_at is None:
        pipe.persist(key)
    else:
        pipe.expire(key, keys.INCIDENT_DAYS_AFTER_END * keys.DAY_SECONDS)
    outbox.owe(pipe, incident.id, outbox.INCIDENTS)
    news.publish(pipe, incident.id)


def _index(pipe: Pipeline, incident: Incident) -> None:
    mine = {incident.id: number_of(incident.id)}
    for key in (keys.INCIDENTS, keys.incidents_of(incident.cluster)):
        pipe.zadd(key, mine)
        pipe.zremrangebyrank(key, 0, -(keys.INCIDENTS_KEPT + 1))
    for key in (keys.OPEN_INCIDENTS, keys.open_incidents_of(incident.cluster)):
        if incident.ended_at is None:
            pipe.zadd(key, mine)
        else:
            pipe.zrem(key, incident.id)


def _stored_version(pipe: Pipeline, incident_id: str) -> int:
    (version,) = values(pipe.hmget(keys.incident(incident_id), ["version"]))
    return int(version or 0)


def _read(redis: Redis, incident_id: str) -> Incident | None:
    stored = fields(redis.hgetall(keys.incident(incident_id)))
    return entries.opened(incident_id, stored, Incident)


def _readable(redis: Redis, ids: Sequence[str]) -> tuple[Incident, ...]:
    pipe = redis.pipeline(transaction=False)
    for one in ids:
        pipe.hgetall(keys.incident(one))
    found = []
    for one, stored in zip(ids, pipe.execute(), strict=True):
        try:
            found.append(entries.opened(one, fields(stored), Incident))
        except entries.UnreadableEntry as unreadable:
            log.error("left out of a list: %s", unreadable)
    return tuple(one for one in found if one is not None)
