"""The app manifest, read as Slack would read it: commands, events, scopes, flags.

A mistake in it is said by key, because the same file is pasted into Slack.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.slack.entities import Json

EVENT_SCOPES = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "file_shared": "files:read",
    "member_joined_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_rename": "channels:read",
    "user_change": "users:read",
    "subteam_updated": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "app_home_opened": "",
    "tokens_revoked": "",
    "app_uninstalled": "",
}
COMMAND_LETTERS_MAX = 32


class ManifestMistake(Exception):
    """The manifest cannot be used; the sentence says which key and what would be right."""


@dataclass(frozen=True)
class SlashCommand:
    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class AppManifest:
    name: str
    bot_name: str
    commands: tuple[SlashCommand, ...]
    scopes: tuple[str, ...]
    events: tuple[str, ...]
    socket_mode: bool
    interactivity: bool
    home_tab: bool

    def command(self, name: str) -> SlashCommand | None:
        return next((c for c in self.commands if c.command == name), None)


def load_manifest(path: Path) -> AppManifest:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ManifestMistake(f"the app manifest {path} cannot be read: {problem}") from problem
    except yaml.YAMLError as problem:
        raise ManifestMistake(f"the app manifest {path} is not YAML: {problem}") from problem
    if not isinstance(document, dict):
        raise ManifestMistake(
            f"the app manifest {path} must be a mapping of keys, as Slack shows it"
        )
    return parse_manifest(document)


def parse_manifest(document: Json) -> AppManifest:
    features = _section(document, "features")
    settings = _section(document, "settings")
    scopes = tuple(_section(_section(document, "oauth_config"), "scopes").get("bot") or ())
    events = tuple(_section(settings, "event_subscriptions").get("bot_events") or ())
    _check_events(events=events, scopes=scopes)
    commands = tuple(_command(entry) for entry in features.get("slash_commands") or ())
    if commands and "commands" not in scopes:
        raise ManifestMistake("oauth_config.scopes.bot lacks `commands`, which slash_commands need")
    name = _section(document, "display_information").get("name")
    if not name:
        raise ManifestMistake("display_information.name is missing: the app needs a name")
    return AppManifest(
        name=name,
        bot_name=str(_section(features, "bot_user").get("display_name") or name),
        commands=commands,
        scopes=scopes,
        events=events,
        socket_mode=bool(settings.get("socket_mode_enabled")),
        interactivity=bool(_section(settings, "interactivity").get("is_enabled")),
        home_tab=bool(_section(features, "app_home").get("home_tab_enabled")),
    )


def _section(document: Json, key: str) -> Json:
    section = document.get(key) or {}
    if not isinstance(section, dict):
        raise ManifestMistake(f"`{key}` must be a mapping, not {type(section).__name__}")
    return section


def _check_events(*, events: tuple[str, ...], scopes: tuple[str, ...]) -> None:
    for event in events:
        if event not in EVENT_SCOPES:
            known = ", ".join(sorted(EVENT_SCOPES))
            raise ManifestMistake(f"bot_events names `{event}`; the lab knows {known}")
        needed = EVENT_SCOPES[event]
        if needed and needed not in scopes:
            raise ManifestMistake(f"the event `{event}` needs the bot scope `{needed}`")


def _command(entry: Json) -> SlashCommand:
    command = str(entry.get("command", ""))
    if not command.startswith("/") or len(command) > COMMAND_LETTERS_MAX or " " in command:
        raise ManifestMistake(
            f"slash command `{command}` must be / and a word, at most {COMMAND_LETTERS_MAX} letters"
        )
    if not entry.get("description"):
        raise ManifestMistake(f"slash command `{command}` lacks a description")
    return SlashCommand(
        command=command,
        description=str(entry["description"]),
        usage_hint=str(entry.get("usage_hint", "")),
        should_escape=bool(entry.get("should_escape")),
    )
