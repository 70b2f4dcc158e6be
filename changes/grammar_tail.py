"""What may follow every change: `on CLUSTER` and `because REASON`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from changes.grammar_usage import Usage
from changes.grammar_values import cluster_name, listed
from changes.grammar_words import Word, Wrong, refuse_hostile, unquoted


class Tail(NamedTuple):
    """What may follow every change: `on CLUSTER` and `because REASON`."""

    cluster: Word | None
    because: str
    spoken: Word | None
    """A cluster the reason ends on, as in `because lag on orders-prod`."""


def read_tail(words: Sequence[Word], usage: Usage, line: str, clusters: Sequence[str]) -> Tail:
    cluster: Word | None = None
    while words:
        if words[0].keyword == "because":
            return with_reason(words, cluster, line, clusters)
        if words[0].keyword != "on":
            refuse_extra(words, usage)
        if cluster:
            raise Wrong("A change is for one cluster: `on` stands here twice.", at=words[0].at)
        cluster = after_on(words, line, usage)
        words = words[2:]
    return Tail(cluster, "", None)


def after_on(words: Sequence[Word], line: str, usage: Usage) -> Word:
    if len(words) < 2:
        raise Wrong("`on` needs the name of a cluster after it.", at=len(line) + 1)
    refuse_hostile(words[1], right=usage.example)
    return words[1]


def with_reason(
    words: Sequence[Word], cluster: Word | None, line: str, clusters: Sequence[str]
) -> Tail:
    """A reason runs to the end; a quoted one ends at its quote, and `on CLUSTER` may follow it."""
    start = words[0].end
    reason = line[start:].strip()
    if not unquoted(reason):
        raise Wrong("`because` needs a reason after it.", at=len(line) + 1)
    if len(words) > 3 and words[-2].keyword == "on" and words[-1].text in clusters:
        before = line[start : words[-2].at].strip()
        if before[0] in "\"'" and before[-1] == before[0] and len(before) > 2:
            if cluster:
                raise Wrong("A change is for one cluster: `on` stands twice.", at=words[-2].at)
            return Tail(words[-1], unquoted(before), None)
        return Tail(cluster, unquoted(reason), words[-1])
    return Tail(cluster, unquoted(reason), None)


def where(
    tail: Tail, clusters: Sequence[str], default_cluster: str | None, line: str
) -> tuple[str, tuple[str, ...]]:
    """The cluster, and what is to be said about how it was found."""
    if tail.cluster:
        return cluster_name(tail.cluster, clusters), ()
    if tail.spoken and default_cluster is None:
        cluster = tail.spoken.text
        return cluster, (f"on {cluster}, which the reason ends on",)
    if tail.spoken and tail.spoken.text != default_cluster:
        raise Wrong(
            f"Is `on {tail.spoken.text}` part of the reason, or the cluster? "
            "Name the cluster before `because`.",
            at=tail.spoken.at,
        )
    if default_cluster:
        return default_cluster, (f"on {default_cluster}, this channel's cluster",)
    known = f" Known: {listed(clusters)}." if clusters else ""
    raise Wrong(
        "This channel has no cluster of its own: add `on CLUSTER`." + known, at=len(line) + 1
    )


def refuse_extra(extra: Sequence[Word], usage: Usage) -> None:
    if extra:
        refuse_hostile(extra[0], right=usage.example)
        raise Wrong(f"`{extra[0].text}` is too much: `{usage.line}` is all.", at=extra[0].at)
