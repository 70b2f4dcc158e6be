"""One file here is one thing people can ask for. The folder is walked; there is no list to keep."""

from __future__ import annotations

from pathlib import Path

from changes.change import Change
from changes.folder import classes_in

HERE = Path(__file__).parent


def find(folder: Path) -> tuple[type[Change], ...]:
    """The changes defined in the files of `folder`, in the order of their file names."""
    return classes_in(folder, base=Change, home=HERE, package=__name__)


CATALOG: tuple[type[Change], ...] = find(HERE)
