"""What every answer stands on: who asks where, which cluster is meant, and how old the answer is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.cards.blocks import Drawn
from bot.cards.help import told
from bot.cards.quantities import lasting
from bot.cards.text import code, when
from bot.doors import Doors
from changes.grammar import Question, Usage
from changes.view import ClusterView

OLD_AFTER_SCANS = 3
CLUSTERS_NAMED_MAX = 10


class Asker(NamedTuple):
    user_id: str
    channel: str


Give = Callable[[Doors, Question, Asker], Awaitable[Sequence[Drawn]]]


class Answer(NamedTuple):
    """One question: how it is typed, and what answers it."""

    usage: Usage
    give: Give
    decides: bool = False
    """It is an act, and looks itself at who does it; any other answer is for members only."""


class Seen(NamedTuple):
    """A view, and the words that say how old it is."""

    view: ClusterView
    age: str
    old: bool


async def seen_or_words(doors: Doors, question: Question, asker: Asker) -> Seen | list[Drawn]:
    """The newest view of the cluster that is meant; else what to say instead of an answer."""
    cluster = cluster_meant(doors, question, asker)
    if cluster is None:
        return [told(which_cluster(doors))]
    view = await asyncio.to_thread(doors.ledger.view, cluster)
    if view is None:
        return [told(never_seen(cluster))]
    return Seen(view, age=age_words(view, doors.now()), old=is_old(view, doors.now()))


def cluster_meant(doors: Doors, question: Question, asker: Asker) -> str | None:
    """The one that was named, else the channel's, else the only one there is."""
    if named := question.arguments.get("cluster"):
        return named
    if here := doors.policies.cluster_of_channel(asker.channel):
        return here
    every = tuple(doors.policies.clusters)
    return every[0] if len(every) == 1 else None


def which_cluster(doors: Doors) -> str:
    names = tuple(doors.policies.clusters)
    known = ", ".join(f"`{name}`" for name in names[:CLUSTERS_NAMED_MAX])
    more = len(names) - CLUSTERS_NAMED_MAX
    return (
        "This channel has no cluster of its own: add `on CLUSTER`. "
        f"Known: {known}{f' and {more} more' if more > 0 else ''}."
    )


def never_seen(cluster: str) -> str:
    return (
        f"The watch has not looked at {cluster} for a week, or never has, so there is nothing to "
        "answer from. Is `python -m watch` running?"
    )


def is_old(view: ClusterView, now: datetime) -> bool:
    return (now - view.at).total_seconds() > OLD_AFTER_SCANS * view.scan_seconds


def age_words(view: ClusterView, now: datetime) -> str:
    """For a context line: as of when, and plainly when that is too long ago."""
    ago = lasting((now - view.at).total_seconds())
    if not is_old(view, now):
        return f"as of {ago} ago"
    since = when(view.at, shape="{date_short_pretty} {time}")
    return (
        f"⚠️ the watch has not looked at {code(view.cluster)} since {since}, {ago} ago: "
        "this is what it saw then"
    )
