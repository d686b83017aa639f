"""What an HTTP API itself answers: a status, one sentence, and no error type.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
"""

from __future__ import annotations

import orjson


class Refusal(Exception):
    """A request that the gateway ends.

    `kind` is what `$context.error.responseType` says; `cause` is for the operator's eyes, in
    `$context.authorizer.error` or `$context.integrationErrorMessage`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        kind: str,
        *,
        cause: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.cause = cause
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The message as the client gets it."""
        return orjson.dumps({"message": self.message})


def not_found() -> Refusal:
    """No stage or no route for the request, or the API's own address is closed."""
    return Refusal(404, "Not Found", "NOT_FOUND")


def unauthorized(cause: str, challenge: str = "") -> Refusal:
    """Nobody, or nobody known."""
    headers = (("www-authenticate", challenge),) if challenge else ()
    return Refusal(401, "Unauthorized", "UNAUTHORIZED", cause=cause, headers=headers)


def forbidden(cause: str = "", challenge: str = "") -> Refusal:
    """Known, and not allowed; also no API at all."""
    headers = (("www-authenticate", challenge),) if challenge else ()
    return Refusal(403, "Forbidden", "ACCESS_DENIED", cause=cause, headers=headers)


def too_many() -> Refusal:
    """A throttle of the route or of the account."""
    return Refusal(429, "Too Many Requests", "THROTTLED")


def too_large() -> Refusal:
    """The body is over the limit."""
    return Refusal(413, "Request Entity Too Large", "REQUEST_TOO_LARGE")


def head_too_large() -> Refusal:
    """The request line and the header values are over the limit together."""
    return Refusal(431, "Request Header Fields Too Large", "DEFAULT_4XX")


def bad_request(cause: str) -> Refusal:
    """The request cannot be passed on as it stands."""
    return Refusal(400, "Bad Request", "DEFAULT_4XX", cause=cause)


def failed(cause: str) -> Refusal:
    """The function or the configuration failed, or the answer cannot be passed on."""
    return Refusal(500, "Internal Server Error", "INTEGRATION_FAILURE", cause=cause)


def authorizer_failed(cause: str) -> Refusal:
    """The authorizer's function failed or answered what cannot be read."""
    return Refusal(500, "Internal Server Error", "AUTHORIZER_FAILURE", cause=cause)


def unavailable(cause: str) -> Refusal:
    """The backend took too long, could not be reached, or has no capacity."""
    return Refusal(503, "Service Unavailable", "INTEGRATION_FAILURE", cause=cause)
