"""The one escaper: every string from outside passes here before Slack sees it.

The surprising truth: Slack's markup has no escape for `*`, `_`, `~` and the backtick, and it reads
`&gt;` at the start of a line as a quote. So in running text those letters become twins that look
alike and mean nothing; names that people copy (topics, ids) go into code, where they stay themselves.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import NamedTuple

LETTERS_MAX = 300
"""For one outside string on a card: longer ones push the rest off a phone's screen."""
MARKS_IN_A_ROW_MAX = 2
"""Stacked accents beyond this only serve to smear over the neighbouring lines."""

TWINS = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ", "|": "∣"})
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Blank letters that Unicode does not count as format characters."""

CHANNEL_WIDE = re.compile(r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
TOKEN = re.compile(r"<(?P<sign>[@#!]?)(?P<body>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
MEANT = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|<@(?P<user>[UW][A-Z0-9]{2,20})>"
    r"|<!subteam\^(?P<group>S[A-Z0-9]{2,20})>"
    r"|<#(?P<channel>[CG][A-Z0-9]{2,20})>"
)
MENTIONS = {"user": "@", "group": "!subteam^", "channel": "#"}
EMOJI_NAME = re.compile(r":(?=[a-z0-9_+'-]+:)")


def clean(text: str) -> str:
    """One line of visible letters: no controls, no direction marks, no zero width, no smears."""
    kept: list[str] = []
    marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if letter in INVISIBLE or marks > MARKS_IN_A_ROW_MAX:
            continue
        if category in ("Zs", "Zl", "Zp") or letter in "\t\n\r\v\f":
            kept.append(" ")
        elif category[0] != "C":
            kept.append(letter)
    return " ".join("".join(kept).split())


def shortened(text: str, *, letters_max: int) -> str:
    """At most so many letters, the last of them an ellipsis when something was cut."""
    return text if len(text) <= letters_max else text[: letters_max - 1].rstrip() + "…"


def inert(text: str, *, letters_max: int = LETTERS_MAX) -> str:
    """An outside string for mrkdwn and for fallback text: it can mention, link and style nothing."""
    words = shortened(clean(text), letters_max=letters_max)
    return _neutral("›" + words[1:] if words.startswith(">") else words)


def _neutral(words: str) -> str:
    words = words.translate(TWINS).replace("://", ":∕∕")
    words = CHANNEL_WIDE.sub("＠", words)
    return EMOJI_NAME.sub("∶", words).translate(ENTITIES)


def code(text: str, *, letters_max: int = LETTERS_MAX) -> str:
    """A name in code style: markup is dead there, so only the backtick needs a twin."""
    words = shortened(clean(text), letters_max=letters_max).replace("`", "ˋ")
    return f"`{words.translate(ENTITIES)}`" if words else ""


class Piece(NamedTuple):
    """A run of a sentence: `words`, `code`, or a mention by id (`user`, `group`, `channel`)."""

    kind: str
    words: str


def pieces(text: str, *, letters_max: int = LETTERS_MAX) -> tuple[Piece, ...]:
    """A sentence of our own taken apart: code in backticks and mentions by id mean something,
    everything else is plain words."""
    words = shortened(clean(text), letters_max=letters_max)
    found: list[Piece] = []
    place = 0
    for match in MEANT.finditer(words):
        found.append(Piece("words", words[place : match.start()]))
        kind = match.lastgroup or "words"
        found.append(Piece(kind, match.group(kind)))
        place = match.end()
    found.append(Piece("words", words[place:]))
    return tuple(piece for piece in found if piece.words)


def prose(text: str, *, letters_max: int = LETTERS_MAX, mentions: bool = False) -> str:
    """Our own sentence for mrkdwn: code in backticks stays, the rest is inert.

    `mentions` only for the lines of the log and for refusals, which name people by id on purpose.
    """
    found = pieces(text, letters_max=letters_max)
    words = "".join(_in_mrkdwn(piece, mentions=mentions) for piece in found)
    return words.replace("&gt;", "›", 1) if words.startswith("&gt;") else words


def _in_mrkdwn(piece: Piece, *, mentions: bool) -> str:
    if piece.kind in MENTIONS:
        token = f"<{MENTIONS[piece.kind]}{piece.words}>"
        return token if mentions else _neutral(token)
    return code(piece.words) if piece.kind == "code" else _neutral(piece.words)


def when(moment: datetime, *, shape: str = "{date_short_pretty} {time}") -> str:
    """A moment in each reader's own time zone; UTC where Slack cannot."""
    fallback = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{shape}|{fallback}>"


def code_block(text: str, *, letters_max: int = 2900) -> str:
    """Lines kept as they are (a caret must stay under its letter), each one cleaned of tricks."""
    lines = [visible(line).replace("`", "ˋ") for line in text.splitlines()]
    words = shortened("\n".join(lines).translate(ENTITIES), letters_max=letters_max)
    return f"```\n{words}\n```"


def visible(line: str) -> str:
    """Like `clean`, but blanks keep their width."""
    kept = (" " if unicodedata.category(c) == "Zs" else c for c in line if c not in INVISIBLE)
    return "".join(c for c in kept if unicodedata.category(c)[0] not in "CM").rstrip()


def plain(text: str, *, letters_max: int) -> str:
    """For `plain_text` objects, where nothing is markup; never empty, which Slack would refuse."""
    return shortened(clean(text), letters_max=letters_max) or "–"


def as_typed(text: str, *, letters_max: int = 1000) -> str:
    """What a person typed, out of Slack's wire form: tokens become the words they showed."""
    return harmless(unescaped(text), letters_max=letters_max)


def unescaped(text: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text


def harmless(text: str, *, letters_max: int = 1000) -> str:
    """To be stored: a reason of today must not ping anybody when it is shown tomorrow."""
    # Cleaned first: a letter nobody sees must not keep a token apart until it is taken out.
    words = re.sub(r"<(?=[@#!])", "‹", TOKEN.sub(_token_in_words, clean(text)))
    return shortened(clean(words), letters_max=letters_max)


def _token_in_words(found: re.Match[str]) -> str:
    sign, body, label = found.group("sign"), found.group("body"), found.group("label")
    name = (label or body).lstrip("@#!")
    return f"{sign.replace('!', '@')}{name}" if sign else label or body
