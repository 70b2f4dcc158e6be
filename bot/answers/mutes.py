"""`/kafka mute …` and `/kafka unmute …`: one object, everything of a cluster, or one incident's message.

A mute names exactly one object, so a name that nobody knows is asked back: a mute with a typing mistake
would mute nothing, and nobody would notice before the night.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

from bot.answers.asking import Answer, Asker, cluster_meant, which_cluster
from bot.answers.names import Match, found
from bot.cards.blocks import Drawn
from bot.cards.help import told
from bot.cards.text import harmless
from bot.doors import Doors
from bot.incident_acts import mute as mute_incident
from bot.incident_acts import unmute as unmute_incident
from bot.recording import record, refused
from changes.grammar import Question, Usage
from changes.incident import Mute, duration_words, why_no_mute
from changes.request import Refusal

MUTE_USAGE = Usage(
    line="mute <what> [<name>] [for <time>] [on <cluster>] [because <reason...>]",
    means="mute",
    examples=(
        "mute group payments for 2h because we deploy",
        "mute broker 2 for 30m",
        "mute I-12 for 4h",
        "mute everything for 1h on orders-prod",
    ),
    help="Hear nothing of one group, topic or broker, of one incident, or of everything, for a while.",
)
UNMUTE_USAGE = Usage(
    line="unmute <muted>",
    means="unmute",
    examples=("unmute M-3", "unmute I-12"),
    help="End a mute early.",
)
LENGTH_DEFAULT = timedelta(hours=2)
TIME = re.compile(r"([1-9][0-9]{0,3})(m|min|h|d)")
UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
INCIDENT = re.compile(r"[Ii]-?([1-9][0-9]{0,8})")
MUTED = re.compile(r"[Mm]-?([1-9][0-9]{0,8})")
KINDS = ("group", "topic", "broker", "partition")
EVERYTHING = ("everything", "all")
STILL_TOLD = "Lost records, offline partitions and critical disks are told all the same."


async def mute(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    given = question.arguments
    length = length_of(given.get("time"))
    if isinstance(length, str):
        return [told(length)]
    if incident := INCIDENT.fullmatch(given["what"]):
        return [told(await _mute_incident(doors, f"I-{incident[1]}", length, asker))]
    cluster = cluster_meant(doors, question, asker)
    if cluster is None:
        return [told(which_cluster(doors))]
    subject = await asyncio.to_thread(_subject, doors, cluster, given["what"], given.get("name"))
    if isinstance(subject, Refusal):
        return [told(subject.words)]
    reason = harmless(given.get("reason", ""))
    return [told(await _add(doors, cluster, subject, length, reason, asker))]


def length_of(typed: str | None) -> timedelta | str:
    """`2h`, `30m`, `1d`; a sentence for what is none."""
    if typed is None:
        return LENGTH_DEFAULT
    read = TIME.fullmatch(typed.casefold())
    if read is None:
        return f"`{harmless(typed, letters_max=40)}` is no time. Write it like `30m`, `2h` or `1d`."
    return timedelta(**{UNITS[read[2]]: int(read[1])})


async def _mute_incident(doors: Doors, incident_id: str, length: timedelta, asker: Asker) -> str:
    outcome = await mute_incident(
        doors, incident_id=incident_id, length=length, user_id=asker.user_id, where="command"
    )
    if isinstance(outcome, Refusal):
        return outcome.words
    return f"{outcome.id} is muted for {duration_words(length.total_seconds())}."


def _subject(doors: Doors, cluster: str, what: str, name: str | None) -> str | Refusal:
    """The object as findings name it; empty = everything of the cluster."""
    kind = what.casefold()
    if kind in EVERYTHING and name is None:
        return ""
    known = subjects(doors, cluster)
    if kind == "cluster" and name is None:
        return "cluster"
    if kind in ("topic", "partition") and name is not None:
        return _of_topic(kind, name, _topics(doors, cluster), known, cluster)
    if kind in KINDS:
        return _of_kind(kind, name, known, cluster)
    if name is not None:
        kinds = ", ".join(f"`{one}`" for one in KINDS)
        return Refusal(
            words=f"`{_bare(what)}` cannot be muted. Say which {kinds}, or `everything`."
        )
    return _bare_name(what, known, cluster)


def subjects(doors: Doors, cluster: str) -> dict[str, bool]:
    """Every object that is known by name; True = it has an open alert."""
    view = doors.ledger.view(cluster)
    known = {f"group {one.group}": False for one in view.groups} if view else {}
    known |= {f"broker {one.broker_id}": False for one in view.brokers} if view else {}
    known |= {f"topic {one}": False for one in view.topics} if view else {}
    for incident in doors.ledger.open_incidents(cluster):
        known |= {one.finding.subject: True for one in incident.alerts}
    return known


def _topics(doors: Doors, cluster: str) -> tuple[str, ...]:
    view = doors.ledger.view(cluster)
    return view.topics if view else ()


def _of_kind(kind: str, name: str | None, known: dict[str, bool], cluster: str) -> str | Refusal:
    if name is None:
        return Refusal(words=f"Which {kind}? Write it like `mute {kind} NAME for 2h`.")
    names = [one.partition(" ")[2] for one in known if one.startswith(f"{kind} ")]
    what = "consumer group" if kind == "group" else kind
    match = found(name, names, what=what, where=cluster)
    return f"{kind} {match.name}" if isinstance(match, Match) else Refusal(words=match)


def _of_topic(
    kind: str, name: str, topics: tuple[str, ...], known: dict[str, bool], cluster: str
) -> str | Refusal:
    """One that exists, or that something was told of; any name where topics were not seen."""
    if not topics or f"{kind} {name}" in known:
        return f"{kind} {name}"
    topic, _, number = name.rpartition("-") if kind == "partition" else (name, "", "0")
    if not number.isdecimal():
        return Refusal(words=f"`{_bare(name)}` is no partition: write it like `orders-3`.")
    match = found(topic, topics, what="topic", where=cluster)
    return f"{kind} {name}" if isinstance(match, Match) else Refusal(words=match)


def _bare_name(name: str, known: dict[str, bool], cluster: str) -> str | Refusal:
    """`mute payments`: fine as long as only one object is called that."""
    fitting = [one for one in known if one.partition(" ")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        listed = " or ".join(f"`mute {_bare(one)}`" for one in fitting)
        return Refusal(words=f"`{_bare(name)}` is the name of several things: write {listed}.")
    names = {one.partition(" ")[2] for one in known} - {""}
    match = found(name, names, what="group, topic or broker", where=cluster)
    assert isinstance(match, str), "it fits no object exactly"
    return Refusal(words=match)


async def _add(
    doors: Doors, cluster: str, subject: str, length: timedelta, reason: str, asker: Asker
) -> str:
    person = await doors.person(asker.user_id)
    now = doors.now()
    until = now + length
    event = "mute by command"
    stranger = f"You cannot mute anything: {person.standing}." if person.standing else ""
    if why := stranger or why_no_mute(until=until, now=now):
        return (await refused(doors, cluster, person, event, Refusal(words=why))).words
    wanted = Mute(
        id="",
        cluster=cluster,
        subject=subject,
        by=person.user_id,
        reason=reason,
        at=now,
        until=until,
    )
    added = await asyncio.to_thread(doors.ledger.add_mute, wanted)
    if isinstance(added, Refusal):
        return (await refused(doors, cluster, person, event, added)).words
    length_words = duration_words(length.total_seconds())
    named = f"`{_bare(subject)}`" if subject else "everything"
    words = f"{added.id}: {named} of {cluster} is muted for {length_words}"
    await record(doors, added.id, person, event, f"{words}{f' because {reason}' if reason else ''}")
    return f"{words}. `/kafka unmute {added.id}` ends it early. {STILL_TOLD}"


async def unmute(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    typed = question.arguments["muted"]
    if incident := INCIDENT.fullmatch(typed):
        outcome = await unmute_incident(
            doors, incident_id=f"I-{incident[1]}", user_id=asker.user_id, where="command"
        )
        words = outcome.words if isinstance(outcome, Refusal) else f"{outcome.id} is heard again."
        return [told(words)]
    if number := MUTED.fullmatch(typed):
        return [told(await _end(doors, f"M-{number[1]}", asker))]
    words = f"`{_bare(typed)}` is no mute. Mutes are named like `M-3`, incidents like `I-12`."
    return [told(words)]


async def _end(doors: Doors, mute_id: str, asker: Asker) -> str:
    person = await doors.person(asker.user_id)
    event = "unmute by command"
    if person.standing:
        refusal = Refusal(words=f"You cannot end {mute_id}: {person.standing}.")
        return (await refused(doors, mute_id, person, event, refusal)).words
    ended = await asyncio.to_thread(doors.ledger.end_mute, mute_id, doors.now())
    if ended is None:
        return f"There is no mute {mute_id} (any more). `/kafka incidents` names those that hold."
    named = f"`{_bare(ended.subject)}`" if ended.subject else "everything"
    words = f"{ended.id} is over: {named} of {ended.cluster} is heard again."
    await record(doors, ended.id, person, event, words)
    return words


def _bare(name: str) -> str:
    """To stand between backticks."""
    return harmless(name, letters_max=120).replace("`", "ˋ")


MUTE = Answer(MUTE_USAGE, mute, decides=True)
UNMUTE = Answer(UNMUTE_USAGE, unmute, decides=True)
