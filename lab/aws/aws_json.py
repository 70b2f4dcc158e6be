"""The protocol boto3 really speaks to CloudWatch: AWS JSON 1.0 with a target header.

The model lists CBOR first, yet boto3 sends JSON in query-compatible mode, so an error names its
code a second time in `x-amzn-query-error`; boto3 looks its typed exception up by that one.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from lab.aws.protocol import Call
from lab.aws.refusals import Refused, invalid_request, not_built
from lab.aws.shapes import Fields, epoch_seconds, from_wire, problems, to_wire

_CONTENT_TYPE = "application/x-amz-json-1.0"


class AwsJson:
    """Understands requests to one AWS JSON service and writes its answers."""

    def __init__(self, *, model: Any) -> None:
        self._model = model

    def understand(self, *, target: str, body: bytes) -> Call:
        """The call a request means, or a refusal that says what is wrong with it."""
        service, _, name = target.partition(".")
        if service != self._model.metadata["targetPrefix"]:
            raise not_built(f"a service with the target {target!r}; it knows MSK and CloudWatch")
        if name not in self._model.operation_names:
            raise not_built(f"a CloudWatch operation {name!r}; neither does the service model")
        shape = self._model.operation_model(name).input_shape
        fields = from_wire(_json_object(body), shape) if shape else {}
        if found := problems(fields, shape):
            raise invalid_request(found)
        return Call(service="cloudwatch", operation=name, fields=fields, wire=self)

    def respond(self, *, operation: str, output: Fields) -> web.Response:
        shape = self._model.operation_model(operation).output_shape
        body = to_wire(output, shape, timestamp=epoch_seconds) if shape else {}
        return web.json_response(body, content_type=_CONTENT_TYPE)

    def refuse(self, *, refused: Refused) -> web.Response:
        fault = "Sender" if refused.status < 500 else "Receiver"
        return web.json_response(
            {"__type": f"com.amazonaws.cloudwatch#{refused.code}", "message": refused.message},
            status=refused.status,
            content_type=_CONTENT_TYPE,
            headers={"x-amzn-query-error": f"{refused.code};{fault}"},
        )


def _json_object(body: bytes) -> Fields:
    try:
        value = json.loads(body or b"{}")
    except ValueError as mistake:
        raise invalid_request(f"The request body is not JSON: {mistake}") from mistake
    if not isinstance(value, dict):
        raise invalid_request("The request body must be a JSON object")
    return value
