"""What every protocol of the endpoint turns an HTTP request into, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from lab.aws.refusals import Refused
from lab.aws.shapes import Fields

Handler = Callable[[Fields], Awaitable[Fields]]
Handlers = Mapping[str, Handler]


class Wire(Protocol):
    """The way back: an output or a refusal, in the protocol the request came in."""

    def respond(self, *, operation: str, output: Fields) -> web.Response: ...

    def refuse(self, *, refused: Refused) -> web.Response: ...


@dataclass(frozen=True)
class Call:
    """One AWS call as it was understood."""

    service: str
    operation: str
    fields: Fields
    wire: Wire
