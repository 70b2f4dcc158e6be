"""What the watch remembers of a cluster between rounds: offsets by entry, figures by broker."""

from __future__ import annotations

from dataclasses import dataclass, field

from watch.broker_history import BrokerHistory
from watch.lag_history import LagHistory
from watch.seen import Seen


@dataclass
class History:
    """The only mutable thing rules are shown, and they only read it."""

    lag: LagHistory = field(default_factory=LagHistory)
    brokers: BrokerHistory = field(default_factory=BrokerHistory)

    def add(self, seen: Seen) -> None:
        self.lag.add(seen)
        self.brokers.add(seen)
