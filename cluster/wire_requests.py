"""Requests as aiokafka's connection wants them: they spell themselves in a version the broker speaks.

The surprising truth: aiokafka's connection does not care whose request it sends. `Ask` is spelled from
its description each time; `Ready` was spelled once, is sent many times, and reads its answer with a
cursor, for answers with many thousand entries.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from aiokafka.errors import IncompatibleBrokerVersion

from cluster.wire_codec import BadFrame, Row, decode, encode, skip_tags
from cluster.wire_messages import Api

Versions = Mapping[int, tuple[int, int]]
"""By api key, the lowest and highest version that a broker speaks."""


class Request(Protocol):
    """What a connection is handed."""

    def prepare(self, versions: Versions) -> Any: ...


@dataclass(frozen=True)
class _Header:
    """Request header 1 or 2, response header 0 or 1: the even ones end in tagged fields."""

    correlation_id: int
    content: bytes = b""

    def encode(self) -> bytes:
        return self.content


@dataclass(frozen=True)
class _Answer:
    """Reads the answer of one request."""

    read: Callable[[BytesIO], Any]

    def decode(self, data: BytesIO) -> Any:
        """aiokafka closes a connection whose reader raises, without saying why: return it."""
        try:
            return self.read(data)
        except BadFrame as bad:
            return bad


@dataclass(frozen=True)
class _Spelled:
    """A request in one version, as aiokafka's connection wants it."""

    api: Api
    version: int
    body: Callable[[], bytes]
    read: Callable[[BytesIO], Any]

    @property
    def API_KEY(self) -> int:  # noqa: N802 - the name that aiokafka reads
        return self.api.key

    @property
    def RESPONSE_TYPE(self) -> _Answer:  # noqa: N802 - the name that aiokafka reads
        return _Answer(self.read)

    def build_request_header(self, *, correlation_id: int, client_id: str) -> _Header:
        raw = client_id.encode()
        head = struct.pack(">hhih", self.api.key, self.version, correlation_id, len(raw)) + raw
        tags = b"\x00" if self.api.flexible(self.version) else b""
        return _Header(correlation_id, head + tags)

    def encode(self) -> bytes:
        return self.body()

    def parse_response_header(self, data: BytesIO) -> _Header:
        (correlation_id,) = struct.unpack(">i", data.read(4))
        if self.api.flexible(self.version):
            skip_tags(data)
        return _Header(correlation_id)


@dataclass(frozen=True)
class Ask:
    """A described request and its values; the version is chosen per connection."""

    api: Api
    row: Row

    def prepare(self, versions: Versions) -> _Spelled:
        api, version = self.api, version_for(self.api, versions)
        flexible = api.flexible(version)
        return _Spelled(
            api,
            version,
            body=lambda: encode(api.request, self.row, version=version, flexible=flexible),
            read=lambda data: decode(api.response, data, version=version, flexible=flexible),
        )


@dataclass(frozen=True)
class Ready:
    """A request whose bytes are the same in every version of its description.

    `read` gets the answer's bytes and where its body starts.
    """

    api: Api
    body: bytes
    read: Callable[[bytes, int], Any]

    def prepare(self, versions: Versions) -> _Spelled:
        version = version_for(self.api, versions)
        return _Spelled(self.api, version, body=lambda: self.body, read=self._answer)

    def _answer(self, data: BytesIO) -> Any:
        try:
            return self.read(data.getvalue(), data.tell())
        except (struct.error, IndexError) as error:
            raise BadFrame("it ends early") from error
        except UnicodeDecodeError as error:
            raise BadFrame(f"a text in it is not UTF-8: {error}") from error


@dataclass(frozen=True)
class FirstSpoken:
    """Several ways of asking the same, best first; the broker's versions decide."""

    ways: tuple[Ready, ...]

    def prepare(self, versions: Versions) -> _Spelled:
        *better, last = self.ways
        for way in better:
            try:
                return way.prepare(versions)
            except IncompatibleBrokerVersion:
                continue
        return last.prepare(versions)


def version_for(api: Api, versions: Versions) -> int:
    """The newest version both sides speak."""
    lowest, highest = versions.get(api.key, (0, -1))
    version = min(highest, api.version_max)
    if version < max(lowest, api.version_min):
        ours = f"{api.version_min}–{api.version_max}"
        raise IncompatibleBrokerVersion(f"it speaks versions {lowest}–{highest}, we {ours}")
    return version
