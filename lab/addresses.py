"""Where things are: free ports, the lab's folder, and the files by which others find it.

The surprising truth: whether a lab lives is told by a file lock, not by a process id. The kernel
drops the lock the moment the supervisor dies, however it dies; a process id may be a stranger's by
tomorrow.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

HOST = "127.0.0.1"
PAGE_PORT_FIRST = 8930
# Below Linux's ephemeral range (32768 on), so that no outgoing connection takes the port of a
# broker while it restarts.
_PORTS = range(18_000, 32_000)
_TRIES_MAX = 500


class NoFreePort(Exception):
    """Every port tried was taken; the sentence says which."""


class FolderRefused(Exception):
    """The folder is not a lab's, or already serves a living one; the sentence may be shown."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers themselves do: a port in TIME_WAIT is free, one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out ports that are free now, never the same one twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def take(self) -> int:
        for _ in range(_TRIES_MAX):
            port = random.choice(_PORTS)
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        raise NoFreePort(f"no free port among {_TRIES_MAX} tried in {_PORTS.start}-{_PORTS.stop}")

    def take_first_from(self, start: int) -> int:
        """A port people can remember: the first free one from `start` on."""
        for port in range(start, min(start + _TRIES_MAX, 65_536)):
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        raise NoFreePort(f"no free port from {start} on ({_TRIES_MAX} tried)")


@dataclass(frozen=True)
class LabFolder:
    """The files of one lab; everything the lab writes is under `root`."""

    root: Path

    @property
    def marker(self) -> Path:
        return self.root / "ottla-lab"

    @property
    def lock(self) -> Path:
        return self.root / "lab.lock"

    @property
    def addresses(self) -> Path:
        return self.root / "lab.json"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def load(self) -> Path:
        return self.root / "load.json"

    @property
    def load_orders(self) -> Path:
        return self.root / "load-orders"

    @property
    def load_faults(self) -> Path:
        return self.root / "load-faults.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def policies(self) -> Path:
        return self.root / "policies"

    @property
    def aws(self) -> Path:
        return self.root / "aws"

    def read_addresses(self) -> dict[str, Any] | None:
        return read_json(self.addresses)


def read_json(path: Path) -> dict[str, Any] | None:
    """None when the file is missing or is not a JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Readers see the old file or the new one, never half of one; only the owner may read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    os.replace(draft, path)


@contextmanager
def sole_owner(folder: LabFolder) -> Iterator[None]:
    """Hold the folder for this process, or refuse and name who holds it."""
    _claim(folder)
    with folder.lock.open("a+") as file:
        if not _locked(file):
            raise FolderRefused(_who_holds(folder))
        yield


def is_alive(folder: LabFolder) -> bool:
    """Whether a supervisor holds the folder at this moment."""
    try:
        with folder.lock.open("r+") as file:
            return not _locked(file)
    except OSError:
        return False


def _locked(file: TextIO) -> bool:
    """True when the lock is ours now; closing the file gives it back."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _claim(folder: LabFolder) -> None:
    """A lab wipes its folder at start, so it only takes one that is new, empty or a lab's."""
    root = folder.root
    if root.exists() and not root.is_dir():
        raise FolderRefused(f"{root} is a file; --dir wants a folder for the lab")
    if root.is_dir() and any(root.iterdir()) and not folder.marker.exists():
        raise FolderRefused(
            f"{root} holds files that are not a lab's; give --dir a new, empty or lab's folder"
        )
    root.mkdir(parents=True, exist_ok=True)
    folder.marker.touch()


def _who_holds(folder: LabFolder) -> str:
    state = read_json(folder.state) or {}
    page = (folder.read_addresses() or {}).get("slack_page")
    where = f", its page is {page}" if page else ""
    return (
        f"a lab is already up in {folder.root} (process {state.get('pid', 'unknown')}{where}); "
        "stop it with `python -m lab down`, or give another folder with --dir"
    )
