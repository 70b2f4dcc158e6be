"""Was a part of the round readable, and is it young enough to judge by?

The surprising truth: parts are carried over between rounds, so a figure may be present and yet from
an hour ago. Old is as good as missing: neither opens an alert nor ends one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from changes.incident import EVERYTHING, Unseen
from watch.seen import Seen

LOADS_SECONDS_MAX = 600.0
"""CloudWatch's figures come a minute or two late, once a minute."""
SIZES_SECONDS_MAX = 3600.0
"""Log directories are read every five minutes; an hour without them is too long."""


def no_metrics(seen: Seen, now: datetime) -> str:
    """Why CloudWatch's figures cannot be judged by; empty = they can."""
    if seen.loads is None:
        return seen.blind.get("metrics") or "CloudWatch's figures could not be read"
    if seen.loads_at is None or (now - seen.loads_at).total_seconds() > LOADS_SECONDS_MAX:
        return f"CloudWatch's figures were last read {_clock(seen.loads_at)}"
    return ""


def no_placement(seen: Seen) -> str:
    """Why Kafka's metadata cannot be judged by; empty = it can."""
    if seen.partitions is None or seen.brokers is None:
        return seen.blind.get("placement") or "Kafka's metadata could not be read"
    return ""


def no_sizes(seen: Seen, now: datetime) -> str:
    """A broker that did not tell counts for all: what only it holds would weigh nothing."""
    if "sizes" in seen.blind:
        return seen.blind["sizes"]
    if seen.sizes_at is None or (now - seen.sizes_at).total_seconds() > SIZES_SECONDS_MAX:
        return f"sizes on disk were last read {_clock(seen.sizes_at)}"
    return ""


def no_msk(seen: Seen) -> str:
    if seen.msk is None:
        return seen.blind.get("msk") or "MSK could not be asked"
    return ""


def unseen(rule: str, words: str, subjects: Iterable[str] = (EVERYTHING,)) -> tuple[Unseen, ...]:
    """The same words for each object that would have been judged."""
    return tuple(Unseen(rule=rule, subject=subject, words=words) for subject in subjects)


def _clock(at: datetime | None) -> str:
    return f"at {at:%H:%M} UTC" if at else "never"
