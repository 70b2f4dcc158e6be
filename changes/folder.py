"""A folder is walked for what stands in it: adding a change or an alert rule is adding one file.

Our own files are imported as modules of their package, so that they stay one module however often they
are asked for; those of any other folder by their path, under their own name.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def classes_in(folder: Path, *, base: type[T], home: Path, package: str) -> tuple[type[T], ...]:
    """Subclasses of `base` defined in the files of `folder`, in the order of their file names."""
    files = [file for file in sorted(folder.glob("*.py")) if not file.name.startswith("_")]
    modules = [_load(file, home=home, package=package) for file in files]
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
    )


def _load(file: Path, *, home: Path, package: str) -> ModuleType:
    if file.parent == home:
        return importlib.import_module(f"{package}.{file.stem}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file that can be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
