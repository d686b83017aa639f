"""Gateway responses: their types, defaults, checks and patch rules. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cumulet.services.apigateway.errors import BadRequestException, LimitExceededException
from cumulet.services.apigateway.limits import RESPONSE_BYTES_MAX, TEMPLATE_BYTES_MAX
from cumulet.services.apigateway.model import GatewayResponse, shown
from cumulet.services.apigateway.rules.patch import ALL, REPLACE, Patch, Rule, optional_text

DEFAULT_4XX = "DEFAULT_4XX"
DEFAULT_5XX = "DEFAULT_5XX"
STATUS_CODES: Mapping[str, str | None] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    DEFAULT_4XX: None,
    DEFAULT_5XX: None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
USUAL_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}

RULES = (
    Rule("/statusCode", REPLACE, optional_text),
    Rule("/responseParameters/{}", ALL, str, "map", "Invalid parameter name specified"),
    Rule("/responseTemplates/{}", ALL, str, "map", "Content-Type specified was not found"),
)

_STATUS = re.compile(r"[1-5]\d\d\Z")
_TARGET = re.compile(r"gatewayresponse\.header\.([!#$%&'*+.^_`|~0-9A-Za-z-]+)\Z")
_SOURCE = re.compile(
    r"'[^\x00-\x08\x0a-\x1f\x7f]*'\Z"
    r"|context(?:\.[A-Za-z0-9_\-]+)+\Z"
    r"|stageVariables\.[A-Za-z0-9_]+\Z"
    r"|method\.request\.(?:multivalueheader|multivaluequerystring|header|path|querystring)"
    r"\.[a-zA-Z0-9._$\-]+\Z"
)
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+(?:\s*;.*)?\Z")


def refusal(patch: Patch, rules: Sequence[Rule], rule: Rule | None) -> BadRequestException:
    """The dialect of gateway responses: what may not be done names the path alone."""
    return BadRequestException(f"Invalid patch path {patch.path}")


def check_patches(operations: Sequence[Mapping[str, Any]] | None) -> None:
    """Raise BadRequestException for an entry of a map that is set to nothing."""
    for given in operations or ():
        member = str(given.get("path") or "").split("/")[1:2]
        is_entry = member and member[0] in ("responseParameters", "responseTemplates")
        if is_entry and given.get("op") in ("add", "replace") and not given.get("value"):
            raise BadRequestException(f"Invalid null or empty value in {member[0]}")


def check_response_type(name: str) -> None:
    """Raise BadRequestException unless there is such a kind of gateway response."""
    if name not in STATUS_CODES:
        raise BadRequestException(
            "1 validation error detected: Value "
            f"'{name}' at 'responseType' failed to satisfy constraint: Member must satisfy enum "
            f"value set: [{', '.join(sorted(STATUS_CODES))}]"
        )


def parse_gateway_response(api_id: str, kind: str, given: Mapping[str, Any]) -> GatewayResponse:
    """A gateway response from members in AWS's spelling, checked. Raises BadRequestException.

    `given` may have `statusCode`, `responseParameters` and `responseTemplates`, as an OpenAPI
    document's `x-amazon-apigateway-gateway-responses` has them for each type.
    """
    check_response_type(kind)
    status = given.get("statusCode")
    response = GatewayResponse(
        api_id=api_id,
        response_type=kind,
        status_code=str(status) if status not in (None, "") else None,
        response_parameters=dict(given.get("responseParameters") or {}),
        response_templates=dict(given.get("responseTemplates") or {}),
    )
    check_gateway_response(response)
    return response


def check_gateway_response(response: GatewayResponse) -> None:
    """Raise BadRequestException unless the gateway may answer so."""
    if response.status_code is not None and not _STATUS.match(response.status_code):
        raise BadRequestException(f"Invalid status code specified: {response.status_code}")
    for target, source in response.response_parameters.items():
        if not _TARGET.match(target):
            raise BadRequestException(
                f"Invalid gateway response parameter specified: {target}. It must start with "
                "'gatewayresponse.header.'"
            )
        if not _SOURCE.match(source):
            raise BadRequestException(f"Invalid mapping expression specified: {source}")
    for kind, template in response.response_templates.items():
        if not _CONTENT_TYPE.match(kind):
            raise BadRequestException(f"Invalid content type specified: {kind}")
        if len(template.encode()) > TEMPLATE_BYTES_MAX:
            raise BadRequestException(
                f"Mapping template is larger than {TEMPLATE_BYTES_MAX} bytes: {kind}"
            )
    if len(msgspec.msgpack.encode(response)) > RESPONSE_BYTES_MAX:
        raise LimitExceededException(
            f"A gateway response is larger than {RESPONSE_BYTES_MAX} bytes."
        )


def fallback_of(kind: str) -> str | None:
    """The type whose settings count for `kind` when it has none of its own."""
    status = STATUS_CODES.get(kind)
    if status is None:
        return None
    return DEFAULT_5XX if status.startswith("5") else DEFAULT_4XX


def gateway_response_view(own: Mapping[str, GatewayResponse], kind: str) -> dict[str, Any]:
    """One gateway response as AWS shows it; `own` are those that the API has of its own, by type.

    One that is not the API's own shows what it answers: its fallback's settings, else the usual.
    """
    found = own.get(kind)
    response = found or own.get(fallback_of(kind) or "")
    view: dict[str, Any] = {} if response is None else shown(response)
    status = (response.status_code if response is not None else None) or STATUS_CODES[kind]
    view |= {
        "responseType": kind,
        "responseParameters": response.response_parameters if response is not None else {},
        "responseTemplates": (response.response_templates if response is not None else None)
        or USUAL_TEMPLATES,
        "defaultResponse": found is None,
    }
    if status is not None:
        view["statusCode"] = status
    return view


def document_of(own: list[GatewayResponse]) -> dict[str, Any]:
    """`x-amazon-apigateway-gateway-responses` of an OpenAPI document: the API's own ones.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html
    """
    document: dict[str, Any] = {}
    for response in own:
        one: dict[str, Any] = {}
        if response.status_code is not None:
            one["statusCode"] = response.status_code
        if response.response_parameters:
            one["responseParameters"] = dict(response.response_parameters)
        if response.response_templates:
            one["responseTemplates"] = dict(response.response_templates)
        document[response.response_type] = one
    return document
