"""An authorizer of a deployed stage, made ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cumulet.core.identity import Scope, parse_arn, service_principal
from cumulet.services.apigateway.admission.authorizers import AuthorizerFunction
from cumulet.services.apigateway.admission.callers.sources import Source, parse_sources
from cumulet.services.apigateway.admission.limits import AUTHORIZER_TTL_SECONDS_DEFAULT
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.rules.methods import lambda_function_of
from cumulet.services.apigateway.rules.names import PRINCIPAL
from cumulet.services.apigateway.rules.patterns import Pattern, compile_pattern

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True)
class ServedAuthorizer:
    """One authorizer with everything that asking it needs.

    `place` tells its answers from those of all others in the cache; it changes with the deployment
    and when the stage's authorizers are flushed. `ttl_seconds` 0 keeps nothing.
    """

    id: str
    kind: str
    place: tuple[str | int, ...]
    sources: tuple[Source, ...]
    expression: Pattern | None
    ttl_seconds: int
    function: AuthorizerFunction | None
    pools: tuple[str, ...]


def serve_authorizer(
    scope: Scope,
    one: Authorizer,
    variables: Mapping[str, str] | None,
    place: tuple[str | int, ...],
) -> ServedAuthorizer:
    """Make an authorizer ready; it was checked when it was made."""
    ttl = one.authorizer_result_ttl_in_seconds
    expression = one.identity_validation_expression
    return ServedAuthorizer(
        id=one.id,
        kind=one.type,
        place=(*place, one.id),
        sources=parse_sources(one.identity_source or ""),
        expression=compile_pattern(expression) if expression else None,
        ttl_seconds=AUTHORIZER_TTL_SECONDS_DEFAULT if ttl is None else ttl,
        function=_function(scope, one, variables),
        pools=one.provider_arns or (),
    )


def _function(
    scope: Scope, one: Authorizer, variables: Mapping[str, str] | None
) -> AuthorizerFunction | None:
    def fill(text: str | None) -> str:
        return _STAGE_VARIABLE.sub(lambda found: (variables or {}).get(found[1], ""), text or "")

    function = lambda_function_of(fill(one.authorizer_uri)) or ""
    arn = parse_arn(function)
    if arn is None:
        return None
    said = {
        "aws:SourceArn": authorizer_arn(scope, one),
        "aws:SourceAccount": scope.account,
    }
    gateway = service_principal(PRINCIPAL, scope.account, said)
    return AuthorizerFunction(function, arn.region, gateway, fill(one.authorizer_credentials))


def authorizer_arn(scope: Scope, one: Authorizer) -> str:
    """What a function's policy names as the source of an authorizer's invocations."""
    return scope.arn("execute-api", f"{one.api_id}/authorizers/{one.id}")
