"""The append-only record: who did what, each line chained to the one before by its hash.

The surprising truth: a chain shows tampering to whoever remembers its head, and to nobody else.
Somebody who may write to Redis can compute the whole chain afresh or drop its last lines, so exports
(with the head that `verify` prints) belong somewhere that Redis's owners cannot write.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import AwareDatetime, ValidationError
from redis.client import Pipeline

from changes.plan import canonical
from changes.request import Request
from changes.tagged import Value
from ledger import keys
from ledger.door import Door, normal_id
from ledger.entries import UnreadableEntry
from ledger.replies import names, stream
from ledger.words import Audit

FIRST_PREVIOUS = "0" * 64
WORDS_MAX = 4_000
"""Slack's longest text is 3,000 characters; what is longer is cut and says so."""
PAGE_LINES = 500


class AuditLine(Value):
    seq: int
    at: AwareDatetime
    actor: str
    event: str
    request_id: str
    """Or what else it is about: an incident, a mute, a cluster."""
    revision: int
    words: str
    fingerprint: str
    previous: str
    hash: str


FIELDS = frozenset(AuditLine.model_fields)


@dataclass(frozen=True)
class Verified:
    count: int
    head: str
    """Hash of the last line: whoever remembers it can prove the lines before it."""


@dataclass(frozen=True)
class Broken:
    line: int
    """Counted from 1, as editors do."""
    sentence: str


class AuditTrail(Door):
    def audit_lines(self, *, request_id: str | None = None) -> Iterator[AuditLine]:
        """Every line, or those of one request or incident, oldest first."""
        texts = self._texts() if request_id is None else self._texts_of(request_id)
        for text in texts:
            yield _line(text)

    def export(self, path_or_stream: Path | str | IO[str]) -> int:
        """Write every line as it is stored; a file appears whole or not at all. How many lines."""
        if not isinstance(path_or_stream, Path | str):
            return _write_lines(path_or_stream, self._texts())
        path = Path(path_or_stream)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
        try:
            with unfinished.open("w", encoding="utf-8") as stream:
                count = _write_lines(stream, self._texts())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return count

    def record(self, about: str, *, audit: Audit) -> None:
        """A line about something that is no request, such as `I-12` or a cluster's name: who acted on
        an incident or a mute, and who was refused."""

        def write(pipe: Pipeline) -> None:
            line = chained(pipe, audit=audit, at=self._clock().isoformat(), about=about)
            pipe.multi()
            append(pipe, line)

        self._in_one(f"writing an audit line for {about}", [keys.AUDIT], write)

    def _texts(self) -> Iterator[str]:
        after = "-"
        while True:
            with self._reach("reading the audit chain") as redis:
                page = stream(redis.xrange(keys.AUDIT, min=after, count=PAGE_LINES))
            for entry in page:
                yield entry.text(b"line")
                after = f"({entry.id}"
            if len(page) < PAGE_LINES:
                return

    def _texts_of(self, request_id: str) -> Iterator[str]:
        known = normal_id(request_id) or normal_id(request_id, letter="I")
        if known is None:
            return
        with self._reach(f"reading the audit lines of {known}") as redis:
            numbers = names(redis.lrange(keys.audit_of(known), 0, -1))
            pipe = redis.pipeline(transaction=False)
            for number in numbers:
                pipe.xrange(keys.AUDIT, min=f"{number}-0", max=f"{number}-0")
            found = pipe.execute()
        for entries in found:
            for entry in stream(entries):
                yield entry.text(b"line")


def next_line(pipe: Pipeline, *, audit: Audit, request: Request, at: str) -> dict[str, Any]:
    """A request's line, after the last one; see `chained`."""
    return chained(
        pipe,
        audit=audit,
        at=at,
        about=request.id,
        revision=request.revision,
        fingerprint=request.fingerprint,
    )


def chained(
    pipe: Pipeline, *, audit: Audit, at: str, about: str, revision: int = 0, fingerprint: str = ""
) -> dict[str, Any]:
    """The line that follows the last one; `keys.AUDIT` must be watched, the transaction not begun."""
    last = stream(pipe.xrevrange(keys.AUDIT, count=1))
    before = _line(last[0].text(b"line")) if last else None
    line = {
        "seq": before.seq + 1 if before else 1,
        "at": at,
        "actor": _clean(audit.actor),
        "event": _clean(audit.event),
        "request_id": _clean(about),
        "revision": revision,
        "words": _clean(audit.words),
        "fingerprint": fingerprint,
        "previous": before.hash if before else FIRST_PREVIOUS,
    }
    return {**line, "hash": hash_of(line)}


def append(pipe: Pipeline, line: dict[str, Any]) -> None:
    """Queue a line; its number is the entry's id, so Redis itself refuses a second one of it."""
    pipe.xadd(keys.AUDIT, {"line": canonical(line)}, id=f"{line['seq']}-0")
    pipe.rpush(keys.audit_of(line["request_id"]), line["seq"])


def hash_of(line: dict[str, Any]) -> str:
    content = {name: value for name, value in line.items() if name != "hash"}
    return hashlib.sha256(canonical(content)).hexdigest()


def verify(lines: Iterable[str]) -> Verified | Broken:
    """Is this export whole and in order? The first line that is not is named by its number."""
    seq, head = 0, FIRST_PREVIOUS
    for number, text in enumerate(lines, start=1):
        line = _parsed(text.rstrip("\n"))
        wrong = line if isinstance(line, str) else _what_is_wrong(line, seq=seq, head=head)
        if wrong:
            return Broken(line=number, sentence=f"Line {number} {wrong}.")
        assert isinstance(line, dict)
        seq, head = line["seq"], line["hash"]
    return Verified(count=seq, head=head)


def _line(text: str) -> AuditLine:
    try:
        return AuditLine.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableEntry(
            "A line of the audit chain was changed in Redis, or written by another version of Ottla: "
            "`python -m ledger export` and `verify` name it."
        ) from error


def _parsed(text: str) -> dict[str, Any] | str:
    """The line, or what is wrong with its form. Its text must be the very text that was hashed."""
    try:
        line = json.loads(text)
        as_written = isinstance(line, dict) and canonical(line).decode() == text
    except (ValueError, RecursionError):
        return "is not an audit line: it is not JSON"
    if not isinstance(line, dict) or set(line) != FIELDS:
        return f"is not an audit line: it must have {', '.join(sorted(FIELDS))} and nothing else"
    if not isinstance(line["seq"], int) or isinstance(line["seq"], bool):
        return "was changed: its number is not a whole number"
    if not as_written or line["hash"] != hash_of(line):
        return "was changed: its hash does not fit its content"
    return line


def _what_is_wrong(line: dict[str, Any], *, seq: int, head: str) -> str:
    found = line["seq"]
    if found <= seq:
        return f"is out of order: it holds entry {found}, after entry {seq}"
    if found > seq + 1:
        missing = (
            f"entry {seq + 1} is" if found == seq + 2 else f"entries {seq + 1} to {found - 1} are"
        )
        return f"holds entry {found}: {missing} missing before it"
    if line["previous"] != head:
        return "does not follow from the line before it: one of the two was changed"
    return ""


def _clean(text: str) -> str:
    """Text that has a canonical form: lone surrogates have none, and length has a limit."""
    sound = text.encode("utf-8", "replace").decode()
    return sound if len(sound) <= WORDS_MAX else f"{sound[:WORDS_MAX]}… (cut)"


def _write_lines(stream: IO[str], texts: Iterator[str]) -> int:
    count = 0
    for text in texts:
        stream.write(f"{text}\n")
        count += 1
    return count
