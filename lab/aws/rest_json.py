"""The protocol of MSK: routes, inputs and outputs generated from the service model.

ARNs travel percent-encoded in the path and contain `%2F`: routing works on the raw path, because a
decoded slash would split the ARN.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

from lab.aws.protocol import Call
from lab.aws.refusals import Refused, bad_request, not_found
from lab.aws.shapes import Fields, from_wire, iso8601, problems, to_wire

_LABEL = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True)
class Route:
    """One operation's method and path."""

    operation: Any
    method: str
    pattern: re.Pattern[str]
    literals: int


class RestJson:
    """Understands requests to one rest-json service and writes its answers."""

    def __init__(self, *, model: Any) -> None:
        self._model = model
        operations = [model.operation_model(name) for name in model.operation_names]
        # Literal segments win over labels, whatever the model's order.
        self._routes = sorted(map(_route, operations), key=lambda route: -route.literals)

    def understand(self, *, method: str, raw_path: str, body: bytes) -> Call:
        """The call a request means, or a refusal that says what is wrong with it."""
        path, _, query = raw_path.partition("?")
        operation, labels = self._match(method=method, path=path)
        fields = _read(operation, labels=labels, query=query, body=body)
        if found := problems(fields, operation.input_shape):
            raise bad_request(found, parameter=_first_parameter(found, operation))
        return Call(service="kafka", operation=operation.name, fields=fields, wire=self)

    def _match(self, *, method: str, path: str) -> tuple[Any, dict[str, str]]:
        for route in self._routes:
            matched = route.pattern.fullmatch(path)
            if matched and route.method == method:
                return route.operation, matched.groupdict()
        raise not_found(f"MSK has no operation {method} {path}")

    def respond(self, *, operation: str, output: Fields) -> web.Response:
        shape = self._model.operation_model(operation).output_shape
        return web.json_response(to_wire(output, shape, timestamp=iso8601))

    def refuse(self, *, refused: Refused) -> web.Response:
        body = {"message": refused.message}
        if refused.invalid_parameter:
            body["invalidParameter"] = refused.invalid_parameter
        headers = {"x-amzn-ErrorType": refused.code}
        return web.json_response(body, status=refused.status, headers=headers)


def _route(operation: Any) -> Route:
    path = operation.http["requestUri"].partition("?")[0]
    pieces = _LABEL.split(path)
    pattern = "".join(
        f"(?P<{piece}>[^/]+)" if index % 2 else re.escape(piece)
        for index, piece in enumerate(pieces)
    )
    return Route(
        operation=operation,
        method=operation.http["method"],
        pattern=re.compile(pattern),
        literals=sum(1 for segment in path.split("/") if not segment.startswith("{")),
    )


def _read(operation: Any, *, labels: dict[str, str], query: str, body: bytes) -> Fields:
    shape = operation.input_shape
    if shape is None:
        return {}
    in_body = _json_object(body)
    in_query = parse_qs(query, keep_blank_values=True)
    fields: Fields = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        place = member.serialization.get("location")
        if place == "uri":
            fields[name] = unquote(labels[wire])
        elif place == "querystring" and wire in in_query:
            fields[name] = _from_text(in_query[wire], member, name=wire)
        elif place is None and in_body.get(wire) is not None:
            fields[name] = from_wire(in_body[wire], member)
    return fields


def _json_object(body: bytes) -> Fields:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError as mistake:
        raise bad_request(f"The request body is not JSON: {mistake}") from mistake
    if not isinstance(value, dict):
        raise bad_request("The request body must be a JSON object")
    return value


def _from_text(texts: list[str], member: Any, *, name: str) -> Any:
    if member.type_name == "list":
        return texts
    if member.type_name != "integer":
        return texts[-1]
    try:
        return int(texts[-1])
    except ValueError as mistake:
        raise bad_request(
            f"{name} must be a whole number, not {texts[-1]!r}", parameter=name
        ) from mistake


def _first_parameter(found: str, operation: Any) -> str | None:
    for name, member in operation.input_shape.members.items():
        if re.search(rf"\b{name}\b", found.partition("\n")[0]):
            return str(member.serialization.get("name", name))
    return None
