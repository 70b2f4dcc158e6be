"""Reads the seed: who is in the workspace, which channels there are, under which fixed ids."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.slack.entities import Channel, Json, Person, UserGroup

DEFAULT_SEED = Path(__file__).with_name("seed.yaml")


class SeedMistake(Exception):
    """The seed names somebody or something that it does not define."""


@dataclass(frozen=True)
class Seed:
    team_id: str
    team_name: str
    domain: str
    app_id: str
    bot_id: str
    bot_user_id: str
    people: tuple[Person, ...]
    channels: tuple[Channel, ...]
    groups: tuple[UserGroup, ...]


def load_seed(path: Path, *, bot_name: str, now: int) -> Seed:
    document: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    team, app = document["team"], document["app"]
    people = [_person(entry, team_id=team["id"], now=now) for entry in document["people"]]
    people.append(_bot(app=app, team_id=team["id"], name=bot_name, now=now))
    # The seed says "ottla" where it means the app, whatever the manifest calls it.
    ids = {p.name: p.id for p in people} | {"ottla": app["bot_user_id"]}
    return Seed(
        team_id=team["id"],
        team_name=team["name"],
        domain=team["domain"],
        app_id=app["id"],
        bot_id=app["bot_id"],
        bot_user_id=app["bot_user_id"],
        people=tuple(people),
        channels=tuple(_channel(entry, ids=ids, now=now) for entry in document["channels"]),
        groups=tuple(_group(entry, ids=ids, now=now) for entry in document["usergroups"]),
    )


def _person(entry: Json, *, team_id: str, now: int) -> Person:
    return Person(**{"kind": "member", "team_id": team_id, "updated": now, **entry})


def _bot(*, app: Json, team_id: str, name: str, now: int) -> Person:
    return Person(
        id=app["bot_user_id"],
        name=name,
        real_name=name.capitalize(),
        role="the app",
        kind="bot",
        team_id=team_id,
        color="1f3a5f",
        updated=now,
    )


def _members(names: list[str], *, ids: dict[str, str], where: str) -> list[str]:
    unknown = [name for name in names if name not in ids]
    if unknown:
        raise SeedMistake(f"{where} names {', '.join(unknown)}; people are {', '.join(ids)}")
    return [ids[name] for name in names]


def _channel(entry: Json, *, ids: dict[str, str], now: int) -> Channel:
    members = _members(entry["members"], ids=ids, where=f"channel {entry['name']}")
    return Channel(**{**entry, "members": members, "creator": members[0], "created": now})


def _group(entry: Json, *, ids: dict[str, str], now: int) -> UserGroup:
    users = _members(entry["users"], ids=ids, where=f"user group {entry['handle']}")
    return UserGroup(**{**entry, "users": users, "created": now, "updated": now})
