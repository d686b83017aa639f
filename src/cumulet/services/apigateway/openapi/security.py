"""Who may call the methods of a document: its security schemes, and what methods require. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.services.apigateway.admission.callers.rules import parse_authorizer
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.openapi.document import Document

_X = "x-amazon-apigateway-"
KEY_HEADER = "x-api-key"


@dataclass(frozen=True, slots=True)
class Required:
    """What a method asks of its callers. `authorizer` is a name in the document."""

    kind: str = "NONE"
    key: bool = False
    authorizer: str | None = None
    scopes: tuple[str, ...] | None = None


def read_authorizers(document: Document, api_id: str) -> dict[str, Authorizer]:
    """The document's authorizers by name, without ids. Raises BadRequestException."""
    found: dict[str, Authorizer] = {}
    for name, given in document.security_schemes.items():
        scheme = document.resolve(given)
        extension = scheme.get(f"{_X}authorizer")
        if isinstance(extension, dict):
            found[name] = _authorizer(name, scheme, extension, api_id)
    return found


def _authorizer(
    name: str, scheme: Mapping[str, Any], given: Mapping[str, Any], api_id: str
) -> Authorizer:
    kind = str(given.get("type") or "").upper()
    if kind == "JWT":
        raise not_yet("JWT authorizers of REST APIs are")
    source = given.get("identitySource")
    if not source and kind in ("TOKEN", "COGNITO_USER_POOLS") and scheme.get("in") == "header":
        source = f"method.request.header.{scheme.get('name')}"
    return parse_authorizer(
        {
            "name": name,
            "type": kind,
            "authType": scheme.get(f"{_X}authtype"),
            "providerARNs": given.get("providerARNs"),
            "authorizerUri": given.get("authorizerUri"),
            "authorizerCredentials": given.get("authorizerCredentials"),
            "identitySource": source,
            "identityValidationExpression": given.get("identityValidationExpression"),
            "authorizerResultTtlInSeconds": _whole(given.get("authorizerResultTtlInSeconds")),
        },
        api_id,
        "",
    )


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as cause:
        raise BadRequestException("Invalid authorizer result TTL specified") from cause


def read_required(
    document: Document,
    operation: Mapping[str, Any],
    authorizers: Mapping[str, Authorizer],
) -> Required:
    """What an operation requires, over what the document requires of all."""
    kind, key, name, scopes = "NONE", False, None, None
    auth = operation.get(f"{_X}auth")
    if isinstance(auth, dict):
        kind = str(auth.get("type", "NONE")).upper()
    for requirement in operation.get("security", document.root.get("security")) or ():
        for scheme_name, asked in requirement.items():
            scheme = document.resolve(document.security_schemes.get(scheme_name, {}))
            if scheme_name in authorizers:
                name = scheme_name
                pool = authorizers[scheme_name].type == "COGNITO_USER_POOLS"
                kind = "COGNITO_USER_POOLS" if pool else "CUSTOM"
                scopes = tuple(map(str, asked or ())) or None
            elif scheme.get(f"{_X}authtype") == "awsSigv4":
                kind = "AWS_IAM"
            elif f"{_X}authtype" in scheme:
                raise BadRequestException(
                    f"The security scheme {scheme_name} has no x-amazon-apigateway-authorizer."
                )
            elif scheme.get("type") == "apiKey" and str(scheme.get("name")).lower() == KEY_HEADER:
                key = True
    if kind not in ("CUSTOM", "COGNITO_USER_POOLS"):
        name, scopes = None, None
    return Required(kind, key, name, scopes)
