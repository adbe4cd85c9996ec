"""What a call may raise. Each error that the server answered has its `code`, as in infra/API.md."""

from typing import Any


class IntermissionError(Exception):
    """Any error of this package."""


class ConnectionLost(IntermissionError):
    """The server could not be reached, for longer than the client waits."""


class CursorAhead(IntermissionError):
    """`after` is beyond the record: the caller's copy is of another history, such as one before a
    backup was restored. The caller drops it and follows again after 0.
    """

    code = "cursor_ahead"


class ApiError(IntermissionError):
    """The server refused a request. `str(error)` is a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        request_id: str | None = None,
        run_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        # The run that stands in the way, with `run_unfinished`.
        self.run_id = run_id
        # In seconds.
        self.retry_after = retry_after


class Unauthenticated(ApiError):
    """401 and 403: the token is missing, over, or not accepted."""


class NotFound(ApiError):
    """404: it does not exist, was deleted, or belongs to another owner."""


class Conflict(ApiError):
    """409 and 412: the state of the session does not allow it."""


class Gone(ApiError):
    """410: too late."""


class Invalid(ApiError):
    """400, 413, 415 and 422: the request is wrong and will not become right."""


class TooManyRequests(ApiError):
    """429: a limit of the caller; `retry_after` says when to ask again."""


class Unavailable(ApiError):
    """5xx: the server's fault."""


CLASSES: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Unauthenticated,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}
# API Gateway's own replies have no code.
GATEWAY_CODES = {401: "unauthenticated", 403: "unauthenticated", 429: "throttled"}
# An `error` frame has a code and no status. The other codes are a frame's own fault.
FRAME_STATUSES = {
    "unauthenticated": 401,
    "session_not_found": 404,
    "too_many_replays": 429,
    "internal": 500,
    "unavailable": 503,
}


def of_reply(status: int, body: Any, headers: Any) -> ApiError:
    """The error of an HTTP reply. Its body may be API Gateway's, S3's or a proxy's."""
    said = body if isinstance(body, dict) else {}
    code = said.get("code") or GATEWAY_CODES.get(status) or f"http_{status}"
    detail = said.get("detail") or said.get("message") or f"the server answered {status}"
    return class_of(status)(
        status,
        str(code),
        str(detail),
        request_id=said.get("request_id") or headers.get("x-request-id"),
        run_id=said.get("run_id"),
        retry_after=seconds(headers.get("retry-after")),
    )


def of_frame(data: dict[str, Any]) -> ApiError:
    """The error of an `error` frame."""
    status = FRAME_STATUSES.get(data["code"], 422)
    return class_of(status)(status, data["code"], data["message"], run_id=data.get("run_id"))


def class_of(status: int) -> type[ApiError]:
    return CLASSES.get(status, Unavailable if status >= 500 else ApiError)


def seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; the server never sends a date."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
