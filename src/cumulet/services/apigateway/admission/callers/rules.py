"""Authorizers of REST APIs as they are given to us: checks, defaults, patch rules. Pure.

https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.admission.callers.cognito import parse_pool
from cumulet.services.apigateway.admission.callers.sources import Source, parse_sources
from cumulet.services.apigateway.admission.limits import (
    AUTHORIZER_TTL_SECONDS_DEFAULT,
    AUTHORIZER_TTL_SECONDS_MAX,
)
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.rules.methods import lambda_function_of
from cumulet.services.apigateway.rules.patch import (
    ALL,
    Operations,
    Rule,
    apply_patches,
    optional_text,
    terse,
)
from cumulet.services.apigateway.rules.patterns import BadPattern, compile_pattern

_TYPES = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")


def parse_authorizer(given: Mapping[str, Any], api_id: str, authorizer_id: str) -> Authorizer:
    """A new authorizer with AWS's defaults. Raises BadRequestException."""
    if given.get("jwtConfiguration") or given.get("type") == "JWT":
        raise not_yet("JWT authorizers of REST APIs are")
    is_pool = given["type"] == "COGNITO_USER_POOLS"
    ttl = given.get("authorizerResultTtlInSeconds")
    made = Authorizer(
        api_id=api_id,
        id=authorizer_id,
        name=given["name"],
        type=given["type"],
        auth_type=given.get("authType") or ("cognito_user_pools" if is_pool else "custom"),
        provider_arns=tuple(given.get("providerARNs") or ()) or None,
        authorizer_uri=given.get("authorizerUri") or None,
        authorizer_credentials=given.get("authorizerCredentials") or None,
        identity_source=given.get("identitySource") or None,
        identity_validation_expression=given.get("identityValidationExpression") or None,
        authorizer_result_ttl_in_seconds=(
            AUTHORIZER_TTL_SECONDS_DEFAULT if ttl is None and not is_pool else ttl
        ),
    )
    check_authorizer(made)
    return made


def check_authorizer(one: Authorizer) -> None:
    """Raise BadRequestException unless an authorizer may be so."""
    if not one.name.strip():
        raise BadRequestException("Authorizer name must be non-empty")
    if one.type not in _TYPES:
        raise BadRequestException(
            f"Invalid authorizer type specified. Valid options are {','.join(_TYPES)}"
        )
    ttl = one.authorizer_result_ttl_in_seconds
    if ttl is not None and not 0 <= ttl <= AUTHORIZER_TTL_SECONDS_MAX:
        raise BadRequestException(
            f"Authorizer result TTL must be between 0 and {AUTHORIZER_TTL_SECONDS_MAX}"
        )
    if one.type == "COGNITO_USER_POOLS":
        _check_pools(one)
    else:
        _check_function(one)
    _check_sources(one, ttl)
    if one.identity_validation_expression:
        if one.type == "REQUEST":
            raise BadRequestException(
                "Identity validation expression does not apply to authorizers of type REQUEST"
            )
        try:
            compile_pattern(one.identity_validation_expression)
        except BadPattern as cause:
            raise BadRequestException("Invalid identity validation expression specified") from cause


def _check_pools(one: Authorizer) -> None:
    if one.authorizer_uri or one.authorizer_credentials:
        raise BadRequestException("Authorizers of type COGNITO_USER_POOLS invoke no function")
    if not one.provider_arns:
        raise BadRequestException("Authorizers of type COGNITO_USER_POOLS require provider ARNs")
    for arn in one.provider_arns:
        if parse_pool(arn) is None:
            raise BadRequestException(f"Invalid provider ARN specified: {arn}")


def _check_function(one: Authorizer) -> None:
    if one.provider_arns:
        raise BadRequestException(f"Authorizers of type {one.type} have no provider ARNs")
    if lambda_function_of(one.authorizer_uri or "") is None:
        raise BadRequestException(
            f"Invalid Authorizer URI: {one.authorizer_uri}. Authorizer URI should be a valid API "
            "Gateway ARN that represents a Lambda function invocation."
        )
    if one.authorizer_credentials:
        arn = parse_arn(one.authorizer_credentials)
        if arn is None or arn.service != "iam":
            raise BadRequestException("Invalid ARN specified in the request")


def _check_sources(one: Authorizer, ttl: int | None) -> None:
    text = one.identity_source or ""
    try:
        sources = parse_sources(text)
    except ValueError as cause:
        raise BadRequestException(f"Invalid identity source specified: {text}") from cause
    if one.type == "REQUEST":
        if ttl and not sources:
            raise BadRequestException(
                "Authorizers of type REQUEST with caching enabled require identity sources"
            )
        return
    if len(sources) != 1 or not _is_header(sources[0]):
        raise BadRequestException(
            f"Authorizers of type {one.type} require one header as their identity source: "
            "method.request.header.{name}"
        )


def _is_header(source: Source) -> bool:
    return source.place == "header"


def _read_ttl(text: str) -> int:
    try:
        return int(text)
    except ValueError as cause:
        raise BadRequestException("Invalid authorizer result TTL specified") from cause


_RULES = (
    Rule("/name"),
    Rule("/type"),
    Rule("/authType"),
    Rule("/authorizerUri"),
    Rule("/authorizerCredentials", ALL, optional_text),
    Rule("/identitySource", ALL, optional_text),
    Rule("/identityValidationExpression", ALL, optional_text),
    Rule("/authorizerResultTtlInSeconds", ALL, _read_ttl),
    Rule("/providerARNs", ALL, kind="values"),
)


def patch_authorizer(one: Authorizer, operations: Operations | None) -> Authorizer:
    """The authorizer with the patch operations done. Raises BadRequestException."""
    document = apply_patches(msgspec.to_builtins(one), operations, _RULES, terse)
    document["providerARNs"] = document.get("providerARNs") or None
    changed = msgspec.convert(document, Authorizer)
    check_authorizer(changed)
    return changed
