"""How each protocol, and each service apart, spells the errors that all services have."""

from __future__ import annotations

from typing import NamedTuple

from cumulet.core.errors import (
    AccessDenied,
    ConstraintViolation,
    ExpiredToken,
    Generic,
    IncompleteSignature,
    InternalFailure,
    InvalidToken,
    MalformedRequest,
    MissingAuthentication,
    OperationNotImplemented,
    RequestExpired,
    RequestTooLarge,
    ServiceUnavailable,
    SignatureMismatch,
    Throttled,
    UnknownKey,
    UnknownOperation,
)


class Spelling(NamedTuple):
    """Code and status of an error, and its sentence when that is always the same."""

    code: str
    status: int
    message: str = ""


Table = dict[type[Generic], Spelling]

QUERY: Table = {
    AccessDenied: Spelling("AccessDenied", 403),
    MissingAuthentication: Spelling("MissingAuthenticationToken", 403),
    IncompleteSignature: Spelling("IncompleteSignature", 400),
    SignatureMismatch: Spelling("SignatureDoesNotMatch", 403),
    UnknownKey: Spelling(
        "InvalidClientTokenId", 403, "The security token included in the request is invalid."
    ),
    InvalidToken: Spelling(
        "InvalidClientTokenId", 403, "The security token included in the request is invalid."
    ),
    ExpiredToken: Spelling(
        "ExpiredToken", 403, "The security token included in the request is expired"
    ),
    RequestExpired: Spelling("SignatureDoesNotMatch", 403),
    MalformedRequest: Spelling("MalformedInput", 400),
    ConstraintViolation: Spelling("ValidationError", 400),
    UnknownOperation: Spelling("InvalidAction", 400),
    OperationNotImplemented: Spelling("NotImplemented", 501),
    RequestTooLarge: Spelling("RequestEntityTooLarge", 413),
    Throttled: Spelling("Throttling", 400),
    ServiceUnavailable: Spelling("ServiceUnavailable", 503),
    InternalFailure: Spelling("InternalFailure", 500),
}
"""https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"""

