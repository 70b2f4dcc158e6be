"""Groups a rule could not look at: what it found of them before stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from changes.incident import Unseen
from watch.lag_states import GroupVerdict, LagState
from watch.lag_words import group_subject, hidden


def unseen_groups(rule: str, verdicts: Iterable[GroupVerdict]) -> Iterator[Unseen]:
    """One for each group with partitions that this round could not read."""
    for one in verdicts:
        if one.unread or one.state is LagState.NO_DATA:
            words = one.words or ", ".join(hidden(one)) or "its offsets could not be read"
            yield Unseen(rule=rule, subject=group_subject(one.group), words=words)
