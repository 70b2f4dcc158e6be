"""The hook: it counts what a process does to the world, and at one chosen moment strikes.

Every outside effect and every write to Redis passes through `Moments.passing`. A first run without a
strike gives the names in order; then each of them is one case before, one midway where an effect has
parts, one after. A strike is usually SIGKILL: nothing of the process's own cleans up after it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar

When = Literal["before", "midway", "after"]
Result = TypeVar("Result")


class Passed(NamedTuple):
    """One effect of the faultless run."""

    role: str
    name: str
    has_parts: bool

    @property
    def moments(self) -> tuple[When, ...]:
        return ("before", "midway", "after") if self.has_parts else ("before", "after")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Moments:
    at: int = -1
    """Which effect is struck, counted from 0; -1 = none."""
    when: When = "before"
    strike: Callable[[], None] = die
    passed: list[Passed] = field(default_factory=list)

    @property
    def struck(self) -> bool:
        return 0 <= self.at < len(self.passed)

    def reading(self, name: str, ask: Callable[[], Result]) -> Result:
        """A question to the world; a strike of another kind may want to answer it (see `Upset`)."""
        del name
        return ask()

    def passing(
        self,
        role: str,
        name: str,
        whole: Callable[[], Result],
        *,
        half: Callable[[], object] | None = None,
    ) -> Result:
        number = self.arriving(role, name, has_parts=half is not None)
        if number == self.at and self.when == "midway" and half is not None:
            half()
            self.strike()
        result = whole()
        self.leaving(number)
        return result

    def arriving(self, role: str, name: str, *, has_parts: bool = False) -> int:
        """An effect is about to be; its number."""
        number = len(self.passed)
        self.passed.append(Passed(role, name, has_parts))
        if number == self.at and self.when == "before":
            self.strike()
        return number

    def leaving(self, number: int) -> None:
        """It has been, and nobody has heard of it yet."""
        if number == self.at and self.when == "after":
            self.strike()


def every_case(passed: list[Passed]) -> list[tuple[int, When]]:
    return [(at, when) for at, one in enumerate(passed) for when in one.moments]
