"""Help, from the same usage lines that are the grammar: what is shown is what is understood."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from changes.grammar_usage import Usage


def help_text(usages: Sequence[Usage], topic: str = "") -> str:
    """Every line with its first sentence, or one in full; plain text."""
    words = tuple(topic.casefold().split())
    if not words:
        return overview(usages)
    found = [usage for usage in usages if usage.phrase[: len(words)] == words]
    if not found:
        found = [usage for usage in usages if words[: len(usage.phrase)] == usage.phrase]
    if not found:
        return no_such(usages, " ".join(words))
    return "\n\n".join(in_full(usage) for usage in found)


def overview(usages: Sequence[Usage]) -> str:
    wide = max((len(usage.line) for usage in usages), default=0)
    lines = [f"{usage.line:<{wide}}  {first_sentence(usage.help)}".rstrip() for usage in usages]
    if any(not isinstance(usage.means, str) for usage in usages):
        lines += ["", "Every change may be followed by: on CLUSTER, because REASON"]
    return "\n".join(lines)


def first_sentence(text: str) -> str:
    paragraph = " ".join(text.split("\n\n")[0].split())
    end = paragraph.find(". ")
    return paragraph if end < 0 else paragraph[: end + 1]


def in_full(usage: Usage) -> str:
    line = usage.line
    if not isinstance(usage.means, str):
        line += " [on <cluster>] [because <reason...>]"
    parts = [line]
    if usage.help:
        parts.append(usage.help)
    if usage.examples:
        parts.append("\n".join(["Examples:", *(f"  {example}" for example in usage.examples)]))
    return "\n\n".join(parts)


def no_such(usages: Sequence[Usage], topic: str) -> str:
    phrases = [" ".join(usage.phrase) for usage in usages]
    near = difflib.get_close_matches(topic, phrases, n=1, cutoff=0.6)
    ask = f" Did you mean `help {near[0]}`?" if near else ""
    return f"There is no help on that.{ask}\n\n{overview(usages)}"
