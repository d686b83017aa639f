"""How single services check the constraints of their models in ways of their own.

What the constraints are, and how most services tell of them, is in `constraints.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.errors import AwsError, ConstraintViolation
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.values.xml_text import NOT_BY_SCHEMA, MalformedXml

Violations = list[str]
Checker = Callable[[Any, str, Violations], None]
"""Appends to the violations those of a value at a path."""


TOLD_VALUES = {
    "apigateway": {
        "Op": "add, remove, move, test, replace, copy",
        "EndpointType": "PRIVATE, EDGE, REGIONAL",
        "IntegrationType": "HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS",
        "DocumentationPartType": (
            "RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, RESPONSE_HEADER, RESOURCE, "
            "PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER"
        ),
        "GatewayResponseType": (
            "REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, "
            "MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, INVALID_SIGNATURE, INVALID_API_KEY, "
            "BAD_REQUEST_PARAMETERS, AUTHORIZER_FAILURE, UNAUTHORIZED, INTEGRATION_TIMEOUT, "
            "ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, QUOTA_EXCEEDED, THROTTLED, "
            "API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN"
        ),
    }
}
"""The values of a shape in the order in which AWS tells them, where it is known: it is not the
model's. All others are told in the model's order.
"""


def placed_check(
    name: str,
    shape: Shape,
    checker_of: Callable[[Shape], Checker | None],
    told: Callable[[Violations], ConstraintViolation],
) -> Callable[[Any], None] | None:
    """API Gateway's way: members of the body stand in the input, those of the address alone."""
    body = f"{name[:1].lower()}{name[1:]}Input."
    found: list[tuple[str, str, Checker]] = []
    for member, inner in shape.members.items():
        checker = checker_of(inner)
        if checker is not None:
            place = member if inner.location else body + member
            found.append((member, place, checker))
    # AWS tells of the body first.
    found.sort(key=lambda one: "." not in one[1])

    def run(request: Any) -> None:
        violations: Violations = []
        for member, place, checker in found:
            value = request.get(member)
            if value is not None:
                checker(value, place, violations)
        if violations:
            raise told(violations)

    return run if found else None


def named_check(required: list[str]) -> Callable[[Any], None] | None:
    """The way of SQS and SNS: the first required parameter that is missing."""

    def run(request: Any) -> None:
        for name in required:
            if request.get(name) is None:
                raise AwsError(
                    f"The request must contain the parameter {name}.",
                    code="MissingParameter",
                    http_status=400,
                )

    return run if required else None


def document_check(operation: OperationModel, shape: Shape) -> Callable[[Any], None]:
    """S3's way: a body that must be there is, and holds what its schema asks for.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    payload = str(shape.traits.get("payload", ""))
    body = shape.members.get(payload)
    names = shape.required

    def run(request: Any) -> None:
        for name in names:
            if request.get(name) is not None:
                continue
            if name == payload:
                raise AwsError(
                    "Request Body is empty", code="MissingRequestBodyError", http_status=400
                )
            raise AwsError(
                f"This operation requires the parameter {name}.",
                code="InvalidArgument",
                http_status=400,
            )
        given = request.get(payload) if body is not None else None
        if body is not None and given is not None and _lacks_a_member(body, given):
            raise MalformedXml(NOT_BY_SCHEMA)

    return run


def _lacks_a_member(shape: Shape, value: Any) -> bool:
    """Whether a required member is missing anywhere in a document; bounded by the document."""
    if shape.type == "structure" and isinstance(value, dict):
        return any(value.get(name) is None for name in shape.required) or any(
            _lacks_a_member(shape.members[name], inner) for name, inner in value.items()
        )
    if shape.type == "list" and isinstance(value, list):
        return any(_lacks_a_member(shape.member, inner) for inner in value)
    return False
