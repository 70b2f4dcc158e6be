"""What went over the wire: API calls, deliveries, acks, faults. Tests assert on these facts, people read them.

Tokens never reach the log.
"""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from lab.slack.clock import Clock
from lab.slack.entities import Json

ENTRIES_MAX = 20_000
SECRET_KEYS = frozenset({"token", "ticket"})


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "…" if k in SECRET_KEYS else _without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


class WireLog:
    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[Json] = deque(maxlen=ENTRIES_MAX)
        self._count = 0

    def write(self, kind: str, **facts: Any) -> None:
        self._count += 1
        entry = {"n": self._count, "at": round(self._clock.now(), 3), "kind": kind}
        self._entries.append({**entry, **_without_secrets(facts)})

    def entries(self, *, kind: str = "", since: int = 0) -> Iterator[Json]:
        for entry in list(self._entries):
            if entry["n"] > since and kind in ("", entry["kind"]):
                yield entry

    def lines(self, *, kind: str = "", since: int = 0) -> str:
        entries = self.entries(kind=kind, since=since)
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)

    def clear(self) -> None:
        self._entries.clear()
