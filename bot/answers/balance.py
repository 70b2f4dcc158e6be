"""`/kafka balance`: what each broker carries, beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answers.asking import Answer, Asker, Seen, seen_or_words
from bot.cards.balance import balance_card
from bot.cards.blocks import Drawn
from bot.doors import Doors
from changes.grammar import Question, Usage

USAGE = Usage(
    line="balance [on <cluster>]",
    means="balance",
    examples=("balance", "balance on orders-prod"),
    help="What each broker carries: leaders, replicas, bytes, disk, CPU.",
)


async def balance(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    seen = await seen_or_words(doors, question, asker)
    if not isinstance(seen, Seen):
        return seen
    return [balance_card(seen.view, age=seen.age)]


ANSWER = Answer(USAGE, balance)
