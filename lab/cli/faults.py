"""`lab fault`: what can go wrong, by name, wherever it is played: brokers, MSK and CloudWatch, Slack.

The surprising truth: a fault's name says where it goes: `aws-…` to the AWS endpoint, `slack-…` to the
workspace, `consumer-…` and `hot-key` to the load, the others to the brokers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import click

from lab.addresses import LabFolder
from lab.broker_faults import FAULTS as BROKER_FAULTS
from lab.cli.found import addresses, dir_option
from lab.load.faults import (
    DOES,
    HOT_KEY,
    HOT_KEY_DOES,
    NO_FAULTS,
    LoadRefuses,
    Mode,
    read_faults,
    write_faults,
)

_SECONDS_MAX = 120.0
# The lab is on this machine: a proxy of the environment has nothing to do with it.
_OPENER = build_opener(ProxyHandler({}))
_MSK_STATES = {"msk-healing": "HEALING", "msk-maintenance": "MAINTENANCE"}
_CLOCK = "slack-clock"
_CONSUMER_MODES = {f"consumer-{mode.value}": mode for mode in Mode}
_MATCHES = ("method", "channel", "type", "event", "action_id")


@click.command()
@click.argument("name")
@click.argument("arguments", nargs=-1)
@dir_option
def fault(name: str, arguments: tuple[str, ...], folder: LabFolder) -> None:
    """Play fault NAME with ARGUMENTS, `fault list` them, or `fault clear` all but brokers'.

    \b
    fault broker-kill 2              fault slow-disk 2 seconds=30
    fault msk-healing on             fault aws-throttle operation=ListNodes times=3
    fault slack-clock 3600           fault slack-ratelimit method=chat.update times=2
    fault consumer-stops analytics   fault hot-key orders
    """
    found = addresses(folder)
    if name == "list":
        click.echo(_listed(found))
    elif name == "clear":
        click.echo(_clear(found))
    else:
        click.echo(_place_of(name)(found, name, arguments))


def _place_of(name: str) -> Callable[[dict[str, Any], str, tuple[str, ...]], str]:
    """Who plays it."""
    if name in {one.name for one in BROKER_FAULTS}:
        return _play_broker
    if name in _MSK_STATES:
        return _play_msk_state
    if name == _CLOCK:
        return _advance_clock
    if name in _CONSUMER_MODES or name == HOT_KEY:
        return _play_load
    if name in _names("slack"):
        return _play_slack
    if name in _names("aws"):
        return _play_aws
    raise click.UsageError(f"there is no fault {name!r}; `lab fault list` shows them all")


def _play_broker(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    if not arguments or not arguments[0].isdecimal():
        raise click.UsageError(f"{name} wants a broker's id, as in `lab fault {name} 2`")
    body = {"name": name, "broker_id": int(arguments[0]), **_pairs(arguments[1:])}
    control = found["control"]
    url = f"{control['url']}/faults"
    return str(_call(url, body=body, token=control["token"])["message"])


def _play_msk_state(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    if arguments not in (("on",), ("off",)):
        raise click.UsageError(f"{name} wants `on` or `off`")
    body: dict[str, Any] = {"action": "clear", "name": "cluster_state"}
    if arguments == ("on",):
        body = {"action": "add", "name": "cluster_state", "state": _MSK_STATES[name]}
    _call(_aws(found), body=body)
    return f"{name} is {arguments[0]}"


def _play_load(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    what = "a topic, or off" if name == HOT_KEY else "a group"
    if len(arguments) != 1:
        raise click.UsageError(f"{name} wants {what}")
    file = _load_file(found)
    now = read_faults(file)
    try:
        if name == HOT_KEY:
            wanted = now.with_hot("" if arguments[0] == "off" else arguments[0])
        else:
            wanted = now.with_group(arguments[0], _CONSUMER_MODES[name])
    except LoadRefuses as refused:
        raise click.UsageError(str(refused)) from None
    write_faults(file, wanted)
    return f"{name} {arguments[0]}: the load follows within a second"


def _load_file(found: dict[str, Any]) -> Path:
    if not found["load"]:
        raise click.ClickException("this lab was started without load")
    return LabFolder(Path(found["dir"])).load_faults


def _play_aws(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    if arguments == ("off",):
        _call(_aws(found), body={"action": "clear", "name": _inner(name)})
        return f"{name} is off"
    active = _call(_aws(found), body={"action": "add", "name": _inner(name), **_pairs(arguments)})
    return json.dumps(active["faults"][-1])


def _play_slack(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    given = _pairs(arguments)
    matches = {key: given.pop(key) for key in _MATCHES if key in given}
    action = _inner(name)
    if action not in ("archive_channel", "kick_bot"):
        given["match"] = matches
    else:
        given |= matches  # for these the channel is what is upset, not what is matched
    answer = _call(_slack(found, "faults"), body={"action": action, **given})
    return json.dumps(answer.get("fault", {"done": name}))


def _advance_clock(found: dict[str, Any], name: str, arguments: tuple[str, ...]) -> str:
    if len(arguments) != 1 or not arguments[0].isdecimal():
        raise click.UsageError(f"{name} wants seconds, as in `lab fault {name} 3600`")
    _call(_slack(found, "clock"), body={"advance_seconds": int(arguments[0])})
    return f"the workspace's clock went {arguments[0]} s ahead"


def _clear(found: dict[str, Any]) -> str:
    if found["aws"]:
        _call(_aws(found), body={"action": "clear"})
    if found["slack_page"]:
        _call(_slack(found, "faults"), method="DELETE")
    if found["load"]:
        write_faults(_load_file(found), NO_FAULTS)
    return "no fault of AWS, Slack and the load is active; brokers are mended by `broker-restart`"


def _listed(found: dict[str, Any]) -> str:
    lines = ["brokers (then an id, and seconds=N where it lasts):"]
    lines += [f"  {one.name:<20}{one.does}" for one in BROKER_FAULTS]
    lines += ["MSK and CloudWatch (then key=value, or off):"]
    lines += [
        f"  {name:<20}on or off: the cluster says {_MSK_STATES[name]}" for name in _MSK_STATES
    ]
    lines += [f"  {name}" for name in _names("aws")]
    lines += ["Slack (then key=value):", f"  {_CLOCK:<20}seconds: the workspace's clock goes ahead"]
    lines += [f"  {name}" for name in _names("slack")]
    lines += ["the load (then a group, or a topic):"]
    lines += [f"  {name:<20}{DOES[mode]}" for name, mode in _CONSUMER_MODES.items()]
    lines += [f"  {HOT_KEY:<20}{HOT_KEY_DOES}"]
    lines += ["active:", *(f"  {json.dumps(one)}" for one in _active(found))]
    return "\n".join(lines)


def _active(found: dict[str, Any]) -> list[Any]:
    doors = [_aws(found)] if found["aws"] else []
    doors += [_slack(found, "faults")] if found["slack_page"] else []
    active = [one for door in doors for one in _call(door)["faults"]]
    if found["load"] and (now := read_faults(_load_file(found))) != NO_FAULTS:
        active.append(
            {"load": {**now.groups, **({HOT_KEY: now.hot_topic} if now.hot_topic else {})}}
        )
    return active


def _names(place: str) -> tuple[str, ...]:
    """The faults of one place, as they are typed."""
    # Imported here: each brings its whole server with it, which a broker's fault does not need.
    if place == "aws":
        from lab.aws.faults import NAMES

        inner: tuple[str, ...] = NAMES
    else:
        from lab.slack.faults import ACTIONS

        inner = tuple(name for names in ACTIONS.values() for name in names)
    return tuple(f"{place}-{name.replace('_', '-')}" for name in inner)


def _inner(name: str) -> str:
    """What the place itself calls it."""
    return name.partition("-")[2].replace("-", "_")


def _aws(found: dict[str, Any]) -> str:
    if not found["aws"]:
        raise click.ClickException("this lab was started --bare: it has no AWS endpoint")
    return f"{found['aws']}/lab/faults"


def _slack(found: dict[str, Any], door: str) -> str:
    if not found["slack_page"]:
        raise click.ClickException("this lab was started --bare: it has no Slack workspace")
    return f"{found['slack_page'].rstrip('/')}/lab/{door}"


def _pairs(arguments: tuple[str, ...]) -> dict[str, Any]:
    """`key=value` each; a value that reads as JSON is that, anything else is text."""
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not key:
            raise click.UsageError(f"expected key=value, found {argument!r}")
        try:
            pairs[key] = json.loads(value)
        except ValueError:
            pairs[key] = value
    return pairs


def _call(
    url: str, *, body: dict[str, Any] | None = None, token: str = "", method: str | None = None
) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, headers=headers, method=method)
    try:
        with _OPENER.open(request, timeout=_SECONDS_MAX) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except HTTPError as refused:
        raise click.ClickException(_sentence(refused)) from None
    except (URLError, TimeoutError) as problem:
        raise click.ClickException(f"the lab does not answer at {url}: {problem}") from None


def _sentence(refused: HTTPError) -> str:
    """Every door of the lab refuses with words; each calls them by its own name."""
    try:
        answer = json.loads(refused.read())
    except ValueError:
        return f"refused with status {refused.code}"
    return str(answer.get("message") or answer.get("sentence") or answer)
