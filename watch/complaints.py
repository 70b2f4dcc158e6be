"""What the watch has to complain of about itself: said once in the log, shown as long as it holds."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class Complaints:
    """By what they are about; the newest words of each."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._standing: dict[str, str] = {}

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._standing.values())

    def say(self, about: str, words: str) -> None:
        """Log it when it is new, and show it."""
        if about not in self._standing:
            log.warning("%s: %s", self._cluster, words)
        self.note(about, words)

    def note(self, about: str, words: str) -> None:
        """Show it; somebody else has logged it."""
        self._standing[about] = words

    def end(self, *about: str) -> None:
        for one in about:
            if self._standing.pop(one, None) is not None:
                log.info("%s: over: %s", self._cluster, one)
