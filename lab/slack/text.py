"""Text on its way in: escaping as Slack does it, and names that people type turned into ids.

A bot's `@name` stays plain text; only what a person types in the composer is linked.
"""

import re

from lab.slack.workspace import Workspace

TOKEN = r"<(?:[@#!][^<>\s][^<>]*|(?:https?|mailto|tel):[^<>\s|]+(?:\|[^<>]*)?)>"
ENTITY = r"&(?:amp|lt|gt);"
_PIECES = re.compile(rf"({TOKEN}|{ENTITY})")
_BARE_URL = re.compile(r"https?://[^\s<>|`*]+[^\s<>|`*.,:;!?)\]'\"]")
_NAME = re.compile(r"(?<![\w<@#&])([@#])([\w][\w.-]*)")
BROADCASTS = ("here", "channel", "everyone")
_SYMBOLS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def escape(text: str) -> str:
    for symbol, entity in _SYMBOLS:
        text = text.replace(symbol, entity)
    return text


def unescape(text: str) -> str:
    for symbol, entity in reversed(_SYMBOLS):
        text = text.replace(entity, symbol)
    return text


def from_bot(text: str) -> str:
    """Bare & < > become entities and bare URLs links; valid tokens and entities stay."""
    pieces = _PIECES.split(text)
    return "".join(
        piece if place % 2 else _link_urls(escape(piece)) for place, piece in enumerate(pieces)
    )


def from_person(text: str, *, workspace: Workspace) -> str:
    return _link_names(_link_urls(escape(text)), workspace=workspace, labelled=False)


def for_command(text: str, *, workspace: Workspace, should_escape: bool) -> str:
    """Commands get raw text, or with should_escape ids with names beside them."""
    if not should_escape:
        return text
    return _link_names(escape(text), workspace=workspace, labelled=True)


def _link_urls(text: str) -> str:
    return _BARE_URL.sub(lambda found: f"<{found.group(0)}>", text)


def _link_names(text: str, *, workspace: Workspace, labelled: bool) -> str:
    def linked(found: re.Match[str]) -> str:
        sign, word = found.groups()
        name = word.rstrip(".-")
        link = _person_link if sign == "@" else _channel_link
        token = link(name, workspace=workspace, labelled=labelled)
        return found.group(0) if token is None else token + word[len(name) :]

    # Links to pages may hold @ and #: leave tokens alone.
    pieces = _PIECES.split(text)
    return "".join(p if place % 2 else _NAME.sub(linked, p) for place, p in enumerate(pieces))


def _person_link(name: str, *, workspace: Workspace, labelled: bool) -> str | None:
    person = next((p for p in workspace.people.values() if p.name == name), None)
    if person is not None:
        return f"<@{person.id}|{person.name}>" if labelled else f"<@{person.id}>"
    group = next((g for g in workspace.groups.values() if g.handle == name), None)
    if group is not None:
        return f"<!subteam^{group.id}|@{group.handle}>"
    return f"<!{name}>" if name in BROADCASTS else None


def _channel_link(name: str, *, workspace: Workspace, labelled: bool) -> str | None:
    channel = workspace.channel_named(name)
    if channel is None or channel.id == name:
        return None
    return f"<#{channel.id}|{channel.name}>" if labelled else f"<#{channel.id}|>"
