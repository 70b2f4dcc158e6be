"""MSK's own word for the cluster, when it is not ACTIVE.

HEALING means that MSK repairs a broker, MAINTENANCE that it patches one after another, FAILED that
only AWS can help. UPDATING is shown, and excused while a change adds brokers. It sees the one word
MSK gives for the whole cluster, not which broker is meant, and on Express brokers MSK says ACTIVE all
through a change of size.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, NamedTuple

from pydantic import Field

from changes.excuses import Effect
from changes.incident import Family, Finding, Severity
from watch.history import History
from watch.readable import no_msk, unseen
from watch.rule import Looked, Rule, RuleSettings, Tuned
from watch.seen import Seen


class Meaning(NamedTuple):
    severity: Severity
    words: str


MEANINGS: Mapping[str, Meaning] = {
    "UPDATING": Meaning(Severity.INFO, "an update is under way; MSK takes no other meanwhile"),
    "REBOOTING_BROKER": Meaning(Severity.INFO, "a broker restarts; clients move for some minutes"),
    "MAINTENANCE": Meaning(
        Severity.INFO, "MSK patches one broker after another; never reboot or reassign meanwhile"
    ),
    "HEALING": Meaning(
        Severity.WARN, "MSK repairs a broker; wait, and do not reboot or reassign meanwhile"
    ),
    "CREATING": Meaning(Severity.INFO, "the cluster is being created"),
    "DELETING": Meaning(Severity.CRIT, "the cluster is being deleted"),
    "FAILED": Meaning(Severity.CRIT, "only AWS can mend that: open a support case"),
}


class ClusterStateSettings(RuleSettings):
    hold_minutes: float = Field(default=1, ge=0)
    clear_minutes: float = Field(default=2, ge=0)


class ClusterState(Rule[ClusterStateSettings]):
    name = "cluster_state"
    title = "MSK says the cluster is not ACTIVE"
    family = Family.CLUSTER
    excused_by: ClassVar[Mapping[Effect, str]] = {
        Effect.ADDS_BROKERS: "MSK is adding brokers as approved"
    }
    Settings = ClusterStateSettings

    def look(
        self, history: History, seen: Seen, now: datetime, settings: Tuned[ClusterStateSettings]
    ) -> Looked:
        if seen.msk is None:
            return Looked(unseen=unseen(self.name, no_msk(seen)))
        state, of = seen.msk.state, settings.base
        if state == "ACTIVE":
            return Looked()
        meaning = MEANINGS.get(state, Meaning(Severity.WARN, "MSK uses a word Ottla does not know"))
        finding = Finding(
            rule=self.name,
            kind=state.lower(),
            family=self.family,
            subject="cluster",
            severity=meaning.severity,
            words=f"MSK says the cluster is {state}: {meaning.words}",
            lines=(seen.msk.state_message,) if seen.msk.state_message else (),
            for_seconds=0 if meaning.severity is Severity.CRIT else of.hold_minutes * 60,
            keep_seconds=of.clear_minutes * 60,
            never_excused=state != "UPDATING",
        )
        return Looked((finding,))
