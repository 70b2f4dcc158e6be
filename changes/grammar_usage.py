"""A usage line such as `scale brokers <brokers>` is the grammar: it is taken apart here.

Words stand for themselves, `<name>` is one word to be typed, `[…]` may be left out, `<name...>`
takes the rest of the line. A change names its fields this way, a question its arguments.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from changes.change import Change

PART = re.compile(r"\[(?P<maybe>[^\]]+)\]|<(?P<slot>[a-z_]+)(?P<rest>\.\.\.)?>|(?P<word>[^\s<\[]+)")


@dataclass(frozen=True)
class Literal:
    word: str


@dataclass(frozen=True)
class Slot:
    name: str
    rest: bool = False


@dataclass(frozen=True)
class Maybe:
    parts: tuple[Part, ...]


Part = Literal | Slot | Maybe


class BadUsage(Exception):
    """A programming error in a usage line; found when the process starts."""


@dataclass(frozen=True)
class Usage:
    """One line people can type. `means` is a change, or the name of a question."""

    line: str
    means: type[Change] | str
    examples: tuple[str, ...] = ()
    help: str = ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        return parts_of(self.line)

    @cached_property
    def phrase(self) -> tuple[str, ...]:
        """The words it opens with, by which it is known."""
        words = []
        for part in self.parts:
            if not isinstance(part, Literal):
                break
            words.append(part.word.casefold())
        return tuple(words)

    @property
    def example(self) -> str:
        return self.examples[0] if self.examples else self.line


def parts_of(line: str) -> tuple[Part, ...]:
    return tuple(part_of(found) for found in PART.finditer(line))


def part_of(found: re.Match[str]) -> Part:
    if found["maybe"]:
        return Maybe(parts_of(found["maybe"]))
    if found["slot"]:
        return Slot(found["slot"], rest=bool(found["rest"]))
    return Literal(found["word"])


def usages_of(
    catalog: Iterable[type[Change]], questions: Iterable[Usage] = ()
) -> tuple[Usage, ...]:
    """Every line that is understood; a line that could not work is refused at once."""
    changes = [
        Usage(line=change.usage, means=change, examples=change.examples, help=help_of(change))
        for change in catalog
    ]
    usages = (*changes, *questions)
    for usage in usages:
        check(usage)
    phrases = [usage.phrase for usage in usages]
    for usage in usages:
        if phrases.count(usage.phrase) > 1:
            raise BadUsage(f"two usages begin with {' '.join(usage.phrase)!r}")
    return usages


def help_of(change: type[Change]) -> str:
    """The docstring of the change's module is its help and its docs page."""
    module = sys.modules.get(change.__module__)
    return inspect.cleandoc((module and module.__doc__) or change.__doc__ or "")


def check(usage: Usage) -> None:
    if not usage.phrase:
        raise BadUsage(f"usage {usage.line!r} must begin with a word")
    if isinstance(usage.means, str):
        return
    unknown = sorted(names_of(usage.parts) - set(usage.means.model_fields))
    if unknown:
        raise BadUsage(f"usage {usage.line!r} of {usage.means.__name__} has no field {unknown}")


def names_of(parts: Iterable[Part]) -> set[str]:
    names: set[str] = set()
    for part in parts:
        if isinstance(part, Slot):
            names.add(part.name)
        elif isinstance(part, Maybe):
            names |= names_of(part.parts)
    return names
