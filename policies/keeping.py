"""The policies in force while a process runs: a good edit counts at once, a bad one never does.

The surprising truth: a file that is being edited is broken for a while. A process that starts with a
broken file refuses to; one that runs keeps the last good policies and says what is wrong with the new
ones, in its log and in `/kafka status`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from changes.change import Change
from policies.load import load
from policies.policies import Policies
from policies.problems import Problems

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int, int], ...]


class KeptPolicies:
    """`current` is always good; `refresh` reads the folder again when a file in it changed."""

    def __init__(
        self, *, folder: Path, catalog: Iterable[type[Change]], current: Policies, seen: Signature
    ) -> None:
        self._folder = folder
        self._catalog = tuple(catalog)
        self._seen = seen
        self.current = current
        self.problem = ""
        """Why the files as they are now are not in force; empty = they are."""

    @classmethod
    def start(cls, folder: Path, *, catalog: Iterable[type[Change]]) -> Self | Problems:
        """The signature is taken first: an edit during the reading is read again."""
        known = tuple(catalog)
        seen = signature(folder)
        loaded = load(folder, catalog=known)
        if isinstance(loaded, Problems):
            return loaded
        return cls(folder=folder, catalog=known, current=loaded, seen=seen)

    @classmethod
    def fixed(cls, policies: Policies) -> Self:
        """Policies that come from no folder, so no edit can change them."""
        nowhere = Path("/nonexistent")
        return cls(folder=nowhere, catalog=(), current=policies, seen=signature(nowhere))

    def refresh(self) -> Policies:
        now = signature(self._folder)
        if now == self._seen:
            return self.current
        self._seen = now
        try:
            loaded = load(self._folder, catalog=self._catalog)
        except Exception as error:  # the edge: one file must not end the reading of all
            self.problem = f"they could not be read ({type(error).__name__}: {error})"[:500]
            log.exception("the policy files cannot be read; the last good ones stay")
            return self.current
        if isinstance(loaded, Problems):
            self.problem = loaded.words()
            log.error("the policy files are broken; the last good ones stay: %s", self.problem)
            return self.current
        if self.problem or loaded.digest != self.current.digest:
            log.info("policies read again, digest %s", loaded.digest[:8])
        self.current, self.problem = loaded, ""
        return loaded


def signature(folder: Path) -> Signature:
    """Name, size, time and number of every file, since some tools give a new file the old one's time; a
    folder that is away is a change like any other."""
    found = []
    try:
        for file in sorted(folder.iterdir()):
            if file.suffix in (".yaml", ".yml"):
                at = file.stat()
                found.append((file.name, at.st_size, at.st_mtime_ns, at.st_ino))
    except OSError:
        return (("", -1, -1, -1),)
    return tuple(found)
