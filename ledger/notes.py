"""Lines that others than the worker write into a request's thread, such as what the watch held back."""

from __future__ import annotations

from datetime import datetime

from changes.request import Request
from ledger.door import Conflict
from ledger.store import Store

TRIES_MAX = 20


class Notes(Store):
    def note_on_request(self, request_id: str, text: str, *, now: datetime) -> Request | None:
        """Write one line into the thread, once; None = there is no such request.

        A line that stands there already is not said again. A tick at work does not lose what it did
        by it: it saves on top of the line (`workers.desk`). Raises `UnreadableEntry` for a request of
        another version, `LedgerUnavailable`, and `Conflict` when others save without an end.
        """
        for _ in range(TRIES_MAX):
            request = self.load(request_id)
            if request is None or any(line.text == text for line in request.log):
                return request
            try:
                return self.save(request.said(now=now, text=text), audit=None)
            except Conflict:
                continue
        raise Conflict(
            f"{request_id} was saved by others {TRIES_MAX} times; the line is not in it."
        )
