"""The ledger: what happened and what is to happen next. The only room that knows Redis.

A request's new state, its audit line, its due time, the queued work and the news commit in one
transaction or not at all. The surprising truth: nothing here trusts the job queue. Wiping every key
of RQ loses no request, because due times live beside the requests and are derived from them again.
"""

from ledger.audit import AuditLine, Broken, Verified, verify
from ledger.connect import Ledger, connect
from ledger.door import Conflict, LedgerRefuses, LedgerUnavailable
from ledger.entries import UnreadableEntry
from ledger.leases import Fence
from ledger.news import News
from ledger.outbox import Card
from ledger.words import Audit
from ledger.work import Work

__all__ = [
    "Audit",
    "AuditLine",
    "Broken",
    "Card",
    "Conflict",
    "Fence",
    "Ledger",
    "LedgerRefuses",
    "LedgerUnavailable",
    "News",
    "UnreadableEntry",
    "Verified",
    "Work",
    "connect",
    "verify",
]
