"""From what a keyboard or Slack sends to plain words that know where they stood.

The surprising truth: nothing may be hidden. Full-width digits, smart quotes and odd blanks come
from honest keyboards and are read as what they mean, one character for one, so that carets stay
true; characters that draw nothing or turn text around are refused by name and place.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

TEXT_CHARACTERS_MAX = 500
"""Longer than any command with its reason, shorter than anything that hurts a card."""

SMART_QUOTES = {**dict.fromkeys("‘’‚‛′", "'"), **dict.fromkeys("“”„‟″«»", '"')}
HOSTILE = frozenset(";&|$`<>\\(){}[]*?!'\"~^")
"""Never part of a number or a name; they mean something to shells, globs or Slack."""
BIDI_AND_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Word(NamedTuple):
    text: str
    at: int

    @property
    def keyword(self) -> str:
        return self.text.casefold()

    @property
    def end(self) -> int:
        return self.at + len(self.text)


class Wrong(Exception):
    """Raised inside the grammar alone: `parse` turns it into a `Mistake`, which is a value."""

    def __init__(self, message: str, *, at: int | None = None, right: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.right = right
        """A whole line that would be understood, when one can be told."""


def normalised(text: str) -> str:
    """The text with one plain character for every fancy one."""
    return "".join(plain(character) for character in text).rstrip()


def plain(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    folded = unicodedata.normalize("NFKC", character)
    # Only true decimals: NFKC also turns a superscript into a digit, and 6² is not 62.
    if folded in "0123456789" and unicodedata.decimal(character, None) is not None:
        return folded
    return SMART_QUOTES.get(character, character)


def refuse_unreadable(text: str) -> None:
    """Too long, or holding what nobody can see."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Wrong(
            f"That is {len(text)} characters long; at most {TEXT_CHARACTERS_MAX} are read. "
            "Shorten the reason."
        )
    for at, character in enumerate(text):
        if unicodedata.category(character) in BIDI_AND_INVISIBLE:
            raise Wrong(
                f"Character {at + 1} is {name_of(character)}, which cannot be seen. "
                "Type the line again by hand instead of pasting it.",
                at=at,
            )


def name_of(character: str) -> str:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "NULL" if character == "\0" else "a control character")
    return f"{name} ({code})"


def visible(text: str) -> str:
    """The text with a box for whatever cannot be seen, so that it can be shown."""
    return "".join(
        "□" if unicodedata.category(character) in BIDI_AND_INVISIBLE else character
        for character in text
    )


def words_of(text: str) -> list[Word]:
    found: list[Word] = []
    start: int | None = None
    for at, character in enumerate(text + " "):
        if character != " " and start is None:
            start = at
        elif character == " " and start is not None:
            found.append(Word(text[start:at], start))
            start = None
    return found


def refuse_hostile(word: Word, *, right: str) -> None:
    """A mention, a link or a character with a meaning elsewhere, where a plain word belongs."""
    if word.text.startswith("<"):
        raise Wrong(slack_markup(word.text), at=word.at, right=right)
    for offset, character in enumerate(word.text):
        if character in HOSTILE:
            raise Wrong(
                f"`{character}` has no meaning here: names and numbers stand plain, "
                "and nothing is run through a shell.",
                at=word.at + offset,
                right=right,
            )


def slack_markup(text: str) -> str:
    """What Slack put there, in words; `<@U1|ann>` is a mention, `<https://a.b|a.b>` a link."""
    inside = text.strip("<>")
    if inside.startswith(("@", "!")):
        return "A mention cannot stand here. Name people only in the reason, after `because`."
    if inside.startswith("#"):
        return "A channel cannot stand here. Write the cluster's plain name."
    if "://" in inside or inside.startswith("mailto:"):
        return "A link cannot stand here. Write the plain name, without Slack making a link of it."
    return "`<…>` only marks the gaps in the help. Write the value itself, without the brackets."


def unquoted(text: str) -> str:
    """Quotes around the whole are how people mark a sentence; they are no part of it."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].strip()
    return text
