"""Finds the running lab for a command, or says plainly that there is none.

The surprising truth: an address file proves nothing. A lab that was killed leaves its own behind, so the lock
is asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from lab.addresses import LabFolder, is_alive, read_json

_Command = TypeVar("_Command", bound=Callable[..., Any])


def dir_option(command: _Command) -> _Command:
    """`--dir`, which every command has."""
    return click.option(
        "--dir",
        "folder",
        default=".lab",
        show_default=True,
        envvar="OTTLA_LAB_DIR",
        type=click.Path(path_type=Path),
        callback=lambda _context, _option, value: LabFolder(value.resolve()),
        help="The lab's folder.",
    )(command)


def json_option(command: _Command) -> _Command:
    """`--json`, which every command has that prints data."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def addresses(folder: LabFolder) -> dict[str, Any]:
    """The addresses of a lab that is up and ready."""
    if not is_alive(folder):
        raise click.ClickException(
            f"no lab is up in {folder.root}; start one with `python -m lab up`"
        )
    found = folder.read_addresses()
    if found is None:
        raise click.ClickException(
            f"the lab in {folder.root} is not ready ({phase(folder)}); see `python -m lab status`"
        )
    return found


def phase(folder: LabFolder) -> str:
    return str((read_json(folder.state) or {}).get("phase", "unknown"))


def table(rows: Sequence[tuple[object, ...]], *, heads: tuple[str, ...]) -> str:
    """Columns as wide as they need; numbers to the right."""
    texts = [heads, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in texts) for column in range(len(heads))]
    numeric = [
        all(isinstance(row[column], int | float) for row in rows) for column in range(len(heads))
    ]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in texts
    ]
    return "\n".join(lines)
