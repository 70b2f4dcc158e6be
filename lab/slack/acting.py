"""Reading what a person asks for through `/lab/act`: who, where, and clear words when a name does not exist."""

from difflib import get_close_matches

from lab.slack.entities import Channel, Json, Person
from lab.slack.workspace import Workspace


class ActMistake(Exception):
    """The act cannot be done; the sentence is shown to whoever tried."""

    def __init__(self, sentence: str, *, error: str = "refused") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.error = error


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean x?`, or everything there is when nothing is near."""
    close = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there is {', '.join(known)}" if known else ""


def wanted(act: Json, key: str) -> str:
    value = act.get(key)
    if not isinstance(value, str) or not value:
        raise ActMistake(f"`{act.get('do')}` needs `{key}`, a text.", error="missing_field")
    return value


def actor(workspace: Workspace, act: Json) -> Person:
    name = wanted(act, "user")
    person = workspace.person_named(name)
    people = [p for p in workspace.people.values() if not p.is_bot]
    if person is None:
        near = nearest(name, [p.name for p in people])
        raise ActMistake(f"there is nobody called {name}{near}", error="no_such_person")
    if person.is_bot:
        raise ActMistake(f"{person.name} is the app; acts are for people.")
    if person.deleted:
        raise ActMistake(
            f"{person.name}'s account is deactivated: nothing can be done as {person.name}."
        )
    return person


def place(workspace: Workspace, act: Json, person: Person) -> Channel:
    name = wanted(act, "channel")
    channel = workspace.channel_named(name)
    seen = [
        c for c in workspace.channels.values() if workspace.can_see(user_id=person.id, channel=c)
    ]
    if channel is None or channel not in seen:
        near = nearest(name.removeprefix("#"), [f"#{c.name}" for c in seen if c.name])
        raise ActMistake(f"{person.name} sees no channel {name}{near}", error="no_such_channel")
    return channel


def may_write(person: Person, channel: Channel) -> None:
    if channel.is_archived:
        raise ActMistake(
            f"#{channel.name} is archived: nobody can write there.", error="is_archived"
        )
    if person.id not in channel.members:
        raise ActMistake(
            f"{person.name} is not a member of #{channel.name} and has to join first.",
            error="not_in_channel",
        )
