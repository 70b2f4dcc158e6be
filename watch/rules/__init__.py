"""One file here is one thing worth telling somebody. The folder is walked; there is no list to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from changes.folder import classes_in
from watch.rule import Rule

HERE = Path(__file__).parent


def find(folder: Path) -> tuple[type[Rule[Any]], ...]:
    """The rules defined in the files of `folder`, in the order of their file names."""
    return classes_in(folder, base=Rule, home=HERE, package=__name__)


def rules() -> tuple[type[Rule[Any]], ...]:
    """Every rule of Ottla."""
    return find(HERE)
