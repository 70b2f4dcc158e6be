"""How the endpoint says no, in AWS's own words where they are known.

A refusal is an exception here because that is what it becomes at the client; its code decides the
class boto3 raises, its message is what people will read.
"""

from __future__ import annotations

STALE_VERSION = "The version of the cluster isn’t current. Check the current version and try again."


class Refused(Exception):
    """One AWS error answer: the code, the HTTP status and the sentence."""

    def __init__(
        self, *, code: str, status: int, message: str, invalid_parameter: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.invalid_parameter = invalid_parameter


def bad_request(message: str, *, parameter: str | None = None) -> Refused:
    """MSK's answer to nearly everything it will not do."""
    return Refused(
        code="BadRequestException", status=400, message=message, invalid_parameter=parameter
    )


def not_found(message: str, *, parameter: str | None = None) -> Refused:
    """MSK does not know the thing named."""
    return Refused(
        code="NotFoundException", status=404, message=message, invalid_parameter=parameter
    )


def wrong_state(*, allowed: tuple[str, ...]) -> Refused:
    """The cluster is busy; AWS lists the states it would accept."""
    states = ", ".join(allowed)
    return bad_request(
        f"This operation is only valid for resources in one of the following states :[{states}]"
    )


def invalid_value(message: str) -> Refused:
    """CloudWatch's answer to a value out of its range."""
    return Refused(code="InvalidParameterValue", status=400, message=message)


def invalid_request(message: str) -> Refused:
    """CloudWatch's answer to a request that does not hold together."""
    return Refused(code="ValidationError", status=400, message=message)


def not_built(what: str) -> Refused:
    """Loud on purpose: silence or an empty answer would be taken for AWS's own."""
    return Refused(
        code="NotImplementedException", status=501, message=f"The lab has not built {what}."
    )
