"""Errors that callers may see. How each looks on the wire is decided in `wire/faults.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AwsError(Exception):
    """An error in AWS's words; the only exception an operation may let out.

    A service names its subclasses exactly as its model names the error shapes. `code` is the class
    name unless given; `fields` are further members of the error shape; `status` overrides the HTTP
    status that the model or the protocol's convention would give; `headers` are sent along.
    """

    status: ClassVar[int | None] = None
    fault: ClassVar[str] = "client"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        http_status: int | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).__name__
        self.message = message
        self.http_status = http_status if http_status is not None else type(self).status
        self.headers = dict(headers or {})
        self.fields = fields


class Generic(AwsError):
    """An error that every service has, each under its own spelling.

    `wire/faults.py` maps the class to the code and status that the service at hand uses.
    """


class AccessDenied(Generic):
    """The caller is known and may not do this. The message names caller, action and reason."""

    status = 403


class MissingAuthentication(Generic):
    """The request carries no signature and the operation needs one."""

    status = 403


class IncompleteSignature(Generic):
    """The Authorization header or query lacks a part; the message lists what is missing."""

    status = 400


class SignatureMismatch(Generic):
    """The signature does not match the one computed from the request and the stored secret."""

    status = 403


class UnknownKey(Generic):
    """The access key id is not one of ours."""

    status = 403


class InvalidToken(Generic):
    """The session token is not one of ours, or not the key's."""

    status = 403


class ExpiredToken(Generic):
    """The temporary credentials have expired."""

    status = 403


class RequestExpired(Generic):
    """The signature's time is too far from ours, or the pre-signed URL's life is over."""

    status = 403


class MalformedRequest(Generic):
    """The body or a parameter cannot be read as the operation's input shape."""

    status = 400


class ConstraintViolation(Generic):
    """A member breaks a constraint of the service model; the message is AWS's sentence."""

    status = 400


class UnknownOperation(Generic):
    """No such operation exists in the service's model."""

    status = 404


class OperationNotImplemented(Generic):
    """AWS has this operation, and Cumulet does not yet."""

    status = 501
    fault = "server"


class RequestTooLarge(Generic):
    """The body is larger than the operation takes."""

    status = 413


class Throttled(Generic):
    """Too many requests; the caller should try again later."""

    status = 429


class ServiceUnavailable(Generic):
    """The store or a needed part cannot answer just now."""

    status = 503
    fault = "server"


class InternalFailure(Generic):
    """A mistake of ours. The cause is in the log under the request id, never in the answer."""

    status = 500
    fault = "server"
