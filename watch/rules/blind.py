"""What the watch itself cannot see: a broker that does not answer, CloudWatch, MSK or Kafka gone.

One notice for the cluster after three looks in a row, with how many groups it costs; over as soon as
everything answers again. While it lasts, alerts about what cannot be seen stay as they were: they
neither end nor repeat. It does not see why something does not answer.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen

PARTS = {
    "lag": "consumer groups",
    "placement": "Kafka's metadata",
    "reassignments": "running reassignments",
    "metrics": "CloudWatch",
    "msk": "MSK",
    "sizes": "sizes on disk",
}
"""By the name of a part of a round; others (members of one group, a probe) are told elsewhere."""


class BlindSettings(RuleSettings):
    scans: int = Field(default=3, ge=1)
    """Looks in a row before it is told."""


class Blind(Rule[BlindSettings]):
    name = "blind"
    title = "The watch cannot see"
    family = Family.CLUSTER
    Settings = BlindSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[BlindSettings]
    ) -> Looked:
        gone = [f"{PARTS[part]}: {words}" for part, words in seen.blind.items() if part in PARTS]
        silent = dict(seen.lag.blind_brokers) if seen.lag else {}
        groups = unread_groups(seen)
        if not gone and not silent and not groups:
            return Looked()
        lines = [f"broker {broker}: {words}" for broker, words in sorted(silent.items())]
        of = settings.base
        finding = Finding(
            rule=self.name,
            kind=self.name,
            family=self.family,
            subject="cluster",
            severity=Severity.WARN,
            words=headline(gone=bool(gone), silent=tuple(sorted(silent)), groups=groups, seen=seen),
            lines=tuple((*gone, *lines)[:20]),
            for_seconds=(of.scans - 1) * seen.scan_seconds,
            keep_seconds=0,
            measure=float(groups),
            measure_words="consumer groups that cannot be seen",
        )
        return Looked((finding,))


def unread_groups(seen: Seen) -> int:
    """Groups of which this round knows nothing."""
    if seen.lag is None:
        return 0
    failed = sum(1 for one in seen.lag.groups.values() if one.error)
    return failed + len(seen.lag.missing_groups)


def headline(*, gone: bool, silent: tuple[int, ...], groups: int, seen: Seen) -> str:
    """`blind: 34 groups, broker 2 is silent`, `blind: CloudWatch does not answer`."""
    parts = []
    if groups:
        parts.append("1 group" if groups == 1 else f"{groups:,} groups")
    if silent:
        ids = ", ".join(str(one) for one in silent)
        parts.append(f"broker {ids} is silent" if len(silent) == 1 else f"brokers {ids} are silent")
    if gone:
        names = [PARTS[part] for part in seen.blind if part in PARTS]
        parts.append(f"{' and '.join(names)} cannot be read")
    return "blind: " + ", ".join(parts)
