"""A queued request's place in its cluster's line, read from the ledger when it is shown.

The place is nobody's property: it changes when *another* request ends, so it is never stored.
"""

from __future__ import annotations

from changes.lifecycle import State
from changes.request import Request
from ledger import Ledger


def placed(ledger: Ledger, request: Request) -> Request:
    """The request with how many are before it; unchanged unless it is queued."""
    if request.state is not State.QUEUED:
        return request
    line = ledger.line(request.cluster)
    before = line.index(request.id) if request.id in line else 0
    return request.with_(line_position=before)
