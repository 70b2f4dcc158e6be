"""Arguments of a Web API call, merged from query, form, multipart and JSON, whichever the client used.

Python's async client sends most writes as POST with everything in the query and an empty body.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from lab.slack.entities import Json
from lab.slack.errors import ApiError, invalid_argument

TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no", ""})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Arguments:
    values: Json
    header_token: str = ""
    warnings: tuple[str, ...] = ()
    used_body: bool = field(default=False)

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, (dict, list)):
            raise invalid_argument(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        word = str(self.values.get(name, default)).lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise invalid_argument(f"must be a boolean [json-pointer:/{name}]")

    def number(self, name: str, *, default: int, least: int, most: int, error: str) -> int:
        if not self.has(name):
            return default
        try:
            number = int(str(self.values[name]))
        except ValueError as problem:
            raise ApiError(error) from problem
        if number < least:
            raise ApiError(error)
        return min(number, most)

    def words(self, name: str) -> list[str]:
        """A comma-separated string, or a list."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [word.strip() for word in str(value or "").split(",") if word.strip()]

    def structure(self, name: str, *, error: str) -> Any:
        """JSON, or JSON in a string; None when absent or empty."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError as problem:
            raise ApiError(error) from problem


async def read_arguments(request: web.Request) -> Arguments:
    values: Json = dict(request.query)
    warnings: tuple[str, ...] = ()
    body = await request.read() if request.can_read_body else b""
    if body:
        content, warnings = await _body(request, body)
        values.update(content)
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""
    return Arguments(values=values, header_token=token, warnings=warnings, used_body=bool(body))


async def _body(request: web.Request, body: bytes) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    kind = request.content_type
    if kind in FORM_TYPES:
        form = await request.post()
        return {k: v for k, v in form.items() if isinstance(v, str)}, ()
    if kind == "application/json":
        warnings = () if request.charset else ("missing_charset",)
        return _json_object(body), warnings
    if "Content-Type" not in request.headers:
        raise ApiError("missing_post_type")
    raise ApiError("invalid_post_type")


def _json_object(body: bytes) -> Json:
    try:
        content = json.loads(body)
    except ValueError as problem:
        raise ApiError("invalid_json") from problem
    if not isinstance(content, dict):
        raise ApiError("json_not_object")
    return content
