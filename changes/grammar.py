"""Text → a change that is asked for, a question, or a mistake with a caret and what would be right.

The grammar is nothing but the usage lines it is handed: one of every change in the catalog, one of
every question the bot answers. The surprising truth: where two readings would differ in what
happens to a cluster, none is taken; the person is asked to say which.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import SerializeAsAny

from changes.change import Change
from changes.grammar_help import help_text
from changes.grammar_mended import Readable
from changes.grammar_nearest import unknown
from changes.grammar_tail import read_tail, refuse_extra, where
from changes.grammar_usage import BadUsage, Literal, Maybe, Part, Slot, Usage, usages_of
from changes.grammar_values import NUMBERED, built, cluster_name, numbered, value_for
from changes.grammar_words import (
    TEXT_CHARACTERS_MAX,
    Word,
    Wrong,
    normalised,
    refuse_hostile,
    refuse_unreadable,
    unquoted,
    visible,
    words_of,
)
from changes.tagged import Value

__all__ = [
    "TEXT_CHARACTERS_MAX",
    "Asked",
    "BadUsage",
    "Mistake",
    "Question",
    "Usage",
    "help_text",
    "parse",
    "usages_of",
]

SHOWN_BEFORE_CARET_MAX = 50
SHOWN_MAX = 70
"""A caret line must not wrap in Slack's code block."""


class Asked(Value):
    """A change somebody asked for. `stated` names the defaults that were used."""

    change: SerializeAsAny[Change]
    because: str = ""
    stated: tuple[str, ...] = ()


class Question(Value):
    """Something to be answered, not done."""

    name: str
    arguments: Mapping[str, str] = {}


class Mistake(Value):
    """What was not understood. `caret` is an index into `text`; `suggestion` a line that works."""

    message: str
    text: str = ""
    caret: int | None = None
    suggestion: str = ""

    def words(self) -> str:
        """Several plain lines, to stand in a code block: the text, a caret, the message, a way on."""
        lines = [*self.shown(), self.message]
        if self.suggestion:
            lines.append(f"Try: {self.suggestion}")
        return "\n".join(lines)

    def shown(self) -> list[str]:
        if not self.text:
            return []
        if self.caret is None:
            return [cut(self.text, SHOWN_MAX)]
        start = max(0, self.caret - SHOWN_BEFORE_CARET_MAX)
        before = ("…" if start else "") + self.text[start : self.caret]
        line = before + cut(self.text[self.caret :], SHOWN_MAX - len(before))
        return [line, " " * width(before) + "^"]


def cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


def width(text: str) -> int:
    """Columns, since East Asian letters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


class Reading(NamedTuple):
    """Where a usage line has got to in the words."""

    values: dict[str, Word]
    next: int


def parse(
    text: str, *, usages: Sequence[Usage], clusters: Sequence[str], default_cluster: str | None
) -> Asked | Question | Mistake:
    """`default_cluster` is the channel's; it is used when `on CLUSTER` is left out, and stated."""
    line = normalised(text)
    try:
        refuse_unreadable(line)
        return understood(line, usages, clusters, default_cluster)
    except Wrong as wrong:
        return Mistake(
            message=wrong.message, text=visible(line), caret=wrong.at, suggestion=wrong.right
        )


def understood(
    line: str, usages: Sequence[Usage], clusters: Sequence[str], default_cluster: str | None
) -> Asked | Question:
    words = words_of(line)
    if not words:
        return nothing_typed(usages)

    def readable(other: str) -> bool:
        """Could this line be read here? A channel without a cluster says so when it comes to it."""
        anywhere = default_cluster or next(iter(clusters), None)
        try:
            understood(other, usages, clusters, anywhere)
        except Wrong:
            return False
        return True

    usage = meant(words, line, usages, readable)
    try:
        reading = read(usage.parts, words, line, Reading({}, 0), usage)
        if isinstance(usage.means, str):
            return question(usage, usage.means, reading, words, clusters)
        return asked(usage.means, usage, reading, words, line, clusters, default_cluster)
    except Wrong as wrong:
        raise Wrong(wrong.message, at=wrong.at, right=wrong.right or usage.example) from wrong


