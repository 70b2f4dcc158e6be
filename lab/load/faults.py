"""What can go wrong with the load, by order of a file: consumers that stop, hang or crawl, a hot key.

The surprising truth: a group that stops and a group that hangs look alike in its offsets. Only Kafka's
word for the group (Empty or Stable) tells them apart, so the lab can play both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.addresses import read_json, write_json
from lab.load.topics import GROUPS, TOPICS

LOOK_SECONDS = 0.5
SLOW_SHARE = 0.3
CATCH_UP_FACTOR = 4.0
HOT_RECORDS_PER_SECOND = 80.0


class Mode(StrEnum):
    """How a group reads just now."""

    FINE = "fine"
    STOPS = "stops"
    HANGS = "hangs"
    SLOW = "slow"
    CATCHES_UP = "catches-up"


DOES: Mapping[Mode, str] = {
    Mode.STOPS: "a group's members leave and read nothing",
    Mode.HANGS: "a group's members stay and read nothing",
    Mode.SLOW: "a group reads at a third of the pace that is written",
    Mode.CATCHES_UP: "a group reads at four times the pace that is written",
    Mode.FINE: "a group reads as fast as it can again",
}
HOT_KEY = "hot-key"
HOT_KEY_DOES = "a topic's name, or off: one key gets most of the records"


class LoadRefuses(Exception):
    """The fault was described in a way that cannot be played; the sentence says what can be."""


@dataclass(frozen=True)
class LoadFaults:
    """What is in force."""

    groups: Mapping[str, Mode]
    hot_topic: str = ""

    def of(self, group: str) -> Mode:
        return self.groups.get(group, Mode.FINE)

    def with_group(self, group: str, mode: Mode) -> LoadFaults:
        if group not in GROUPS:
            raise LoadRefuses(f"there is no group {group!r}; there are {', '.join(GROUPS)}")
        others = {name: one for name, one in self.groups.items() if name != group}
        return LoadFaults(
            {**others, group: mode} if mode is not Mode.FINE else others, self.hot_topic
        )

    def with_hot(self, topic: str) -> LoadFaults:
        known = [one.name for one in TOPICS]
        if topic and topic not in known:
            raise LoadRefuses(f"there is no topic {topic!r}; there are {', '.join(known)}")
        return LoadFaults(self.groups, topic)


NO_FAULTS = LoadFaults({})


def read_faults(file: Path) -> LoadFaults:
    """What the file says; a file that is away or unreadable says nothing is wrong."""
    found = read_json(file) or {}
    groups = found.get("groups", {})
    known = {mode.value: mode for mode in Mode}
    modes = {str(name): known[mode] for name, mode in groups.items() if mode in known}
    return LoadFaults(modes, str(found.get("hot_topic", "")))


def write_faults(file: Path, faults: LoadFaults) -> None:
    groups = {name: mode.value for name, mode in faults.groups.items()}
    write_json(file, {"groups": groups, "hot_topic": faults.hot_topic})


class Orders:
    """The file as the load sees it, read again at most twice a second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_at = 0.0
        self._faults = NO_FAULTS

    def now(self) -> LoadFaults:
        if time.monotonic() - self._read_at >= LOOK_SECONDS:
            self._read_at = time.monotonic()
            self._faults = read_faults(self._file)
        return self._faults


def records_per_second(group: str, mode: Mode) -> float | None:
    """The pace of a whole group in this mode; None = as fast as it can."""
    written = sum(topic.records_per_second for topic in TOPICS if topic.group == group)
    shares = {Mode.SLOW: SLOW_SHARE, Mode.CATCHES_UP: CATCH_UP_FACTOR}
    return written * shares[mode] if mode in shares else None
