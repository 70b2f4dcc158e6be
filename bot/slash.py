"""`/kafka …`: acknowledge at once, understand, open a request or answer.

Slack fails a command after 3 s although its listener runs on, so everything that reads Slack or the
ledger happens in a task after the acknowledgement. Understanding is arithmetic and comes before it:
a mistake is the acknowledgement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.answers import ANSWERS
from bot.answers.asking import Asker, Give
from bot.cards.blocks import Drawn
from bot.cards.help import mistake_card, opened, told
from bot.cards.text import harmless, unescaped
from bot.deciding import decide, in_words, steer, take_back
from bot.doors import Doors
from bot.once import named, once
from bot.opening import open_request
from bot.posting import BAD_BLOCKS, faces
from bot.questions import help_of, link_to, show, status
from bot.recording import refused
from changes.grammar import Asked, Mistake, Question, parse
from changes.request import Refusal, Request
from changes.steering import ACTS

log = logging.getLogger(__name__)

COMMAND = "/kafka"
Json = dict[str, Any]
ACK_HEAD_START_SECONDS = 0.1
"""Bolt sends the acknowledgement up to 10 ms after `ack()` returns; an answer posted meanwhile would
overtake it, and "checking …" would stand below its own answer."""
Say = Callable[[Drawn], Awaitable[None]]


def register(app: AsyncApp, doors: Doors) -> None:
    @app.command(COMMAND)
    async def kafka(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        understood = understand(doors, command)
        await ack(**privately(next_words(doors, understood)))
        acknowledged_at = asyncio.get_running_loop().time()
        if isinstance(understood, Mistake) or _is_help(understood):
            return

        async def say(drawn: Drawn) -> None:
            passed = asyncio.get_running_loop().time() - acknowledged_at
            await asyncio.sleep(max(0.0, ACK_HEAD_START_SECONDS - passed))
            for face in faces(drawn):
                answer = await respond(**privately(face), replace_original=False)
                if answer.status_code == 200:
                    return
                log.error("an answer was refused: %s %s", answer.status_code, answer.body)
                if not any(code in answer.body for code in BAD_BLOCKS):
                    return  # used up or too late: a simpler face would not arrive either

        async def tell(words: str) -> None:
            await say(told(words))

        carry_on = partial(_carry_on, doors, understood, command, say)
        work = once(doors.ledger, named(command), carry_on)
        doors.tasks.start(work, doing=f"{COMMAND} {_name(understood)}", tell=tell)


def understand(doors: Doors, command: Json) -> Asked | Question | Mistake:
    clusters = doors.policies.clusters
    return parse(
        unescaped(str(command.get("text") or "")),
        usages=doors.usages,
        clusters=tuple(clusters),
        default_cluster=doors.policies.cluster_of_channel(str(command.get("channel_id"))),
    )


def next_words(doors: Doors, understood: Asked | Question | Mistake) -> Drawn | None:
    """What the acknowledgement says: the answer itself, or what happens next."""
    if isinstance(understood, Mistake):
        return mistake_card(understood)
    if isinstance(understood, Asked):
        return told(f"{understood.change.describe()}: checking who you are, opening a request …")
    if understood.name == "help":
        return help_of(doors, understood)
    if "request" in understood.arguments and understood.name != "show":
        request_id = understood.arguments["request"]
        return told(f"{understood.name.capitalize()} {request_id}: checking who you are …")
    return None


def privately(drawn: Drawn | None) -> Json:
    if drawn is None:
        return {}
    blocks = {"blocks": list(drawn.blocks)} if drawn.blocks else {}
    return {"text": drawn.text, **blocks, "response_type": "ephemeral"}


async def _carry_on(doors: Doors, understood: Asked | Question, command: Json, say: Say) -> None:
    user_id = str(command["user_id"])
    if isinstance(understood, Asked):
        await say(await _open(doors, understood, user_id=user_id, asked_in=command["channel_id"]))
        return
    asker = Asker(user_id=user_id, channel=str(command["channel_id"]))
    for drawn in await ANSWERED.get(understood.name, _decided)(doors, understood, asker):
        await say(drawn)


async def _status(doors: Doors, question: Question, _: Asker) -> Sequence[Drawn]:
    return [await status(doors, question)]


async def _show(doors: Doors, question: Question, _: Asker) -> Sequence[Drawn]:
    return await show(doors, question)


async def _decided(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    return [told(in_words(await _decide(doors, question, user_id=asker.user_id)))]


def _for_members(give: Give) -> Give:
    async def answered(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
        if why := await doors.onlookers.why_not(asker.user_id):
            return [told(why)]
        return await give(doors, question, asker)

    return answered


ANSWERED: Mapping[str, Give] = {
    "status": _for_members(_status),
    "show": _for_members(_show),
    **{
        str(one.usage.means): one.give if one.decides else _for_members(one.give) for one in ANSWERS
    },
}
"""Every other question is a decision about a request."""


async def _open(doors: Doors, asked: Asked, *, user_id: str, asked_in: str) -> Drawn:
    person = await doors.person(user_id)
    if person.standing:
        refusal = Refusal(words=f"Nothing was asked: {person.standing}.")
        about = asked.change.cluster
        return told((await refused(doors, about, person, "ask by command", refusal)).words)
    request = await open_request(doors, asked, person=person, asked_in=asked_in)
    link = await asyncio.to_thread(link_to, doors, request.id)
    return opened(request, asked, link=link)


async def _decide(doors: Doors, question: Question, *, user_id: str) -> Request | Refusal:
    request_id = question.arguments["request"]
    if question.name == "cancel":
        return await take_back(doors, request_id=request_id, user_id=user_id, where="command")
    for what in ACTS:
        if question.name == what:
            return await steer(
                doors, what=what, request_id=request_id, user_id=user_id, where="command"
            )
    return await decide(
        doors,
        request_id=request_id,
        user_id=user_id,
        choice="approve" if question.name == "approve" else "reject",
        revision=None,
        reason=harmless(question.arguments.get("reason", "")),
        where="command",
    )


def _is_help(understood: Asked | Question) -> bool:
    return isinstance(understood, Question) and understood.name == "help"


def _name(understood: Asked | Question) -> str:
    return understood.name if isinstance(understood, Question) else type(understood.change).__name__
