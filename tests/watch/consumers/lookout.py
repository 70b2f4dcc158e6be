"""Feeds the scans of a `World` to rules, and tells which alerts would fire, when, and when they end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from changes.incident import Finding, Severity
from tests.watch.consumers.world import BEGAN
from watch.history import History
from watch.rule import Looked, Rule, Tuned
from watch.rules.abandoned import Abandoned
from watch.rules.consumer_lag import ConsumerLag
from watch.rules.data_loss import DataLoss
from watch.rules.group_churn import GroupChurn
from watch.rules.open_transaction import OpenTransaction
from watch.rules.rewind import Rewind
from watch.seen import Seen

RULES: tuple[type[Rule[Any]], ...] = (
    Abandoned,
    ConsumerLag,
    DataLoss,
    GroupChurn,
    OpenTransaction,
    Rewind,
)


@dataclass
class Fired:
    """An alert as people would see it: when it fired, and when it was over."""

    key: str
    minute: float
    finding: Finding
    ended: float | None = None


class Lookout:
    """Rules over time: what they say in each round, and which alerts would fire from it.

    Only holding times are kept here, not the incident's other manners; kinds of one object count apart.
    """

    def __init__(
        self,
        *,
        rules: Iterable[type[Rule[Any]]] = RULES,
        tuned: dict[str, Tuned[Any]] | None = None,
    ) -> None:
        self.history = History()
        self.rules = [rule() for rule in rules]
        self.tuned = tuned or {}
        self.fired: list[Fired] = []
        self.said: dict[str, Finding] = {}
        """Triggers of the newest round by key."""
        self.betweens: dict[str, Finding] = {}
        self.unseen: dict[tuple[str, str], str] = {}
        self.minute = 0.0
        self._since: dict[str, float] = {}
        self._gone: dict[str, float] = {}

    def watch(self, scans: Iterable[Seen]) -> Lookout:
        for seen in scans:
            self.look(seen)
        return self

    def look(self, seen: Seen) -> None:
        self.history.add(seen)
        self.minute = (seen.at - BEGAN).total_seconds() / 60
        looked = [self._look(rule, seen) for rule in self.rules]
        findings = [finding for one in looked for finding in one.findings]
        self.said = {one.key: one for one in findings if one.phase == "trigger"}
        self.betweens = {one.key: one for one in findings if one.phase == "between"}
        self.unseen = {(one.rule, one.subject): one.words for two in looked for one in two.unseen}
        self._follow()

    def firing(self) -> list[Fired]:
        return [one for one in self.fired if one.ended is None]

    def posts(self, *, severity: Severity = Severity.WARN) -> list[tuple[str, float]]:
        """(key, minute) of what people were told of at least this severely."""
        return [(one.key, one.minute) for one in self.fired if one.finding.severity >= severity]

    def _look(self, rule: Rule[Any], seen: Seen) -> Looked:
        tuned = self.tuned.get(rule.name) or Tuned(rule.Settings())
        return rule.look(self.history, seen, seen.at, tuned)

    def _follow(self) -> None:
        for key, finding in self.said.items():
            began = self._since.setdefault(key, self.minute)
            self._gone.pop(key, None)
            open_one = next((one for one in self.firing() if one.key == key), None)
            if open_one is not None:
                open_one.finding = finding
            elif (self.minute - began) * 60 >= finding.for_seconds:
                self.fired.append(Fired(key, self.minute, finding))
        for key in [key for key in self._since if key not in self.said]:
            if not self._stays(key):
                self._end(key)

    def _stays(self, key: str) -> bool:
        """It cannot be seen, or it is in between: an alert that fires is not over."""
        rule, _, subject = key.split("/", 2)
        between = key in self.betweens or f"{rule}//{subject}" in self.betweens
        if between and not any(one.key == key for one in self.firing()):
            del self._since[key]
            return True
        stays = between or (rule, subject) in self.unseen or (rule, "*") in self.unseen
        if stays:
            self._gone.pop(key, None)
        return stays

    def _end(self, key: str) -> None:
        open_one = next((one for one in self.firing() if one.key == key), None)
        if open_one is None:
            del self._since[key]
            return
        gone = self._gone.setdefault(key, self.minute)
        if (self.minute - gone) * 60 >= open_one.finding.keep_seconds:
            open_one.ended = self.minute
            del self._since[key], self._gone[key]
