"""One partition of a topic is written, or read, at quite another pace than its siblings.

Hot produce: at least four times the middle of the others, twice its fair share and above a floor of
messages a second, in three windows in a row. That is a skewed key: a partition has one leader, so more
brokers do not help, and no button is offered. Slow consume: siblings are written alike, but one
partition's reader keeps up with a quarter of the others' pace or less while its lag grows; its owner
is named where the group's members are known. A reader that stands still is another rule's business.

It sees messages, not bytes, and only partitions that some group commits on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from statistics import median
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.lag_history import LagHistory
from watch.partition_rates import Rates, produce_rates, stands_out
from watch.partition_readers import consume_rates, owner_of, reads_slowly, worst_by_topic
from watch.readable import unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

WINDOW_SCANS_MIN = 2
"""A window of a single scan would lie between two, where scans are a second early or late."""


class HotPartitionSettings(RuleSettings):
    rising = (("clear_times_others", "times_others"),)

    messages_per_second_min: float = Field(default=500, gt=0)
    """Slower partitions are never hot, whatever their siblings do."""
    times_others: float = Field(default=4, gt=1)
    """Times the median of the topic's other partitions, from which it is told."""
    clear_times_others: float = Field(default=3, gt=1)
    """At which it is over."""
    share_factor: float = Field(default=2, gt=1)
    """Times the fair share 1/n; with two partitions that would be all, so three quarters do."""
    z_score_min: float = Field(default=3.5, gt=0)
    """From eight partitions on."""
    window_seconds: float = Field(default=120, ge=20)
    """Rates are taken over this long, or over two scans when these are longer."""
    windows: int = Field(default=3, ge=2, le=6)
    """So many windows in a row; these two are the same for all topics."""
    clear_minutes: float = Field(default=10, ge=0)


class HotPartition(Rule[HotPartitionSettings]):
    name = "hot_partition"
    title = "One partition stands out"
    family = Family.BALANCE
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_LEADERS: "clients follow the leaders that move"
    }
    Settings = HotPartitionSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[HotPartitionSettings]
    ) -> Looked:
        if seen.lag is None:
            return Looked(unseen=unseen(self.name, seen.blind.get("lag") or "lag was not read"))
        of = settings.base
        window = max(of.window_seconds, WINDOW_SCANS_MIN * seen.scan_seconds)
        rates = produce_rates(history.lag, window_seconds=window, windows=of.windows)
        if rates is None:
            needed = window * of.windows / 60
            return Looked(unseen=unseen(self.name, f"less than {needed:.0f} min of scans so far"))
        blind = {f"topic {topic}" for topic, _ in seen.lag.end_errors} - {
            f"topic {topic}" for topic in rates
        }
        return Looked(
            (
                *self._hot(rates, settings),
                *self._slow(rates, history.lag, seen, settings, window),
            ),
            unseen(self.name, "its ends could not be read", sorted(blind)),
        )

    def _hot(
        self, rates: Mapping[str, Mapping[int, Rates]], settings: Tuned[HotPartitionSettings]
    ) -> Iterator[Finding]:
        for topic, of_partition in rates.items():
            of = settings.of(topic)
            partition = max(of_partition, key=lambda p: of_partition[p][-1])
            if len(of_partition) < 2 or min(of_partition[partition]) < of.messages_per_second_min:
                continue
            for phase, factor in (("trigger", of.times_others), ("between", of.clear_times_others)):
                if hot(partition, of_partition, of, factor):
                    yield self._produce(topic, partition, of_partition, of, phase)
                    break

    def _produce(
        self,
        topic: str,
        partition: int,
        rates: Mapping[int, Rates],
        of: HotPartitionSettings,
        phase: str,
    ) -> Finding:
        now = {one: rate[-1] for one, rate in rates.items()}
        share = now[partition] / sum(now.values())
        others = median(rate for one, rate in now.items() if one != partition)
        return Finding(
            rule=self.name,
            kind="hot produce",
            family=self.family,
            subject=f"topic {topic}",
            severity=Severity.WARN,
            phase="trigger" if phase == "trigger" else "between",
            words=f"{topic}-{partition} takes {share:.0%} of the topic's messages: "
            f"{now[partition]:,.0f}/s, the others {others:,.0f}/s in the middle",
            lines=(
                f"{len(rates)} partitions seen, a fair share is {1 / len(rates):.0%}",
                "many messages share one key, or the producer's partitioner is skewed",
            ),
            for_seconds=0,
            keep_seconds=of.clear_minutes * 60,
            measure=round(share, 3),
            measure_words=f"share of {topic}'s messages on its hottest partition",
            why_not="more brokers will not help: one partition has one leader, whatever their "
            "number; spread the key, or give the topic more partitions and another key",
        )

    def _slow(
        self,
        rates: Mapping[str, Mapping[int, Rates]],
        lag: LagHistory,
        seen: Seen,
        settings: Tuned[HotPartitionSettings],
        window_seconds: float,
    ) -> Iterator[Finding]:
        for group in lag.groups():
            for topic, behind in worst_by_topic(lag, group).items():
                of = settings.of(topic)
                floor = of.messages_per_second_min * window_seconds
                if behind[1] >= floor and topic in rates:
                    read = consume_rates(
                        lag,
                        group,
                        topic,
                        window_seconds=window_seconds,
                        windows=settings.base.windows,
                    )
                    found = self._reader(group, topic, behind[0], rates[topic], read, seen, of)
                    if found:
                        yield found

    def _reader(
        self,
        group: str,
        topic: str,
        partition: int,
        produced: Mapping[int, Rates],
        read: Mapping[int, Rates],
        seen: Seen,
        of: HotPartitionSettings,
    ) -> Finding | None:
        if not reads_slowly(partition, read, produced, times_others=of.times_others):
            return None
        others = median(rate[-1] for one, rate in read.items() if one != partition)
        owner = owner_of((topic, partition), seen.members.get(group, ()))
        return Finding(
            rule=self.name,
            kind="slow consume",
            family=self.family,
            subject=f"group {group}",
            severity=Severity.WARN,
            words=f"{topic}-{partition} is read at {read[partition][-1]:,.0f}/s, its siblings at "
            f"{others:,.0f}/s in the middle, though all are written alike",
            lines=(f"owner: {owner}" if owner else "who owns it is not known",),
            for_seconds=0,
            keep_seconds=of.clear_minutes * 60,
            measure=round(read[partition][-1], 1),
            measure_words=f"messages read per second from {topic}-{partition}",
            more_is_better=True,
            why_not="more brokers will not help: the reader of this one partition is slow",
        )


def hot(
    partition: int, rates: Mapping[int, Rates], of: HotPartitionSettings, factor: float
) -> bool:
    """In every window; with few partitions twice the fair share is more than all, so at most 3/4."""
    share = min(of.share_factor, 0.75 * len(rates))
    return all(
        stands_out(
            rates[partition][window],
            [rate[window] for one, rate in rates.items() if one != partition],
            times_others=factor,
            share_factor=share,
            z_min=of.z_score_min,
        )
        for window in range(len(rates[partition]))
    )
