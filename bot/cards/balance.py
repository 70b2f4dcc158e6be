"""What each broker carries, side by side: as bars, as a table, and what the rules would say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.cards.blocks import Block, Drawn, bullets, context, header, message, section, table
from bot.cards.chart import Bars, bar_chart
from bot.cards.lag import unseen
from bot.cards.quantities import counted, in_bytes
from bot.cards.text import prose
from changes.view import BrokerLine, ClusterView

BROKERS_MAX = 20
"""As many as a chart has points; with more, the ones that carry most."""
ADVICE_MAX = 5
POINTER = "Shortened."
NOTHING = "–"
NUMBERS = ("leaders", "replicas", "on disk", "disk", "CPU")


def balance_card(view: ClusterView, *, age: str) -> Drawn:
    foot = context(age, *unseen(view))
    title = header(f"Balance of {counted(len(view.brokers), 'broker')} on {view.cluster}")
    if not view.brokers:
        return message([title, section("The brokers could not be seen."), foot], pointer=POINTER)
    shown = most_loaded(view.brokers)
    blocks = [title, section(_verdict(view)), *_charts(shown), table(_rows(shown), numbers=NUMBERS)]
    if (hidden := len(view.brokers) - len(shown)) > 0:
        blocks.append(context(f"… and {hidden} brokers that carry less"))
    return message([*blocks, foot], pointer=POINTER)


def most_loaded(brokers: Sequence[BrokerLine]) -> tuple[BrokerLine, ...]:
    """All of them by id; when there are too many, those with the most leaders."""
    if len(brokers) > BROKERS_MAX:
        brokers = sorted(brokers, key=lambda one: -one.leaders)[:BROKERS_MAX]
    return tuple(sorted(brokers, key=lambda one: one.broker_id))


def _verdict(view: ClusterView) -> str:
    if view.advice:
        return bullets((prose(one) for one in view.advice), shown_max=ADVICE_MAX)
    return "Nothing to say of the balance: no rule would change anything."


def _charts(shown: Sequence[BrokerLine]) -> list[Block]:
    labels = tuple(f"broker {one.broker_id}" for one in shown)
    counts = Bars(
        title="Partitions of each broker",
        unit="",
        labels=labels,
        groups={
            "leaders": [float(one.leaders) for one in shown],
            "replicas": [float(one.replicas) for one in shown],
        },
    )
    charts = [bar_chart(counts)]
    if all(one.bytes_in_per_second is not None for one in shown):
        rates = [(one.bytes_in_per_second or 0.0) / 1e6 for one in shown]
        charts.append(bar_chart(Bars("Produced to each broker", "MB/s", labels, {"in": rates})))
    return [one for one in charts if one]


Column = tuple[str, Callable[[BrokerLine], str]]
COLUMNS: tuple[Column, ...] = (
    ("broker", lambda one: str(one.broker_id)),
    ("zone", lambda one: one.rack or NOTHING),
    ("leaders", lambda one: f"{one.leaders:,}"),
    ("replicas", lambda one: f"{one.replicas:,}"),
    ("on disk", lambda one: NOTHING if one.size_bytes is None else in_bytes(one.size_bytes)),
    ("disk", lambda one: _percent(one.disk_used_percent)),
    ("CPU", lambda one: _percent(one.cpu_percent)),
)


def _rows(shown: Sequence[BrokerLine]) -> list[list[str]]:
    """Columns that nobody could fill are left out."""
    columns = [
        (name, [cell(one) for one in shown])
        for name, cell in COLUMNS
        if name in ("broker", "leaders", "replicas") or any(cell(one) != NOTHING for one in shown)
    ]
    rows = zip(*(cells for _, cells in columns), strict=True)
    return [[name for name, _ in columns], *(list(row) for row in rows)]


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} %"
