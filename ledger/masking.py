"""Words without secrets: whatever looks like a Slack token or a password in a URL is masked.

For logs the last line of defence, on the finished text, so that a traceback or a library cannot leak
either. It lives here because every process stands on the ledger, and its URL holds a password.
"""

from __future__ import annotations

import logging
import re
import time

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
"""One line per event, the same in every process."""
SECRETS = re.compile(
    r"(?P<token>x(?:ox[a-z]|app)-)[A-Za-z0-9-]{4,}|(?P<url>[a-z+]+://[^\s:/@]*:)[^\s@]+(?=@)"
)


class Masked(logging.Formatter):
    """Times in UTC, as in the audit: logs of several machines are read side by side."""

    default_msec_format = "%s,%03dZ"

    def converter(self, seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def masked(text: str) -> str:
    return SECRETS.sub(lambda found: f"{found['token'] or found['url']}***", text)


def log_masked(*, level: str, quiet: tuple[str, ...]) -> None:
    """One handler on stderr; the chatter of libraries named only from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Masked(LINE))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in quiet:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
