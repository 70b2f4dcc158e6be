"""A refusal of the Web API: Slack's error code with what else the answer carries."""

from typing import Any

from lab.slack.entities import Json


class ApiError(Exception):
    """Raised by methods; becomes `{"ok": false, "error": code, …}` with HTTP 200."""

    def __init__(
        self,
        code: str,
        *,
        messages: list[str] | None = None,
        errors: list[Any] | None = None,
        retry_after: int = 0,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []
        self.errors = errors
        self.retry_after = retry_after
        self.extra = extra

    def body(self) -> Json:
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {m}" for m in self.messages]}
        return body


def missing_scope(*, needed: str, provided: tuple[str, ...]) -> ApiError:
    return ApiError("missing_scope", needed=needed, provided=",".join(provided))


def invalid_argument(message: str) -> ApiError:
    return ApiError("invalid_arguments", messages=[message])
