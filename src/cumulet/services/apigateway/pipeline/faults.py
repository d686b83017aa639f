"""What the gateway itself answers, named as AWS names its gateway responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations


class GatewayFault(Exception):
    """A request that the gateway ends. `member` is the name of the message in the body."""

    def __init__(
        self,
        kind: str,
        status: int,
        error_type: str,
        message: str | None,
        *,
        member: str = "message",
        cause: str = "",
    ) -> None:
        super().__init__(message or kind)
        self.kind = kind
        self.status = status
        self.error_type = error_type
        self.message = message
        self.member = member
        self.cause = cause
        """For the operator's eyes: what really happened."""


_SERVER = "InternalServerErrorException"


def missing_token() -> GatewayFault:
    """No such method and resource, or a signature is needed and not there."""
    return GatewayFault(
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


def forbidden() -> GatewayFault:
    """No such API or stage."""
    return GatewayFault("ACCESS_DENIED", 403, "ForbiddenException", "Forbidden")


def access_denied(message: str) -> GatewayFault:
    """A policy refuses; AWS begins the member with a capital here."""
    return GatewayFault("ACCESS_DENIED", 403, "AccessDeniedException", message, member="Message")


def unauthorized() -> GatewayFault:
    """What the authorizer needs is missing or malformed, or it says that it knows nobody."""
    return GatewayFault("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized")


def denied_by_authorizer(*, explicitly: bool) -> GatewayFault:
    """The policy that the authorizer gave does not let the caller here."""
    because = " with an explicit deny" if explicitly else ""
    return access_denied(f"User is not authorized to access this resource{because}")


def authorizer_failed(cause: str) -> GatewayFault:
    """The authorizer's function failed, or took too long. AWS's message is null."""
    return GatewayFault("AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", None, cause=cause)


def authorizer_misconfigured(cause: str) -> GatewayFault:
    """The authorizer cannot be asked, or its answer cannot be used. AWS's message is null."""
    return GatewayFault(
        "AUTHORIZER_CONFIGURATION_ERROR",
        500,
        "AuthorizerConfigurationException",
        None,
        cause=cause,
    )


def invalid_key(cause: str) -> GatewayFault:
    """The API key is missing, unknown, disabled, or in no usage plan of the stage."""
    return GatewayFault("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden", cause=cause)


def quota_exceeded() -> GatewayFault:
    """The usage plan's quota is used up for the time being."""
    return GatewayFault("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded")


def throttled(cause: str) -> GatewayFault:
    """Too many requests at once, or in a second."""
    return GatewayFault(
        "THROTTLED", 429, "TooManyRequestsException", "Too Many Requests", cause=cause
    )


def too_long() -> GatewayFault:
    """The body is over the limit."""
    return GatewayFault("REQUEST_TOO_LARGE", 413, "RequestTooLargeException", "Request Too Long")


def headers_too_long() -> GatewayFault:
    """The request line and the header values are over the limit together."""
    return GatewayFault(
        "DEFAULT_4XX", 431, "BadRequestException", "Request Header Fields Too Large"
    )


def bad_request(message: str = "Bad Request", cause: str = "") -> GatewayFault:
    """The request cannot be passed on as it stands."""
    return GatewayFault("DEFAULT_4XX", 400, "BadRequestException", message, cause=cause)


def bad_parameters(names: list[str]) -> GatewayFault:
    """Required parameters are missing."""
    return GatewayFault(
        "BAD_REQUEST_PARAMETERS",
        400,
        "BadRequestException",
        f"Missing required request parameters: [{', '.join(names)}]",
    )


def bad_body() -> GatewayFault:
    """The body does not fit the method's model."""
    return GatewayFault("BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body")


def unsupported_media_type() -> GatewayFault:
    """No template for the body's type, and it may not be passed through."""
    return GatewayFault(
        "UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type"
    )


def configuration_error(cause: str) -> GatewayFault:
    """The API's own configuration cannot be carried out."""
    return GatewayFault(
        "API_CONFIGURATION_ERROR", 500, _SERVER, "Internal server error", cause=cause
    )


def malformed_answer(cause: str) -> GatewayFault:
    """The backend answered what cannot be passed on, or failed."""
    return GatewayFault("DEFAULT_5XX", 502, _SERVER, "Internal server error", cause=cause)


def unreachable(cause: str) -> GatewayFault:
    """The backend cannot be reached, or broke the connection."""
    return GatewayFault(
        "INTEGRATION_FAILURE",
        504,
        _SERVER,
        "Network error communicating with endpoint",
        cause=cause,
    )


def timed_out() -> GatewayFault:
    """The backend took longer than the integration's timeout."""
    return GatewayFault("INTEGRATION_TIMEOUT", 504, _SERVER, "Endpoint request timed out")


def internal_error() -> GatewayFault:
    """Something of our own went wrong; its cause is logged."""
    return GatewayFault("DEFAULT_5XX", 500, _SERVER, "Internal server error")
