"""One file here is one thing worth telling somebody. The folder is walked; there is no list to keep."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from watch.rule import Rule

HERE = Path(__file__).parent


def find(folder: Path) -> tuple[type[Rule[Any]], ...]:
    """The rules defined in the files of `folder`, in the order of their file names."""
    modules = [load(file) for file in sorted(folder.glob("*.py")) if not file.name.startswith("_")]
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Rule)
        and value.__module__ == module.__name__
    )


def load(file: Path) -> ModuleType:
    """Import a rule's file by its place: ours as `watch.rules.NAME`, others as `NAME`."""
    if file.parent == HERE:
        return importlib.import_module(f"{__name__}.{file.stem}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file that can be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def rules() -> tuple[type[Rule[Any]], ...]:
    """Every rule of Ottla."""
    return find(HERE)
