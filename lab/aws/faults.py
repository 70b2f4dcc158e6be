"""Faults one can switch on: what AWS does on a bad day, on demand.

A fault with `times` wears out by itself; one without stays until cleared. The nastiest is
`error_after_acting`: the change is made and the client is told 500, so a blind retry is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from lab.aws.refusals import Refused
from lab.aws.shapes import Fields

SECONDS_MAX = 3_600.0
TIMES_MAX = 10_000
STATES = ("HEALING", "MAINTENANCE")
NAMES = (
    "cluster_state",
    "update_fails",
    "throttle",
    "unavailable",
    "error_after_acting",
    "hang",
    "late_metrics",
)
ONCE = ("update_fails", "error_after_acting")  # these wear out after one use unless told otherwise


class BadFault(Exception):
    """A fault that cannot be switched on; its sentence says why."""


@dataclass(frozen=True)
class Fault:
    """One fault that is switched on; which fields matter depends on its name."""

    name: str
    times: int | None = None
    operation: str | None = None
    seconds: float = 30.0
    state: str = "HEALING"
    message: str = ""

    def hits(self, operation: str) -> bool:
        return self.operation is None or self.operation == operation


@dataclass
class Faults:
    """The faults in force, in the order they were switched on."""

    active: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.active.append(_checked(fault))

    def clear(self, *, name: str | None = None) -> int:
        """Switch off one kind, or all; how many went."""
        before = len(self.active)
        self.active = [fault for fault in self.active if name not in (None, fault.name)]
        return before - len(self.active)

    def take(self, *, name: str, operation: str) -> Fault | None:
        """The first fault of a kind that hits this operation, one of its times used up."""
        for index, fault in enumerate(self.active):
            if fault.name == name and fault.hits(operation):
                self._use_up(index, fault)
                return fault
        return None

    def _use_up(self, index: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self.active[index]
        else:
            self.active[index] = replace(fault, times=fault.times - 1)

    def peek(self, *, name: str) -> Fault | None:
        """The latest fault of a kind, untouched."""
        return next((fault for fault in reversed(self.active) if fault.name == name), None)

    def _named(self, name: str, operation: str) -> bool:
        return any(fault.name == name and fault.operation == operation for fault in self.active)

    async def before(self, *, service: str, operation: str) -> None:
        """What goes wrong before a call does anything."""
        if hang := self.take(name="hang", operation=operation):
            await asyncio.sleep(hang.seconds)
        if self.take(name="throttle", operation=operation):
            raise _throttled(service)
        if fault := self.take(name="unavailable", operation=operation):
            raise _unavailable(fault)

    def after(self, *, operation: str, mutating: bool) -> None:
        """What goes wrong once a call has done its work; without an operation named it waits for
        one that changes something, since a read has nothing to have done."""
        if not mutating and not self._named("error_after_acting", operation):
            return
        if fault := self.take(name="error_after_acting", operation=operation):
            raise Refused(
                code="InternalServerErrorException",
                status=500,
                message=fault.message or "An unexpected error has occurred.",
            )


def _throttled(service: str) -> Refused:
    if service == "kafka":
        return Refused(code="TooManyRequestsException", status=429, message="Too Many Requests")
    return Refused(code="Throttling", status=400, message="Rate exceeded")


def _unavailable(fault: Fault) -> Refused:
    return Refused(
        code="ServiceUnavailableException",
        status=503,
        message=fault.message or "The service is temporarily unavailable.",
    )


def fault_from_json(given: Fields) -> Fault:
    """The fault a person or a test described; unknown words are refused with the right ones."""
    known = {item.name for item in fields(Fault)}
    if unknown := sorted(given.keys() - known):
        raise BadFault(f"A fault has no field {_listed(unknown)}; it has {_listed(sorted(known))}")
    if "name" not in given:
        raise BadFault(f"A fault needs a name, one of {_listed(NAMES)}")
    if given["name"] in ONCE:
        given = {"times": 1, **given}
    return _checked(Fault(**given))


def _checked(fault: Fault) -> Fault:
    """Every rule a fault must keep, before it can do harm."""
    if fault.name not in NAMES:
        raise BadFault(f"There is no fault {fault.name!r}; there are {_listed(NAMES)}")
    if fault.times is not None and not _whole(fault.times, most=TIMES_MAX):
        raise BadFault(f"times must be a whole number from 1 to {TIMES_MAX}, not {fault.times!r}")
    if isinstance(fault.seconds, bool) or not isinstance(fault.seconds, int | float):
        raise BadFault(f"seconds must be a number, not {fault.seconds!r}")
    if not 0 <= fault.seconds <= SECONDS_MAX:
        raise BadFault(f"seconds must lie between 0 and {SECONDS_MAX:g}, not {fault.seconds!r}")
    if fault.state not in STATES:
        raise BadFault(f"state must be one of {_listed(STATES)}, not {fault.state!r}")
    if not isinstance(fault.operation, str | None) or not isinstance(fault.message, str):
        raise BadFault("operation and message must be text")
    return fault


def _whole(value: object, *, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
