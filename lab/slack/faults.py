"""Faults by name: what the lab does wrong on purpose, how often, to which calls, sockets or deliveries.

A fault is used up by the calls it matches (`times`, default once; `after` lets that many pass first), so a test
says exactly which call fails.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from lab.slack.entities import Json
from lab.slack.wirelog import WireLog

ACTIONS: dict[str, tuple[str, ...]] = {
    "api": (
        "ratelimit",
        "error",
        "http",
        "slow",
        "hang",
        "reset_before_commit",
        "reset_after_commit",
        "truncate_json",
        "late_answer",
    ),
    "socket": ("ghost_connections", "half_open", "no_pong", "no_hello", "kill_tcp", "disconnect"),
    "delivery": ("drop", "delay", "duplicate", "reorder", "ignore_ack"),
    "state": ("deactivate_user", "edit_usergroup", "revoke_token", "archive_channel", "kick_bot"),
}
MATCH_KEYS = {"method", "channel", "type", "event", "action_id"}


class FaultMistake(Exception):
    """The fault asked for does not exist or lacks something; the sentence can be shown."""


@dataclass
class Fault:
    id: int
    group: str
    action: str
    params: Json
    match: Json = field(default_factory=dict)
    times_left: int = 1
    after_left: int = 0

    def fits(self, facts: Json) -> bool:
        return all(fnmatch(str(facts.get(k, "")), str(v)) for k, v in self.match.items())

    def shown(self) -> Json:
        return {
            "id": self.id,
            "group": self.group,
            "action": self.action,
            "match": self.match,
            "times": self.times_left,
            "after": self.after_left,
            **self.params,
        }


NUMBERS = {"retry_after": (1, 3600), "status": (500, 599), "s": (0, 600), "n": (1, 100)}


def _check_numbers(action: str, params: Json) -> None:
    for name, (least, most) in NUMBERS.items():
        value = params.get(name, least)
        if not isinstance(value, (int, float)) or not least <= value <= most:
            raise FaultMistake(
                f"{action}: `{name}` is a number from {least} to {most}, not {value}"
            )


def group_of(action: str) -> str:
    for group, actions in ACTIONS.items():
        if action in actions:
            return group
    known = ", ".join(name for actions in ACTIONS.values() for name in actions)
    raise FaultMistake(f"there is no fault `{action}`; there are {known}")


class Faults:
    def __init__(self, *, log: WireLog) -> None:
        self._log = log
        self._active: list[Fault] = []
        self._last_id = 0

    def add(self, *, action: str, match: Any, times: Any, after: Any, params: Json) -> Fault:
        group = group_of(action)
        if not isinstance(match, dict) or set(match) - MATCH_KEYS:
            raise FaultMistake(f"`match` is an object of {', '.join(sorted(MATCH_KEYS))}")
        _check_numbers(action, params)
        if not isinstance(times, int) or not isinstance(after, int) or times < 1 or after < 0:
            raise FaultMistake("`times` is a whole number from 1, `after` one from 0")
        self._last_id += 1
        fault = Fault(self._last_id, group, action, params, match, times, after)
        self._active.append(fault)
        self._log.write("fault", event="added", fault=fault.shown())
        return fault

    def take(self, group: str, *, actions: tuple[str, ...] = (), **facts: Any) -> Fault | None:
        """The first fault that fits, counted down; None when all goes well."""
        for fault in self._active:
            if fault.group != group or (actions and fault.action not in actions):
                continue
            if not fault.fits(facts):
                continue
            if fault.after_left > 0:
                fault.after_left -= 1
                continue
            self._use(fault, facts)
            return fault
        return None

    def standing(self, action: str) -> Fault | None:
        """A fault that lasts until it is cleared, such as ghost connections."""
        return next((fault for fault in self._active if fault.action == action), None)

    def list(self) -> list[Json]:
        return [fault.shown() for fault in self._active]

    def clear(self, *, fault_id: int | None = None) -> int:
        before = len(self._active)
        self._active = [f for f in self._active if fault_id is not None and f.id != fault_id]
        return before - len(self._active)

    def _use(self, fault: Fault, facts: Json) -> None:
        fault.times_left -= 1
        if fault.times_left == 0:
            self._active.remove(fault)
        self._log.write("fault", event="used", action=fault.action, facts=facts)
