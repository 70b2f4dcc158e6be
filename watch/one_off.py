"""Objects that come once and never again, such as groups named by a number or a UUID.

Each has its own name, so each would be news. After the third of a kind a line says how to be left in
peace; nothing is muted by itself, for a machine cannot know that nobody cares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from changes.incident import Alert
from watch.telling_words import harmless

NUMBERED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,}|[0-9]{4,}", re.I)
"""A UUID, a digest, a number of at least four digits."""
TOLD_AT = 3
KINDS_MAX = 200

Counted = dict[str, tuple[str, ...]]


def kind_of(alert: Alert) -> str:
    """The group's name without what makes it unique; empty = nothing does, or it is no group."""
    subject = alert.finding.subject
    pattern = NUMBERED.sub("*", subject)
    ours = subject.startswith("group ") and pattern != subject
    return f"{alert.finding.rule}/{pattern}" if ours else ""


def counted(
    before: Mapping[str, tuple[str, ...]], told: Iterable[Alert]
) -> tuple[Counted, list[str]]:
    """The objects of each kind so far, and the patterns that just had their third."""
    after = dict(before)
    third = []
    # Several of a kind in one moment have one cause; only one after another are they a habit.
    for alert in {kind_of(one): one for one in told}.values():
        kind = kind_of(alert)
        names = after.get(kind, ())
        if not kind or alert.finding.subject in names or len(names) >= TOLD_AT:
            continue
        after[kind] = (*names, alert.finding.subject)
        if len(after[kind]) == TOLD_AT:
            third.append(kind.partition("/")[2])
    while len(after) > KINDS_MAX:
        del after[next(iter(after))]
    return after, third


def hint(pattern: str) -> str:
    name = harmless(pattern.partition(" ")[2] or pattern).replace("`", "'")
    return (
        f"The third of its kind: `{name}`. What nobody wants to hear of belongs under "
        "`groups: exclude:` in `alerts.yaml`."
    )
