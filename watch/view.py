"""The view that is kept for those who ask: groups worst first, brokers, forecasts, what was not seen.

Pure: what one round saw and judged, put into lines. The surprising truth: a view leaves things out on
purpose. Of five thousand groups nobody reads the last; rates are worked out for those at the top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from changes.incident import Family, Finding
from changes.view import GROUPS_MAX, TOPICS_MAX, BrokerLine, ClusterView, ForecastLine, GroupLine
from watch.lag_history import UNKNOWN, LagHistory
from watch.lag_states import BADNESS, GroupVerdict, LagState
from watch.rule import Looked
from watch.seen import Seen

RATES_MAX = 300
"""Groups whose pace is shown: the worst, and those with most to read."""
RATE_SECONDS = 300.0
WORST_MAX = 5
ADVICE_MAX = 20
BLIND_MAX = 20
PART_NAMES = {
    "lag": "consumer groups",
    "metrics": "CloudWatch",
    "group lag": "CloudWatch's lag",
    "placement": "brokers and partitions",
    "reassignments": "running reassignments",
    "msk": "MSK",
    "sizes": "sizes on disk",
    "topics": "topics' settings",
    "members": "members of groups",
}
QUIET = frozenset({LagState.OK, LagState.IN_CYCLE, LagState.NO_COMMIT, LagState.ABANDONED})


class Rates(NamedTuple):
    """Messages a second that a group's partitions get, and that it commits."""

    into: float | None
    out: float | None


def topic_names(seen: Seen) -> tuple[str, ...]:
    found = sorted({one.topic for one in seen.partitions or ()})
    return tuple(found) if len(found) <= TOPICS_MAX else ()


def view_of(
    seen: Seen,
    *,
    history: LagHistory,
    groups: Mapping[str, GroupVerdict],
    forecasts: tuple[ForecastLine, ...],
    looked: Looked,
    complaints: Iterable[str] = (),
    on_call: str = "",
) -> ClusterView:
    ordered = sorted(groups.values(), key=badness)
    return ClusterView(
        cluster=seen.cluster.name,
        at=seen.at,
        scan_seconds=seen.scan_seconds,
        groups=tuple(
            group_line(
                one, rates_of(history, one.group) if place < RATES_MAX else Rates(None, None)
            )
            for place, one in enumerate(ordered[:GROUPS_MAX])
        ),
        groups_total=len(ordered),
        groups_unread=sum(one.state is LagState.NO_DATA for one in ordered),
        topics=topic_names(seen),
        brokers=broker_lines(seen),
        forecasts=forecasts,
        advice=advice(looked.findings),
        blind=tuple([*complaints, *blind_words(seen)][:BLIND_MAX]),
        on_call=on_call,
    )


def badness(one: GroupVerdict) -> tuple[int, int, str]:
    """Worst first; what could not be read before what is fine, so that nobody overlooks it."""
    place = 0.5 + BADNESS[LagState.UNKNOWN] if one.state is LagState.NO_DATA else BADNESS[one.state]
    return round(2 * place), -(one.lag or 0), one.group


def troubled(groups: Mapping[str, GroupVerdict]) -> tuple[str, ...]:
    """Groups whose members are worth asking for, worst first. Of a topic that seems abandoned they are
    asked again and again: a rebalance that no scan saw may have given it an owner."""
    found = [
        one
        for one in groups.values()
        if (one.state not in QUIET and one.state is not LagState.NO_DATA)
        or one.of(LagState.ABANDONED)
    ]
    return tuple(one.group for one in sorted(found, key=badness))


def group_line(one: GroupVerdict, rates: Rates) -> GroupLine:
    return GroupLine(
        group=one.group,
        state=one.state.value,
        kafka_state=one.kafka_state,
        lag=one.lag,
        age_words="" if one.lag in (0, None) else one.age.words,
        messages_per_second_in=rates.into,
        messages_per_second_out=rates.out,
        worst=tuple(
            (entry.name, entry.lag)
            for entry in sorted(one.entries, key=lambda entry: -entry.lag)[:WORST_MAX]
            if entry.lag > 0
        ),
        unread_partitions=one.unread,
    )


def rates_of(history: LagHistory, group: str) -> Rates:
    """Over the last five minutes, of what both the first and the last scan of them could read."""
    into = out = seconds = 0.0
    known = False
    for slot in history.slots(group).values():
        samples = history.samples_at(slot)
        since = max(history.unbroken_from, (samples[-1].at if samples else 0) - RATE_SECONDS)
        recent = [
            one for one in samples if one.at >= since and one.committed >= 0 and one.end != UNKNOWN
        ]
        if len(recent) < 2:
            continue
        known = True
        first, last = recent[0], recent[-1]
        seconds = last.at - first.at
        into += (last.end - first.end) / seconds
        out += (last.committed - first.committed) / seconds
    return Rates(round(max(0.0, into), 2), round(max(0.0, out), 2)) if known else Rates(None, None)


def broker_lines(seen: Seen) -> tuple[BrokerLine, ...]:
    if seen.brokers is None:
        return ()
    placed = seen.partitions or ()
    leaders = Counter(one.leader for one in placed if one.leader is not None)
    replicas = Counter(holder for one in placed for holder in one.replicas)
    sizes: Counter[int] = Counter()
    for one in placed:
        for holder in one.replicas:
            sizes[holder] += one.size_bytes
    loads = {one.broker_id: one for one in seen.loads or ()}
    lines = []
    for broker in seen.brokers:
        load = loads.get(broker.broker_id)
        lines.append(
            BrokerLine(
                broker_id=broker.broker_id,
                rack=broker.rack,
                leaders=leaders[broker.broker_id],
                replicas=replicas[broker.broker_id],
                size_bytes=sizes[broker.broker_id] if seen.sizes_at else None,
                disk_used_percent=load.disk_used_percent if load else None,
                cpu_percent=load.cpu_percent if load else None,
                bytes_in_per_second=load.bytes_in_per_second if load else None,
            )
        )
    return tuple(lines)


def advice(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What the rules say of balance and growth; the bot makes what is from outside harmless."""
    found = [one for one in findings if one.family in (Family.BALANCE, Family.CAPACITY)]
    return tuple(map(sentence, sorted(found, key=lambda one: -one.severity)))[:ADVICE_MAX]


def sentence(one: Finding) -> str:
    if one.proposal:
        return f"{one.words}; {one.proposal} would help"
    return f"{one.words}; {one.why_not}" if one.why_not else one.words


def blind_words(seen: Seen) -> list[str]:
    found = [f"{PART_NAMES.get(part, part)}: {words}" for part, words in seen.blind.items()]
    if seen.lag is not None:
        found += [
            f"consumer groups of broker {broker}: {words}"
            for broker, words in sorted(seen.lag.blind_brokers.items())
        ]
    return found