def nothing_typed(usages: Sequence[Usage]) -> Question:
    if any(usage.means == "help" for usage in usages):
        return Question(name="help")
    raise Wrong("Nothing was asked.", right=usages[0].example if usages else "")


def meant(words: Sequence[Word], line: str, usages: Sequence[Usage], readable: Readable) -> Usage:
    """The usage whose opening words were typed, the longest first."""
    keys = tuple(word.keyword for word in words)
    fitting = [usage for usage in usages if keys[: len(usage.phrase)] == usage.phrase]
    if fitting:
        return max(fitting, key=lambda usage: len(usage.phrase))
    raise unknown(words, keys, line, usages, readable)


def read(
    parts: Sequence[Part], words: Sequence[Word], line: str, so_far: Reading, usage: Usage
) -> Reading:
    """Walk the usage line and the words side by side."""
    for part in parts:
        if isinstance(part, Maybe):
            if applies(part, words, so_far.next, usage):
                so_far = read(part.parts, words, line, so_far, usage)
        elif isinstance(part, Literal):
            so_far = literal(part, words, line, so_far)
        else:
            so_far = slot(part, words, line, so_far, usage)
    return so_far


def applies(part: Maybe, words: Sequence[Word], place: int, usage: Usage) -> bool:
    if place >= len(words):
        return False
    first = part.parts[0]
    if isinstance(first, Literal):
        return words[place].keyword == first.word.casefold()
    # An optional value must not swallow the word that begins what may follow it.
    return words[place].keyword not in followers(usage)


def followers(usage: Usage) -> set[str]:
    """Words that begin an optional part; every change may be followed by `on` and `because`."""
    firsts = [part.parts[0] for part in usage.parts if isinstance(part, Maybe)]
    own = {first.word.casefold() for first in firsts if isinstance(first, Literal)}
    return own if isinstance(usage.means, str) else own | {"on", "because"}


def literal(part: Literal, words: Sequence[Word], line: str, so_far: Reading) -> Reading:
    if so_far.next >= len(words):
        raise Wrong(f"`{part.word}` is missing here.", at=len(line) + 1)
    word = words[so_far.next]
    if word.keyword != part.word.casefold():
        raise Wrong(f"`{part.word}` should stand here, not `{word.text}`.", at=word.at)
    return Reading(so_far.values, so_far.next + 1)


def slot(part: Slot, words: Sequence[Word], line: str, so_far: Reading, usage: Usage) -> Reading:
    if so_far.next >= len(words):
        raise Wrong(f"`{part.name}` is missing here.", at=len(line) + 1)
    word = words[so_far.next]
    if part.rest:
        rest = Word(line[word.at :], word.at)
        return Reading({**so_far.values, part.name: rest}, len(words))
    refuse_hostile(word, right=usage.example)
    return Reading({**so_far.values, part.name: word}, so_far.next + 1)


def question(
    usage: Usage, name: str, reading: Reading, words: Sequence[Word], clusters: Sequence[str]
) -> Question:
    refuse_extra(words[reading.next :], usage)
    arguments = {key: argument(key, word, clusters) for key, word in reading.values.items()}
    return Question(name=name, arguments=arguments)


def argument(name: str, word: Word, clusters: Sequence[str]) -> str:
    if name in NUMBERED:
        return numbered(name, word)
    if name == "cluster":
        return cluster_name(word, clusters)
    if name == "reason" and word.keyword.startswith("because "):
        return unquoted(word.text[len("because ") :])
    return unquoted(word.text)


def asked(
    change: type[Change],
    usage: Usage,
    reading: Reading,
    words: Sequence[Word],
    line: str,
    clusters: Sequence[str],
    default_cluster: str | None,
) -> Asked:
    places = dict(reading.values)
    values: dict[str, Any] = {
        name: value_for(change.model_fields[name], name, word) for name, word in places.items()
    }
    tail = read_tail(words[reading.next :], usage, line, clusters)
    cluster, stated = where(tail, clusters, default_cluster, line)
    values["cluster"] = cluster
    if tail.cluster:
        places["cluster"] = tail.cluster
    return Asked(change=built(change, values, places), because=tail.because, stated=stated)
