"""`/kafka ack I-12`: the Acknowledge button, typed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answers.asking import Answer, Asker
from bot.cards.blocks import Drawn
from bot.cards.help import told
from bot.doors import Doors
from bot.incident_acts import acknowledge
from changes.grammar import Question, Usage
from changes.request import Refusal

USAGE = Usage(
    line="ack <incident>",
    means="ack",
    examples=("ack I-12",),
    help="Say that you look into an incident: nobody is called for it, until it gets worse.",
)


async def ack(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    incident_id = question.arguments["incident"]
    outcome = await acknowledge(
        doors, incident_id=incident_id, user_id=asker.user_id, where="command"
    )
    if isinstance(outcome, Refusal):
        return [told(outcome.words)]
    return [told(f"{outcome.id} is yours: nobody is called for it, until it gets worse.")]


ANSWER = Answer(USAGE, ack, decides=True)
