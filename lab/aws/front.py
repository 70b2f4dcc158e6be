"""The front of the endpoint: every AWS request comes in here and every answer leaves from here.

A request is understood (rest-json for MSK, AWS JSON or Query for CloudWatch), faults have their
say, the handler acts, and the call is logged whatever became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aiohttp import web

from lab.aws.aws_json import AwsJson
from lab.aws.aws_query import AwsQuery
from lab.aws.faults import Faults
from lab.aws.protocol import Call, Handlers, Wire
from lab.aws.refusals import Refused, not_built
from lab.aws.rest_json import RestJson
from lab.aws.wire_log import WireLog

log = logging.getLogger(__name__)

_MUTATING = ("Update", "Create", "Delete", "Put", "Reboot", "Tag", "Untag")


class Front:
    """Understand, act, answer, remember."""

    def __init__(
        self,
        *,
        msk_wire: RestJson,
        cloudwatch_wire: AwsJson,
        query_wire: AwsQuery,
        handlers: Mapping[str, Handlers],
        faults: Faults,
        wire_log: WireLog,
    ) -> None:
        self._msk_wire = msk_wire
        self._cloudwatch_wire = cloudwatch_wire
        self._query_wire = query_wire
        self._handlers = handlers
        self._faults = faults
        self._wire_log = wire_log

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One AWS request, answered."""
        wire = self._wire(request)
        name = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
        operation, call = name.rpartition(".")[2], None
        try:
            call = await self._understand(request)
            operation = call.operation
            return await self._carry_out(call)
        except Refused as refused:
            return self._refuse(wire, refused, operation=operation, call=call)
        # The outer edge of the server: the client gets AWS's 500, the log the trace.
        except Exception as mistake:
            log.exception("answering %s", operation)
            broke = Refused(
                code="InternalServerErrorException", status=500, message=f"The lab broke: {mistake}"
            )
            return self._refuse(wire, broke, operation=operation, call=call)

    def _wire(self, request: web.Request) -> Wire:
        if not _is_rpc(request):
            return self._msk_wire
        return self._cloudwatch_wire if "X-Amz-Target" in request.headers else self._query_wire

    async def _understand(self, request: web.Request) -> Call:
        body = await request.read()
        if not _is_rpc(request):
            return self._msk_wire.understand(
                method=request.method, raw_path=request.raw_path, body=body
            )
        if self._wire(request) is self._query_wire:
            return self._query_wire.understand(body=body)
        target = request.headers.get("X-Amz-Target", "")
        return self._cloudwatch_wire.understand(target=target, body=body)

    async def _carry_out(self, call: Call) -> web.Response:
        handler = self._handlers[call.service].get(call.operation)
        if handler is None:
            raise not_built(f"{call.service}:{call.operation}")
        await self._faults.before(service=call.service, operation=call.operation)
        output = await handler(call.fields)
        mutating = call.operation.startswith(_MUTATING)
        self._faults.after(operation=call.operation, mutating=mutating)
        response = call.wire.respond(operation=call.operation, output=output)
        self._wire_log.add(
            operation=call.operation, fields=call.fields, status=response.status, error=None
        )
        return response

    def _refuse(
        self, wire: Wire, refused: Refused, *, operation: str, call: Call | None
    ) -> web.Response:
        self._wire_log.add(
            operation=operation,
            fields=call.fields if call else {},
            status=refused.status,
            error=f"{refused.code}: {refused.message}",
        )
        return wire.refuse(refused=refused)


def _is_rpc(request: web.Request) -> bool:
    return request.method == "POST" and request.path == "/"
