"""Which broker reaches a limit, and when: the soonest first, what cannot be told last and said."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cards.blocks import Drawn, bullets, context, header, message, section, table
from bot.cards.lag import unseen
from bot.cards.quantities import HOUR, lasting
from bot.cards.text import prose
from changes.view import ClusterView, ForecastLine

LINES_MAX = 20
SOON_HOURS = 48
ADVICE_MAX = 5
WORDS_MAX = 5


def forecast_card(view: ClusterView, *, age: str) -> Drawn:
    foot = context(age, *unseen(view))
    title = header(f"Forecast for {view.cluster}")
    if not view.forecasts:
        words = "Nothing is forecast yet: the watch needs some hours of metrics first."
        return message([title, section(words), foot], pointer="Shortened.")
    lines = soonest_first(view.forecasts)
    blocks = [
        title,
        section(_verdict(view, lines)),
        table(_rows(lines[:LINES_MAX]), numbers=("now", "per hour", "limit in")),
    ]
    if (hidden := len(lines) - LINES_MAX) > 0:
        blocks.append(context(f"… and {hidden} lines that reach nothing sooner"))
    return message([*blocks, foot], pointer="Shortened.")


def soonest_first(lines: Sequence[ForecastLine]) -> tuple[ForecastLine, ...]:
    return tuple(sorted(lines, key=_urgency))


def _urgency(one: ForecastLine) -> tuple[float, float]:
    left = float("inf") if one.hours_left is None else one.hours_left
    return left, -(one.now_percent or 0.0)


def _verdict(view: ClusterView, lines: Sequence[ForecastLine]) -> str:
    soon = [one for one in lines if one.hours_left is not None and one.hours_left < SOON_HOURS]
    told = [f"broker {one.broker_id}, {prose(one.what)}: {prose(one.words)}" for one in soon]
    said = bullets(told, shown_max=WORDS_MAX)
    said = said or f"Nothing reaches a limit within {lasting(SOON_HOURS * HOUR)}."
    advice = bullets((prose(one) for one in view.advice), shown_max=ADVICE_MAX)
    return f"{said}\n{advice}" if advice else said


def _rows(lines: Sequence[ForecastLine]) -> list[list[str]]:
    head = ["broker", "what", "now", "per hour", "limit in"]
    return [head, *(_row(one) for one in lines)]


def _row(one: ForecastLine) -> list[str]:
    now = "–" if one.now_percent is None else f"{one.now_percent:.0f} %"
    pace = "–" if one.percent_per_hour is None else f"{one.percent_per_hour:+.2f} %"
    left = lasting(one.hours_left * HOUR) if one.hours_left is not None else one.words or "–"
    return [str(one.broker_id), one.what, now, pace, left]
