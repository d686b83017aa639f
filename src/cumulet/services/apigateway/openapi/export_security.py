"""Security schemes and requirements of exported documents. Pure; `security.py` reads them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.model import Method, Resource

_X = "x-amazon-apigateway-"
_KEY, _IAM = "api_key", "sigv4"
_HEADER = "method.request.header."


def requirements_of(
    method: Method, authorizers: Mapping[str, Authorizer], *, extended: bool
) -> list[dict[str, list[str]]]:
    """What a method requires; authorizers and IAM only when the document tells of them."""
    found: list[dict[str, list[str]]] = []
    if extended and method.authorization_type == "AWS_IAM":
        found.append({_IAM: []})
    asked = authorizers.get(method.authorizer_id or "")
    if extended and asked is not None:
        found.append({asked.name: list(method.authorization_scopes or ())})
    if method.api_key_required:
        found.append({_KEY: []})
    return found


def schemes_of(
    resources: Iterable[Resource], authorizers: Mapping[str, Authorizer], *, extended: bool
) -> dict[str, Any]:
    """The schemes that the methods require, and every authorizer."""
    methods = [one for resource in resources for one in resource.methods.values()]
    schemes: dict[str, Any] = {}
    if any(one.api_key_required for one in methods):
        schemes[_KEY] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    if not extended:
        return schemes
    if any(one.authorization_type == "AWS_IAM" for one in methods):
        schemes[_IAM] = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            f"{_X}authtype": "awsSigv4",
        }
    for one in sorted(authorizers.values(), key=lambda one: one.name):
        schemes[one.name] = _scheme(one)
    return schemes


def _scheme(one: Authorizer) -> dict[str, Any]:
    source = one.identity_source or ""
    plain = source.startswith(_HEADER) and "," not in source
    # A REQUEST authorizer may look at several things, which no scheme can say: AWS says Unused.
    name = source.removeprefix(_HEADER) if plain else "Unused"
    extension: dict[str, Any] = {"type": one.type.lower()}
    for key, value in (
        ("authorizerUri", one.authorizer_uri),
        ("authorizerCredentials", one.authorizer_credentials),
        ("identitySource", one.identity_source if one.type == "REQUEST" or not plain else None),
        ("identityValidationExpression", one.identity_validation_expression),
        ("authorizerResultTtlInSeconds", one.authorizer_result_ttl_in_seconds),
        ("providerARNs", list(one.provider_arns) if one.provider_arns else None),
    ):
        if value is not None:
            extension[key] = value
    return {
        "type": "apiKey",
        "name": name,
        "in": "header",
        f"{_X}authtype": one.auth_type or "custom",
        f"{_X}authorizer": extension,
    }
