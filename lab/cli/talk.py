"""`lab say`, `lab press`, `lab read`: people of the workspace, from a terminal."""

from __future__ import annotations

import json
from typing import Any

import click

from lab.addresses import LabFolder
from lab.cli.found import addresses, dir_option, json_option
from lab.slack.client import LabRefused
from lab.slack.client import press as press_button
from lab.slack.client import read as read_messages
from lab.slack.client import say as say_words

_ANSWER_SECONDS = 5.0


@click.command()
@click.option("--as", "name", required=True, help="Who speaks, by name.")
@click.option("--in", "channel", required=True, help="Where, such as '#kafka'.")
@click.option("--thread", "thread_ts", help="The thread's first message, by its ts.")
@click.argument("text", nargs=-1, required=True)
@json_option
@dir_option
def say(
    name: str,
    channel: str,
    thread_ts: str | None,
    text: tuple[str, ...],
    as_json: bool,
    folder: LabFolder,
) -> None:
    """Send a message, or a slash command when TEXT starts with `/`."""
    try:
        done = say_words(
            page_url=_page(folder),
            as_name=name,
            channel=channel,
            text=" ".join(text),
            thread_ts=thread_ts,
            wait_seconds=_ANSWER_SECONDS,
        )
    except LabRefused as refusal:
        raise click.ClickException(str(refusal)) from None
    if as_json:
        click.echo(json.dumps(done, indent=2))
        return
    if done["ts"]:
        click.echo(done["ts"])
    click.echo(
        "\n".join(_in_words(message) for message in done["answers"]), nl=bool(done["answers"])
    )


@click.command()
@click.option("--as", "name", required=True, help="Who presses, by name.")
@click.option("--message", "message_ts", required=True, help="The message, by its ts.")
@click.option("--in", "channel", help="The channel, if it is not to be searched for.")
@click.argument("button")
@json_option
@dir_option
def press(
    name: str,
    message_ts: str,
    channel: str | None,
    button: str,
    as_json: bool,
    folder: LabFolder,
) -> None:
    """Press BUTTON of a message, by its words or its action id."""
    try:
        done = press_button(
            page_url=_page(folder),
            as_name=name,
            message_ts=message_ts,
            button=button,
            channel=channel,
        )
    except LabRefused as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(json.dumps(done, indent=2) if as_json else "pressed")


@click.command()
@click.argument("channel")
@click.option("--thread", "thread_ts", help="Only this thread, by its first message's ts.")
@click.option("--as", "name", help="As this person sees it, with what only he sees.")
@json_option
@dir_option
def read(
    channel: str, thread_ts: str | None, name: str | None, as_json: bool, folder: LabFolder
) -> None:
    """Print what stands in CHANNEL, such as '#kafka', oldest first."""
    try:
        found = read_messages(
            page_url=_page(folder), channel=channel, thread_ts=thread_ts, as_name=name
        )
    except LabRefused as refusal:
        raise click.ClickException(str(refusal)) from None
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo("\n".join(_in_words(message) for message in found))


def _page(folder: LabFolder) -> str:
    page = addresses(folder)["slack_page"]
    if not page:
        raise click.ClickException("this lab was started --bare: it has no Slack workspace")
    return str(page)


def _in_words(message: dict[str, Any]) -> str:
    only_you = " (only you see this)" if message["ephemeral"] else ""
    replies = f" [{message['reply_count']} replies]" if message["reply_count"] else ""
    lines = [f"{message['ts']} {message['name']}{only_you}{replies}"]
    lines += [f"    {line}" for line in message["text"].splitlines()]
    lines += [f"    ( {_label(button)} )" for button in message["buttons"]]
    lines += [f"    file {one['name']}, {one['size']} bytes" for one in message["files"]]
    return "\n".join(lines)


def _label(button: Any) -> str:
    return str(button.get("text", button)) if isinstance(button, dict) else str(button)
