"""A broker holds nearly as many partitions as MSK allows its type.

Leaders and followers count together, MSK's canaries too. Above the number AWS recommends it is only
shown; from nine tenths of the most that still allows updates somebody is told, since beyond it MSK
refuses configurations, smaller types and, by older pages, versions. Limits are those of AWS's guide; of
a type it does not list nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from changes.msk_limits import PartitionLimit, partitions_per_broker
from watch.broker_figures import replicas
from watch.history import History
from watch.readable import no_msk, no_placement, unseen
from watch.remedies import Remedy, more_brokers
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen


class PartitionsLimitSettings(RuleSettings):
    rising = (("clear_share", "warn_share"),)

    warn_share: float = Field(default=0.90, gt=0)
    """Of the most that still allows updates."""
    clear_share: float = Field(default=0.85, gt=0)
    """Share of the limit below which it is over."""
    hold_minutes: float = Field(default=10, ge=0)
    clear_minutes: float = Field(default=10, ge=0)


class PartitionsLimit(Rule[PartitionsLimitSettings]):
    name = "partitions_limit"
    title = "Partitions per broker are near MSK's limit"
    family = Family.CAPACITY
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.MOVES_REPLICAS: "replicas count twice while they move"
    }
    Settings = PartitionsLimitSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[PartitionsLimitSettings]
    ) -> Looked:
        why = no_placement(seen) or no_msk(seen)
        if why or seen.msk is None:
            return Looked(unseen=unseen(self.name, why))
        limit = partitions_per_broker(seen.msk.instance_type)
        if limit is None:
            why = f"the limit of {seen.msk.instance_type} is not known"
            return Looked(unseen=unseen(self.name, why))
        held = replicas(seen)
        brokers = [one.broker_id for one in seen.brokers or ()]
        if not brokers:
            return Looked(unseen=unseen(self.name, "Kafka names no brokers"))
        worst = max(brokers, key=lambda broker: (held.get(broker, 0), -broker))
        return Looked(self._judged(worst, held, len(brokers), limit, seen, settings.of(str(worst))))

    def _judged(
        self,
        worst: int,
        held: Mapping[int, int],
        brokers: int,
        limit: PartitionLimit,
        seen: Seen,
        of: PartitionsLimitSettings,
    ) -> tuple[Finding, ...]:
        """Over the advice and near the limit are alerts of their own: one is shown, one is posted."""
        count, mean = held.get(worst, 0), sum(held.values()) / brokers
        near = count >= of.warn_share * limit.maximum
        even = mean <= limit.recommended
        spreading = f"{mean:,.0f} per broker on average is within the advice: spreading is enough"
        kind = seen.msk.instance_type if seen.msk else ""
        remedy = Remedy(why_not=spreading) if even else more_brokers(seen.msk)
        made = Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            phase="trigger" if near else "between",
            words=f"broker {worst} holds {count:,} partitions; {kind} is advised "
            f"{limit.recommended:,} and takes updates up to {limit.maximum:,}",
            lines=(f"{mean:,.0f} per broker on average, leaders and followers together",),
            for_seconds=of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            measure=float(count),
            measure_words="most partitions on one broker",
            proposal=remedy.proposal,
            why_not=remedy.why_not,
        )
        shown = made.with_(kind="over the advice", severity=Severity.INFO, phase="trigger")
        found = [made] if count >= of.clear_share * limit.maximum else []
        return (*found, shown) if count > limit.recommended and not near else tuple(found)
