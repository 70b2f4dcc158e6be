"""The locked lists of jars: one file a Kafka version, one line a jar, each with its SHA-256.

The surprising truth: the list is the whole trust. A jar is used when its bytes have the hash
written here and refused otherwise, wherever it came from.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"
DEFAULT_VERSION = "4.1.2"
_LINE = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)"
    r"(?::(?P<classifier>[\w.-]+))? (?P<sha256>[0-9a-f]{64})"
)


class BadLock(Exception):
    """A locked list that is missing or cannot be read; the sentence may be shown."""


@dataclass(frozen=True)
class LockedJar:
    """One jar by its Maven coordinate, and the only bytes it may have."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def filename(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.jar"

    @property
    def is_agent(self) -> bool:
        """Agents are handed to `-javaagent`; they do not belong on the class path."""
        return self.classifier == "javaagent"

    def line(self) -> str:
        suffix = f":{self.classifier}" if self.classifier else ""
        return f"{self.group}:{self.artifact}:{self.version}{suffix} {self.sha256}"


def versions(*, folder: Path = LOCKS) -> tuple[str, ...]:
    """Every Kafka version that has a locked list, oldest first."""
    found = [path.stem for path in folder.glob("*.lock")]
    return tuple(sorted(found, key=lambda name: [int(part) for part in name.split(".")]))


def read(*, version: str, folder: Path = LOCKS) -> tuple[LockedJar, ...]:
    """The jars of one Kafka version, as locked."""
    known = versions(folder=folder)
    if version not in known:
        raise BadLock(
            f"Kafka {version!r} has no locked list of jars; there are lists for {', '.join(known)}"
        )
    path = folder / f"{version}.lock"
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    return tuple(_parsed(line, where=f"{path.name}, line {number}") for number, line in lines)


def _parsed(line: str, *, where: str) -> LockedJar:
    match = _LINE.fullmatch(line)
    if match is None:
        raise BadLock(
            f"{where}: expected `group:artifact:version[:classifier] sha256`, found {line!r}"
        )
    return LockedJar(**{name: value or "" for name, value in match.groupdict().items()})


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(jars: tuple[LockedJar, ...]) -> str:
    """A short name for exactly this list."""
    text = "\n".join(jar.line() for jar in jars)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
