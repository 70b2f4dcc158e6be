"""What was probably meant by words no usage line begins with."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from changes.grammar_mended import Readable, mended
from changes.grammar_usage import Usage
from changes.grammar_words import Word, Wrong, refuse_hostile


def unknown(
    words: Sequence[Word],
    keys: tuple[str, ...],
    line: str,
    usages: Sequence[Usage],
    readable: Readable,
) -> Wrong:
    """Begun rightly and then astray, or never heard of: name the nearest line."""
    begun = [usage for usage in usages if usage.phrase[0] == keys[0]]
    if begun:
        return astray(words, keys, line, begun, readable)
    refuse_hostile(words[0], right=usages[0].example if usages else "")
    by_phrase = {" ".join(usage.phrase): usage for usage in usages}
    by_first = {usage.phrase[0]: usage for usage in reversed(usages)}
    near = nearest(" ".join(keys[:2]), by_phrase) or nearest(keys[0], by_first | by_phrase)
    ask = "" if near else " Ask for `help` to see what there is."
    right = mended(words, line, near, readable) if near else ""
    return Wrong(f"I do not know `{words[0].text}`.{ask}", at=words[0].at, right=right)


def nearest(text: str, usages: Mapping[str, Usage]) -> Usage | None:
    found = difflib.get_close_matches(text, list(usages), n=1, cutoff=0.6)
    return usages[found[0]] if found else None


def astray(
    words: Sequence[Word],
    keys: tuple[str, ...],
    line: str,
    begun: Sequence[Usage],
    readable: Readable,
) -> Wrong:
    usage = max(begun, key=lambda one: common(keys, one.phrase))
    place = common(keys, usage.phrase)
    said = " ".join(usage.phrase[:place])
    follows = sorted({one.phrase[place] for one in begun if len(one.phrase) > place})
    wanted = " or ".join(f"`{one}`" for one in follows)
    if place >= len(words):
        return Wrong(f"After `{said}` comes {wanted}.", at=len(line) + 1, right=usage.example)
    refuse_hostile(words[place], right=usage.example)
    return Wrong(
        f"After `{said}` comes {wanted}, not `{words[place].text}`.",
        at=words[place].at,
        right=mended(words, line, usage, readable),
    )


def common(keys: tuple[str, ...], phrase: tuple[str, ...]) -> int:
    for count, (one, other) in enumerate(zip(keys, phrase, strict=False)):
        if one != other:
            return count
    return min(len(keys), len(phrase))
