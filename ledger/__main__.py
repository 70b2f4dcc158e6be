"""`python -m ledger show R-17 | export | verify FILE`: look at the record without Slack.

Exit codes: 0 = fine, 1 = the answer is no (no such request, broken chain), 2 = could not be asked.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from changes.request import Request
from ledger import (
    AuditLine,
    Broken,
    Ledger,
    LedgerUnavailable,
    UnreadableEntry,
    connect,
    verify,
)

NO = 1
COULD_NOT_ASK = 2


@click.group()
def main() -> None:
    """Look at requests and at the audit chain."""


redis_option = click.option(
    "--redis",
    "url",
    envvar="REDIS_URL",
    show_envvar=True,
    help="Where the ledger is, such as redis://user:password@host:6379/0.",
)
allow_option = click.option(
    "--allow-no-password", is_flag=True, help="Use a Redis on another machine without a password."
)


@main.command()
@click.argument("request_id")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
@redis_option
@allow_option
def show(request_id: str, as_json: bool, url: str | None, allow_no_password: bool) -> None:
    """What is known of one request, and its audit lines."""
    _know_every_change()
    ledger = _ledger(url, allow_no_password)
    try:
        request = ledger.load(request_id)
        lines = tuple(ledger.audit_lines(request_id=request_id)) if request else ()
    except (LedgerUnavailable, UnreadableEntry) as error:
        _end(COULD_NOT_ASK, str(error))
    finally:
        ledger.close()
    if request is None:
        _end(NO, f"There is no request {request_id!r}. Requests are called R-1, R-2, …")
    click.echo(_as_json(request, lines) if as_json else _in_words(request, lines))


@main.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Instead of printing.")
@redis_option
@allow_option
def export(out: Path | None, url: str | None, allow_no_password: bool) -> None:
    """The whole audit chain as JSON lines, oldest first."""
    ledger = _ledger(url, allow_no_password)
    try:
        count = ledger.export(out or sys.stdout)
    except LedgerUnavailable as error:
        _end(COULD_NOT_ASK, str(error))
    except OSError as error:
        _end(COULD_NOT_ASK, f"Cannot write {out or 'to the standard output'}: {error.strerror}.")
    finally:
        ledger.close()
    click.echo(f"{count} lines" + (f" in {out}" if out else ""), err=True)


@main.command(name="verify")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--head", help="The hash its last line must have, as an earlier run printed it.")
def verify_file(file: Path, head: str | None) -> None:
    """Is an export whole and in order? Needs no Redis."""
    try:
        with click.open_file(str(file), encoding="utf-8") as lines:
            found = verify(lines)
    except OSError as error:
        _end(COULD_NOT_ASK, f"Cannot read {file}: {error.strerror}.")
    except UnicodeDecodeError:
        _end(NO, f"{file} is not an audit export: it is not UTF-8 text.")
    if isinstance(found, Broken):
        _end(NO, found.sentence)
    if head is not None and head != found.head:
        _end(
            NO, f"The last line has hash {found.head}, not {head}: lines are missing or were added."
        )
    click.echo(f"{found.count} lines, whole and in order. Head: {found.head}")


def _know_every_change() -> None:
    """Requests name the classes of their changes and steps, which have to be imported first."""
    from changes import catalog

    load = getattr(catalog, "load_catalog", None)
    if load is not None:
        load()


def _ledger(url: str | None, allow_no_password: bool) -> Ledger:
    if not url:
        _end(COULD_NOT_ASK, "Where is the ledger? Give --redis URL or set REDIS_URL.")
    try:
        return connect(url, allow_no_password=allow_no_password)
    except LedgerUnavailable as error:
        _end(COULD_NOT_ASK, str(error))


def _as_json(request: Request, lines: tuple[AuditLine, ...]) -> str:
    both = {
        "request": request.model_dump(mode="json"),
        "audit": [line.model_dump(mode="json") for line in lines],
    }
    return json.dumps(both, ensure_ascii=False, indent=2)


def _in_words(request: Request, lines: tuple[AuditLine, ...]) -> str:
    rows = [
        f"{request.id}  {request.state.value}  {_described(request)}",
        f"asked by   {request.requester.name} ({request.requester.user_id})",
        f"because    {request.because or '–'}",
        f"revision   {request.revision}  {request.fingerprint or 'no plan yet'}",
        f"version    {request.version}, saved {request.updated_at.isoformat()}",
    ]
    rows += [f"{line.at.isoformat()}  {line.actor}  {line.event}: {line.words}" for line in lines]
    return "\n".join(rows)


def _described(request: Request) -> str:
    return request.change.describe()


def _end(code: int, sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
