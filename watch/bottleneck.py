"""Would more brokers help consumers that fall behind? A change as text for the grammar, or why not.

Only when it is broad (several groups, on at least half of the brokers) and every broker is busy. The
surprising truth: most lag is the consumer's own. Brokers that idle will not read faster when there are more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from changes.lag import TopicPartition
from watch.readable import no_metrics
from watch.remedies import Remedy, more_brokers
from watch.seen import Seen

GROUPS_MIN = 2
BROKERS_SHARE = 0.5


def remedy_for_lag(
    seen: Seen,
    now: datetime,
    *,
    groups: int,
    lagging: Iterable[TopicPartition],
    busy_cpu_percent: float,
) -> Remedy:
    """`groups` fall behind, on the partitions `lagging`."""
    if no_metrics(seen, now) or not seen.loads:
        return Remedy()
    known = [one.cpu_percent for one in seen.loads if one.cpu_percent is not None]
    if not known:
        return Remedy()
    least, most = min(known), max(known)
    if most < busy_cpu_percent:
        return Remedy(
            why_not=f"the consumer is the bottleneck: brokers idle at {most:.0f} % CPU at most"
        )
    if least < busy_cpu_percent:
        return Remedy(
            why_not=f"brokers are unevenly busy ({least:.0f} to {most:.0f} % CPU): spread the load first"
        )
    brokers = {one.broker_id for one in seen.brokers or ()}
    if len(known) < len(brokers):
        return Remedy()  # a broker without figures may be the idle one
    if groups < GROUPS_MIN or not _broad(seen, lagging, len(brokers)):
        return Remedy(
            why_not=f"only few readers are behind: look at them first (brokers at {least:.0f} % CPU)"
        )
    return more_brokers(seen.msk)


def _broad(seen: Seen, lagging: Iterable[TopicPartition], brokers: int) -> bool:
    wanted = set(lagging)
    leaders = {
        one.leader
        for one in seen.partitions or ()
        if one.leader is not None and (one.topic, one.partition) in wanted
    }
    return brokers > 0 and len(leaders) >= BROKERS_SHARE * brokers
