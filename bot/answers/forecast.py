"""`/kafka forecast`: which broker reaches a limit, and when."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answers.asking import Answer, Asker, Seen, seen_or_words
from bot.cards.blocks import Drawn
from bot.cards.forecast import forecast_card
from bot.doors import Doors
from changes.grammar import Question, Usage

USAGE = Usage(
    line="forecast [on <cluster>]",
    means="forecast",
    examples=("forecast", "forecast on orders-prod"),
    help="When disks and CPUs reach their limits at the present pace.",
)


async def forecast(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    seen = await seen_or_words(doors, question, asker)
    if not isinstance(seen, Seen):
        return seen
    return [forecast_card(seen.view, age=seen.age)]


ANSWER = Answer(USAGE, forecast)
