"""`/kafka incidents`: what is open, what is muted and what was; or one incident with its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.answers.asking import Answer, Asker, age_words, is_old
from bot.cards.blocks import Drawn
from bot.cards.help import told
from bot.cards.incident_list import incident_list, one_incident
from bot.cards.text import code, prose
from bot.doors import Doors
from bot.incident_acts import NO_SUCH
from changes.grammar import Question, Usage
from changes.incident import Incident, Line, Mute

USAGE = Usage(
    line="incidents [<incident>] [on <cluster>]",
    means="incidents",
    examples=("incidents", "incidents I-12", "incidents on orders-prod"),
    help="What is wrong now, what is muted and what was wrong; or one incident in full.",
)
OPEN_MAX = 20
PAST_MAX = 10
READ_MAX = 40
UNSAID_MAX = 8


async def incidents(doors: Doors, question: Question, _: Asker) -> Sequence[Drawn]:
    if incident_id := question.arguments.get("incident"):
        found = await asyncio.to_thread(doors.ledger.incident, incident_id)
        if found is None:
            return [told(NO_SUCH.format(id=incident_id))]
        links = await asyncio.to_thread(_links, doors, (found,))
        return [one_incident(found, link=links.get(found.id, ""))]
    return [await asyncio.to_thread(_listed, doors, question.arguments.get("cluster"))]


def _listed(doors: Doors, cluster: str | None) -> Drawn:
    open_ones = doors.ledger.open_incidents(cluster)
    every = doors.ledger.incidents(cluster, limit=READ_MAX)
    past = tuple(one for one in every if one.ended_at)[:PAST_MAX]
    clusters = (cluster,) if cluster else tuple(doors.policies.clusters)
    now = doors.now()
    muted = [one for one in every if one.ended_at and one.muted_until and one.muted_until > now]
    mutes: list[Mute] = [mute for name in clusters for mute in doors.ledger.mutes(name)]
    shown = (*open_ones[:OPEN_MAX], *past)
    where = f" on {cluster}" if cluster else ""
    return incident_list(
        open_ones,
        past=past,
        mutes=mutes,
        muted_messages=muted,
        links=_links(doors, shown),
        where=where,
        now=now,
        notes=[note for name in clusters if (note := _not_watched(doors, name))],
        unsaid=_unsaid(doors, clusters),
    )


def _unsaid(doors: Doors, clusters: Sequence[str]) -> list[Line]:
    """What was over before anybody was told, newest first."""
    found = [line for name in clusters for line in doors.ledger.watch_book(name).past]
    return sorted(found, key=lambda line: line.at, reverse=True)[:UNSAID_MAX]


def _not_watched(doors: Doors, cluster: str) -> str:
    """No incident means little where nobody looks."""
    view = doors.ledger.view(cluster)
    if view is None:
        return f"⚠️ the watch has not looked at {code(cluster)} yet"
    if is_old(view, doors.now()):
        return age_words(view, doors.now())
    return f"⚠️ not seen on {code(cluster)}: {prose(view.blind[0])}" if view.blind else ""


def _links(doors: Doors, incidents: Sequence[Incident]) -> Mapping[str, str]:
    """To the messages of those that have one."""
    links = {}
    for one in incidents:
        card = doors.ledger.incident_card(one.id)
        if card and card.ts:
            links[one.id] = doors.home.link(channel=card.channel, ts=card.ts)
    return links


ANSWER = Answer(USAGE, incidents)
