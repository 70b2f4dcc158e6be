"""Lag as the watch saw it last: the worst groups with counts of all, or one group in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.cards.blocks import Block, Drawn, context, header, message, section, table
from bot.cards.chart import Bars, bar_chart
from bot.cards.chart_words import figure
from bot.cards.quantities import counted
from bot.cards.text import code, inert, prose
from changes.view import ClusterView, GroupLine

WORST_MAX = 15
STATES_MAX = 8
UNSEEN_MAX = 3
NAME_LETTERS_MAX = 40
"""A longer name would push the figures off a phone."""
SIGNS = {
    "lost records": "🔴",
    "stopped": "🔴",
    "stalled": "🔴",
    "at risk": "🟠",
    "falling behind": "🟠",
    "over the SLO": "🟠",
    "rewound": "🟠",
    "catching up": "🔵",
    "rebalancing": "🔵",
    "open transaction": "🔵",
    "between batches": "🔵",
    "never committed": "🔵",
    "abandoned": "🔵",
    "ok": "🟢",
}
UNKNOWN = "⚪"
"""Not seen, not known yet, or a word this version of Ottla does not know."""
POINTER = "Shortened; `/kafka lag GROUP` shows one group."


def sign(state: str) -> str:
    return SIGNS.get(state, UNKNOWN)


def all_groups(view: ClusterView, *, age: str) -> Drawn:
    """Worst first, as the watch ordered them."""
    total = max(view.groups_total, len(view.groups))
    title = header(f"Lag of {counted(total, 'consumer group')} on {view.cluster}")
    if not view.groups:
        nothing = "There is no consumer group." if total == 0 else "None of them could be read."
        return message([title, section(nothing), _foot(view, age)], pointer=POINTER)
    shown = view.groups[:WORST_MAX]
    blocks = [title, section(_states(view)), table(_rows(shown), numbers=("unread", "oldest"))]
    if (hidden := total - len(shown)) > 0:
        blocks.append(context(f"… and {hidden:,} more, none of them worse"))
    return message([*blocks, _foot(view, age)], pointer=POINTER)


def _states(view: ClusterView) -> str:
    """How many of each state, worst first; with very many groups of the listed ones only."""
    states = Counter(one.state for one in view.groups)
    words = [
        f"{sign(name)} {count:,} {inert(name)}" for name, count in list(states.items())[:STATES_MAX]
    ]
    unlisted = view.groups_total - len(view.groups)
    words += [f"{unlisted:,} more without trouble"] if unlisted > 0 else []
    return " · ".join(words)


def _rows(groups: Sequence[GroupLine]) -> list[list[str]]:
    head = ["group", "unread", "oldest", "state"]
    return [
        head,
        *(
            [
                _short(one.group),
                lag_words(one),
                one.age_words or "–",
                f"{sign(one.state)} {one.state}",
            ]
            for one in groups
        ),
    ]


def _short(name: str) -> str:
    """Both ends: what tells names apart is often the last part."""
    if len(name) <= NAME_LETTERS_MAX:
        return name
    return f"{name[: NAME_LETTERS_MAX // 2]}…{name[-NAME_LETTERS_MAX // 2 + 1 :]}"


def lag_words(line: GroupLine) -> str:
    return "not read" if line.lag is None else f"{line.lag:,}"


def one_group(view: ClusterView, line: GroupLine, *, age: str) -> Drawn:
    first = f"{sign(line.state)} {code(line.group)} on {inert(view.cluster)}: *{inert(line.state)}*"
    unread = "could not be read" if line.lag is None else f"{line.lag:,} unread"
    facts = [unread]
    facts += [f"the oldest for {inert(line.age_words)}"] if line.age_words else []
    facts += [f"Kafka says {inert(line.kafka_state)}"] if line.kafka_state else []
    said = [first, " · ".join(facts), *_rates(line)]
    if line.unread_partitions:
        said.append(f"⚠️ {counted(line.unread_partitions, 'partition')} could not be read")
    chart = _worst(line)
    return message([section("\n".join(said)), *chart, _foot(view, age)], pointer="Shortened.")


def _rates(line: GroupLine) -> list[str]:
    into, out = line.messages_per_second_in, line.messages_per_second_out
    if into is None and out is None:
        return []
    told = [
        f"{figure(rate)} {what}"
        for rate, what in ((into, "come in"), (out, "are read"))
        if rate is not None
    ]
    return [f"Messages a second: {', '.join(told)}"]


def _worst(line: GroupLine) -> list[Block]:
    if not line.worst:
        return []
    listed = ", ".join(f"{code(name)} {lag:,}" for name, lag in line.worst)
    words = section(f"Most of it: {listed}")
    if len(line.worst) < 2:
        return [words]
    bars = Bars(
        title="Unread messages of the worst partitions",
        unit="messages",
        labels=tuple(name for name, _ in line.worst),
        groups={"unread": [float(lag) for _, lag in line.worst]},
    )
    chart = bar_chart(bars)
    return [words, *([chart] if chart else [])]


def _foot(view: ClusterView, age: str) -> Block:
    return context(age, *unseen(view))


def unseen(view: ClusterView) -> list[str]:
    """What the watch could not see, in every answer: a missing number is not a good one."""
    words = [f"⚠️ not seen: {prose(one)}" for one in view.blind[:UNSEEN_MAX]]
    if view.groups_unread:
        words.append(f"⚠️ {counted(view.groups_unread, 'group')} could not be read")
    return words