JSON: Table = {
    AccessDenied: Spelling("AccessDeniedException", 400),
    MissingAuthentication: Spelling("MissingAuthenticationTokenException", 400),
    IncompleteSignature: Spelling("IncompleteSignatureException", 400),
    SignatureMismatch: Spelling("InvalidSignatureException", 400),
    UnknownKey: Spelling(
        "UnrecognizedClientException", 400, "The security token included in the request is invalid."
    ),
    InvalidToken: Spelling(
        "UnrecognizedClientException", 400, "The security token included in the request is invalid."
    ),
    ExpiredToken: Spelling(
        "ExpiredTokenException", 400, "The security token included in the request is expired"
    ),
    RequestExpired: Spelling("InvalidSignatureException", 400),
    MalformedRequest: Spelling("SerializationException", 400),
    ConstraintViolation: Spelling("ValidationException", 400),
    UnknownOperation: Spelling("UnknownOperationException", 400),
    OperationNotImplemented: Spelling("NotImplementedException", 501),
    RequestTooLarge: Spelling("RequestEntityTooLargeException", 413),
    Throttled: Spelling("ThrottlingException", 400),
    ServiceUnavailable: Spelling("ServiceUnavailableException", 503),
    InternalFailure: Spelling("InternalFailure", 500),
}
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"""

REST_JSON: Table = {
    **{kind: Spelling(name.code, 403, name.message) for kind, name in JSON.items()},
    MalformedRequest: Spelling("SerializationException", 400),
    ConstraintViolation: Spelling("ValidationException", 400),
    UnknownOperation: Spelling("UnknownOperationException", 404),
    OperationNotImplemented: Spelling("NotImplementedException", 501),
    RequestTooLarge: Spelling("RequestEntityTooLargeException", 413),
    Throttled: Spelling("TooManyRequestsException", 429),
    ServiceUnavailable: Spelling("ServiceUnavailableException", 503),
    InternalFailure: Spelling("InternalFailure", 500),
}
"""https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html"""

S3: Table = {
    AccessDenied: Spelling("AccessDenied", 403),
    MissingAuthentication: Spelling("AccessDenied", 403, "Access Denied"),
    IncompleteSignature: Spelling("AuthorizationHeaderMalformed", 400),
    SignatureMismatch: Spelling(
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    ),
    UnknownKey: Spelling(
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    InvalidToken: Spelling(
        "InvalidToken", 400, "The provided token is malformed or otherwise invalid."
    ),
    ExpiredToken: Spelling("ExpiredToken", 400, "The provided token has expired."),
    RequestExpired: Spelling("RequestTimeTooSkewed", 403),
    MalformedRequest: Spelling("InvalidRequest", 400),
    ConstraintViolation: Spelling("InvalidArgument", 400),
    UnknownOperation: Spelling(
        "MethodNotAllowed", 405, "The specified method is not allowed against this resource."
    ),
    OperationNotImplemented: Spelling("NotImplemented", 501),
    RequestTooLarge: Spelling(
        "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"
    ),
    Throttled: Spelling("SlowDown", 503, "Please reduce your request rate."),
    ServiceUnavailable: Spelling("ServiceUnavailable", 503, "Please reduce your request rate."),
    InternalFailure: Spelling(
        "InternalError", 500, "We encountered an internal error. Please try again."
    ),
}
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

_NO_CREDENTIALS = "AWS was not able to validate the provided access credentials"

EC2: Table = {
    **QUERY,
    AccessDenied: Spelling("UnauthorizedOperation", 403),
    UnknownKey: Spelling("AuthFailure", 401, _NO_CREDENTIALS),
    InvalidToken: Spelling("AuthFailure", 401, _NO_CREDENTIALS),
    SignatureMismatch: Spelling("AuthFailure", 401, _NO_CREDENTIALS),
    ConstraintViolation: Spelling("InvalidParameterValue", 400),
}
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""

TABLES: dict[str, Table] = {
    "query": QUERY,
    "ec2": EC2,
    "json": JSON,
    "cbor": JSON,
    "rest-json": REST_JSON,
    "rest-xml": S3,
}

_INVALID_PARAMETER: Table = {ConstraintViolation: Spelling("InvalidParameterException", 400)}

SERVICES: dict[str, Table] = {
    "cognito-idp": {**_INVALID_PARAMETER},
    "dynamodb": {InternalFailure: Spelling("InternalServerError", 500)},
    "dynamodbstreams": {InternalFailure: Spelling("InternalServerError", 500)},
    "ecr": {**_INVALID_PARAMETER},
    "lambda": {
        MalformedRequest: Spelling("InvalidRequestContentException", 400),
        RequestTooLarge: Spelling("RequestTooLargeException", 413),
        ServiceUnavailable: Spelling("ServiceException", 500),
        InternalFailure: Spelling("ServiceException", 500),
    },
    "logs": {**_INVALID_PARAMETER},
}
"""What a service spells in its own way, over the table of the protocol."""

CORAL_SERVICES = {
    "cloudwatch": "com.amazonaws.cloudwatch",
    "dynamodb": "com.amazonaws.dynamodb.v20120810",
    "dynamodbstreams": "com.amazonaws.dynamodb.v20120810",
    "sqs": "com.amazonaws.sqs",
}
"""Services whose JSON errors tell their kind with a name space in `__type`."""

SERVICE_SPACE = "com.amazon.coral.service"
VALIDATE_SPACE = "com.amazon.coral.validate"


def spelling(error: Generic, service: str, protocol: str) -> Spelling:
    """How a service says a general error in a protocol."""
    own = SERVICES.get(service, {})
    table = TABLES[protocol]
    for kind in type(error).__mro__:
        if (found := own.get(kind) or table.get(kind)) is not None:
            return found
    return table[InternalFailure]
