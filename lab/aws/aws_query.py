"""CloudWatch's older protocol, which older SDKs and command lines speak: a form in, XML out.

Lists are numbered from 1 in the field names (`Dimensions.member.1.Name`); all values are text, and
the service model says what they mean.
"""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from aiohttp import web

from lab.aws.protocol import Call
from lab.aws.refusals import Refused, invalid_request, not_built
from lab.aws.shapes import Fields, iso8601, problems, to_wire

_WHOLE = re.compile(r"-?\d{1,18}")
_FIELDS_MAX = 10_000  # 500 queries of 30 dimensions each stay below


class AwsQuery:
    """Understands Query requests to one service and writes its XML answers."""

    def __init__(self, *, model: Any) -> None:
        self._model = model

    def understand(self, *, body: bytes) -> Call:
        """The call a form means, or a refusal that says what is wrong with it."""
        form = _form(body)
        name = form.get("Action", "")
        if name not in self._model.operation_names:
            raise not_built(f"a CloudWatch operation {name!r}; neither does the service model")
        shape = self._model.operation_model(name).input_shape
        fields = _structure(form, shape, prefix="") if shape else {}
        if found := problems(fields, shape):
            raise invalid_request(found)
        return Call(service="cloudwatch", operation=name, fields=fields, wire=self)

    def respond(self, *, operation: str, output: Fields) -> web.Response:
        shape = self._model.operation_model(operation).output_shape
        root = ET.Element(f"{operation}Response", xmlns=self._model.metadata["xmlNamespace"])
        if shape is not None:
            result = ET.SubElement(root, f"{operation}Result")
            _write(result, to_wire(output, shape, timestamp=iso8601), shape)
        metadata = ET.SubElement(root, "ResponseMetadata")
        ET.SubElement(metadata, "RequestId").text = str(uuid.uuid4())
        return _xml(root, status=200)

    def refuse(self, *, refused: Refused) -> web.Response:
        root = ET.Element("ErrorResponse", xmlns=self._model.metadata["xmlNamespace"])
        error = ET.SubElement(root, "Error")
        ET.SubElement(error, "Type").text = "Sender" if refused.status < 500 else "Receiver"
        ET.SubElement(error, "Code").text = refused.code
        ET.SubElement(error, "Message").text = refused.message
        ET.SubElement(root, "RequestId").text = str(uuid.uuid4())
        return _xml(root, status=refused.status)


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError as mistake:
        raise invalid_request(f"The request body is not a form: {mistake}") from mistake
    return dict(pairs)


def _structure(form: dict[str, str], shape: Any, *, prefix: str) -> Fields:
    fields: Fields = {}
    for name, member in shape.members.items():
        path = prefix + str(member.serialization.get("name", name))
        value = _value(form, member, path=path)
        if value is not None:
            fields[name] = value
    return fields


def _value(form: dict[str, str], shape: Any, *, path: str) -> Any:
    """The member at a path, or None when the form does not mention it."""
    if shape.type_name == "structure":
        mentioned = any(name.startswith(f"{path}.") for name in form)
        return _structure(form, shape, prefix=f"{path}.") if mentioned else None
    if shape.type_name == "list":
        return _list(form, shape, path=path)
    return None if path not in form else _scalar(form[path], shape, path=path)


def _list(form: dict[str, str], shape: Any, *, path: str) -> list[Any] | None:
    """Items numbered 1, 2, 3 …; the first missing number ends the list."""
    items: list[Any] = []
    while (item := _value(form, shape.member, path=f"{path}.member.{len(items) + 1}")) is not None:
        items.append(item)
    return items or None


def _scalar(text: str, shape: Any, *, path: str) -> Any:
    if shape.type_name in ("integer", "long"):
        if not _WHOLE.fullmatch(text):
            raise invalid_request(f"{path} must be a whole number, not {text!r}")
        return int(text)
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise invalid_request(f"{path} must be true or false, not {text!r}")
        return text == "true"
    if shape.type_name in ("double", "float"):
        try:
            return float(text)
        except ValueError as mistake:
            raise invalid_request(f"{path} must be a number, not {text!r}") from mistake
    return text


def _write(parent: ET.Element, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            wire = str(member.serialization.get("name", name))
            if wire in value:
                _write(ET.SubElement(parent, wire), value[wire], member)
    elif shape.type_name == "list":
        for item in value:
            _write(ET.SubElement(parent, "member"), item, shape.member)
    else:
        parent.text = str(value).lower() if isinstance(value, bool) else str(value)


def _xml(root: ET.Element, *, status: int) -> web.Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return web.Response(body=body, status=status, content_type="text/xml")
