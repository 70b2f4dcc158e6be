"""The words of an incident's thread. Pure text.

The surprising truth: what comes from outside (names of groups, topics) must not call anybody. The thread
gives meaning to `<@…>`, so angle brackets from outside become look-alikes before a line is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from changes.incident import Alert, Severity, duration_words
from watch.sightings import shortened

SEVERITY_WORDS = {
    Severity.INFO: "for information",
    Severity.WARN: "a warning",
    Severity.CRIT: "critical",
}
LINE_LETTERS_MAX = 1_800
"""A post in a thread shows some 2,000; the rest is for the mention."""
BRACKETS = str.maketrans({"<": "‹", ">": "›"})


def harmless(text: str) -> str:
    return text.translate(BRACKETS)


def sentence(alert: Alert) -> str:
    """What is wrong, with the object's name, once."""
    finding = alert.finding
    name = finding.subject.partition(" ")[2] or finding.subject
    words = finding.words if name in finding.words or name == "cluster" else ""
    return harmless(words or shortened(f"{finding.subject}: {finding.words}"))


def sentences(alerts: Sequence[Alert], most: int, *, more: int = 0) -> str:
    """Some of them in full, worst first; the others counted."""
    return _joined([sentence(one) for one in alerts[:most]], len(alerts) - most + more, "; ")


def objects(alerts: Sequence[Alert], most: int) -> str:
    names = list(dict.fromkeys(harmless(shortened(one.finding.subject)) for one in alerts))
    return _joined(names[:most], len(names) - most, ", ")


def details(alerts: Sequence[Alert], most: int) -> str:
    """What the rules say beyond the one line that the message shows; empty = nothing."""
    told = [one for one in alerts[:most] if one.finding.lines]
    return "\n".join(
        f"{harmless(one.finding.subject)}: {harmless('; '.join(one.finding.lines))}" for one in told
    )


def fitted(text: str) -> str:
    return text if len(text) <= LINE_LETTERS_MAX else f"{text[: LINE_LETTERS_MAX - 1]}…"


def is_over(seconds: float, worst: Severity) -> str:
    return f"Over after {duration_words(seconds)}; at its worst it was {SEVERITY_WORDS[worst]}."


def held_by_words(held_by: str) -> str:
    """Why something that is older is told just now."""
    if held_by.startswith("alert "):
        cause = harmless(held_by.rpartition("/")[2])
        return f"was held back while {cause} explained it"
    if held_by.startswith("mute of "):
        return f"the mute of {held_by.removeprefix('mute of ')} ended"
    if held_by.startswith("mute "):
        return f"the {held_by} ended"
    return f"was held back while {held_by} ran"


def _joined(found: Sequence[str], more: int, by: str) -> str:
    words = by.join(found)
    return f"{words} and {more:,} more" if more > 0 else words
