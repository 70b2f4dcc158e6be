"""Read-only answers: help, what is open, one request. Nothing here changes anything."""

from __future__ import annotations

import asyncio

from bot.answers import ANSWERS
from bot.cards.blocks import Drawn
from bot.cards.details import show_whole
from bot.cards.help import help_card, open_requests, told
from bot.doors import Doors
from bot.places import placed
from changes.grammar import Question, Usage, help_text
from changes.request import Request

QUESTIONS: tuple[Usage, ...] = (
    Usage(
        line="help [<topic...>]",
        means="help",
        examples=("help", "help scale brokers"),
        help="What can be asked here, or one line in full.",
    ),
    Usage(
        line="status [on <cluster>]",
        means="status",
        examples=("status", "status on orders-prod"),
        help="What is open: waiting, in line, running.",
    ),
    Usage(
        line="show <request>",
        means="show",
        examples=("show R-17",),
        help="One request with its plan, its state and the last lines of its thread.",
    ),
    Usage(
        line="approve <request>",
        means="approve",
        examples=("approve R-17",),
        help="Approve somebody else's request. The button on its card does the same.",
    ),
    Usage(
        line="reject <request> <reason...>",
        means="reject",
        examples=("reject R-17 not before the release",),
        help="Reject somebody else's request and say why.",
    ),
    Usage(
        line="cancel <request>",
        means="cancel",
        examples=("cancel R-17",),
        help="Take your own request back before work on it starts.",
    ),
    Usage(
        line="withdraw <request>",
        means="withdraw",
        examples=("withdraw R-17",),
        help="Take your own approval back before work starts.",
    ),
    Usage(
        line="pause <request>",
        means="pause",
        examples=("pause R-17",),
        help="Begin nothing new of a running change; what is in flight ends.",
    ),
    Usage(
        line="resume <request>",
        means="resume",
        examples=("resume R-17",),
        help="Go on with a paused change.",
    ),
    Usage(
        line="abort <request>",
        means="abort",
        examples=("abort R-17",),
        help="Stop a running change: cancel what runs, take the throttles away.",
    ),
    *(answer.usage for answer in ANSWERS),
)
LISTED_MAX = 50


def help_of(doors: Doors, question: Question) -> Drawn:
    return help_card(help_text(doors.usages, question.arguments.get("topic", "")))


async def status(doors: Doors, question: Question) -> Drawn:
    """Every open request, of one cluster or of all."""
    cluster = question.arguments.get("cluster")
    found = await asyncio.to_thread(
        doors.ledger.requests, cluster=cluster, open_only=True, limit=LISTED_MAX
    )
    shown = await asyncio.to_thread(lambda: [placed(doors.ledger, one) for one in found])
    links = await asyncio.to_thread(_links, doors, found)
    where = f"on {cluster}" if cluster else "anywhere"
    unreadable = await asyncio.to_thread(doors.ledger.unreadable, cluster=cluster, limit=LISTED_MAX)
    trouble = doors.kept.problem
    return open_requests(shown, links=links, where=where, trouble=trouble, unreadable=unreadable)


def _links(doors: Doors, requests: tuple[Request, ...]) -> dict[str, str]:
    return {one.id: link_to(doors, one.id) for one in requests}


def link_to(doors: Doors, request_id: str) -> str:
    card = doors.ledger.card(request_id)
    return doors.home.link(channel=card.channel, ts=card.ts) if card and card.ts else ""


async def show(doors: Doors, question: Question) -> list[Drawn]:
    request_id = question.arguments["request"]
    request = await asyncio.to_thread(doors.ledger.load, request_id)
    if request is None:
        return [told(f"There is no request {request_id}. See `/kafka status`.")]
    request = await asyncio.to_thread(placed, doors.ledger, request)
    return show_whole(request, link=await asyncio.to_thread(link_to, doors, request.id))
