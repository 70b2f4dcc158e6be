"""The line somebody meant: its opening words set right, everything after them as it was typed.

The surprising truth: an example is no suggestion. Whoever typed `sclae brokers 9` and copies "Try: scale
brokers 6" has asked for another number of brokers; so a mended line is offered only when it can be read.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from changes.grammar_usage import Usage
from changes.grammar_words import Word

ALIKE_MIN = 0.6
"""As `difflib` counts; below it the word may have been meant as it stands (`scale storage 9`)."""

Readable = Callable[[str], bool]


def mended(words: Sequence[Word], line: str, usage: Usage, readable: Readable) -> str:
    """The typed line under the usage's own opening words, else the usage's example."""
    phrase = " ".join(usage.phrase)
    for count in _counts(words, usage):
        rest = line[words[count - 1].end :].strip()
        candidate = f"{phrase} {rest}".rstrip()
        if readable(candidate):
            return candidate
    return usage.example


def _counts(words: Sequence[Word], usage: Usage) -> list[int]:
    """How many typed words may stand for the phrase: all of it, some of it, or run together."""
    whole = len(usage.phrase)
    return [
        count
        for count in range(min(whole, len(words)), 0, -1)
        if _stands_for([word.keyword for word in words[:count]], usage.phrase)
    ]


def _stands_for(typed: Sequence[str], phrase: Sequence[str]) -> bool:
    if len(typed) == 1 and alike(typed[0], "".join(phrase)):
        return True
    ends = (phrase[: len(typed)], phrase[-len(typed) :])
    return any(all(map(alike, typed, end)) for end in ends)


def alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, one, other).ratio() >= ALIKE_MIN
