"""Pages of a list, with opaque tokens; a token that is not ours is refused, never guessed at."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class BadToken(Exception):
    """A page token the endpoint did not deal out."""


def token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


def offset(given: str | None) -> int:
    """Where a page starts."""
    if given is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(given.encode()).decode().partition(":")
    except (binascii.Error, UnicodeError) as mistake:
        raise BadToken("The next token is not valid") from mistake
    if word != "page" or not number.isdecimal():
        raise BadToken("The next token is not valid")
    return int(number)


def page(
    items: Sequence[Item], *, next_token: str | None, size: int
) -> tuple[Sequence[Item], str | None]:
    """One page and the token of the next, if there is one."""
    start = offset(next_token)
    end = start + size
    return items[start:end], token(end) if end < len(items) else None
