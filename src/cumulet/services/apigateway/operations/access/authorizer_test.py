"""Trying an authorizer as it is now, without a deployment and without what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.http import Headers
from cumulet.core.http import Request as HttpRequest
from cumulet.kit.service import operation
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.authorizers import AuthorizerError
from cumulet.services.apigateway.admission.callers.cognito import (
    issuers_of,
    shown_claims,
    token_of,
)
from cumulet.services.apigateway.admission.callers.served import ServedAuthorizer
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.errors import BadRequestException, no_api, not_yet
from cumulet.services.apigateway.model import (
    Deployment,
    Integration,
    Method,
    Resource,
    RestApi,
    Stage,
)
from cumulet.services.apigateway.operations.access.authorizer import ONE, find_authorizer
from cumulet.services.apigateway.pipeline.authorize.function import ask_for_grant, find_identity
from cumulet.services.apigateway.pipeline.authorize.pool import verified_claims
from cumulet.services.apigateway.pipeline.match import Arrival, Matched, match
from cumulet.services.apigateway.pipeline.served import ServedStage, serve_stage
from cumulet.services.apigateway.rules.names import ANY, at

Request = Mapping[str, Any]

_STAGE = "ESTestInvoke-stage"
_OK, _UNAUTHORIZED, _FAILED = 200, 401, 500


@operation("TestInvokeAuthorizer", action="POST", resource=at(ONE))
async def test_invoke_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Ask an authorizer about a request that is made up; its answer, with what was done for it."""
    if request.get("additionalContext"):
        raise not_yet("Additional context variables of test invocations are")
    one = await ctx.transact(find_authorizer, request)
    api = await ctx.transact(store.load_api, one.api_id)
    if api is None:
        raise no_api(ctx.scope, one.api_id)
    start = ctx.clock.monotonic()
    lines = [f"Execution log for request {ctx.request_id}"]
    matched = match(_stage(ctx, api, one, request), _arrival(ctx, request, one.api_id))
    served = matched.method.authorizer
    if served is None:
        raise BadRequestException("Invalid Authorizer identifier specified")
    lines.append(f"Starting authorizer: {one.id}")
    if one.type == "COGNITO_USER_POOLS":
        answer = await _try_pool(ctx, matched, served, lines)
    else:
        answer = await _try_function(ctx, matched, served, lines)
    answer["latency"] = int((ctx.clock.monotonic() - start) * 1000)
    answer["log"] = "\n".join(lines) + "\n"
    return answer


async def _try_function(
    ctx: Context, matched: Matched, served: ServedAuthorizer, lines: list[str]
) -> dict[str, Any]:
    identity = find_identity(matched, served)
    if identity is None:
        lines.append("Unauthorized request: an identity source is missing or does not fit")
        return {"clientStatus": _UNAUTHORIZED}
    try:
        grant = await ask_for_grant(ctx, matched, served, identity)
    except AuthorizerError as error:
        lines.append(f"Execution failed: {error}")
        status = _UNAUTHORIZED if error.kind == "unauthorized" else _FAILED
        return {"clientStatus": status}
    lines.append(f"Using valid authorizer policy for principal: {grant.principal_id}")
    return {
        "clientStatus": _OK,
        "principalId": grant.principal_id,
        "policy": orjson.dumps(grant.document).decode(),
        "authorization": {name: [value] for name, value in grant.context.items()},
    }


async def _try_pool(
    ctx: Context, matched: Matched, served: ServedAuthorizer, lines: list[str]
) -> dict[str, Any]:
    token = token_of(matched.arrival.request.headers.get(served.sources[0].name))
    claims = await verified_claims(ctx.need, token) if token else None
    if claims is None or claims.get("iss") not in issuers_of(served.pools, ctx.endpoint):
        lines.append("Unauthorized request: the token is missing, or not of these user pools")
        return {"clientStatus": _UNAUTHORIZED}
    lines.append("Successfully verified the token")
    return {"clientStatus": _OK, "claims": shown_claims(claims)}


def _stage(ctx: Context, api: RestApi, one: Authorizer, request: Request) -> ServedStage:
    """A stage of nothing but the authorizer."""
    method = Method(
        http_method=ANY,
        authorization_type="CUSTOM",
        api_key_required=False,
        authorizer_id=one.id,
        method_integration=Integration(
            type="MOCK",
            passthrough_behavior="NEVER",
            timeout_in_millis=1_000,
            cache_namespace="",
            cache_key_parameters=(),
        ),
    )
    nodes = [
        Resource(api_id=api.id, id=api.root_resource_id, path=path, resource_methods={ANY: method})
        for path in ("/", "/{proxy+}")
    ]
    deployment = Deployment(
        api_id=api.id, id="test", created_date=0, api=api, authorizers={one.id: one}
    )
    stage = Stage(
        api_id=api.id,
        stage_name=_STAGE,
        deployment_id="test",
        created_date=0,
        last_updated_date=0,
        cache_cluster_enabled=False,
        cache_cluster_status="NOT_AVAILABLE",
        method_settings={},
        tracing_enabled=False,
        variables=request.get("stageVariables"),
    )
    return serve_stage(ctx.scope, stage, deployment, nodes, disabled=False)


def _arrival(ctx: Context, request: Request, api_id: str) -> Arrival:
    path, _, query = (request.get("pathWithQueryString") or "/").partition("?")
    host = f"{api_id}.execute-api.{ctx.scope.region}.amazonaws.com"
    headers = list((request.get("headers") or {}).items())
    for name, values in (request.get("multiValueHeaders") or {}).items():
        headers = [pair for pair in headers if pair[0].lower() != name.lower()]
        headers += [(name, value) for value in values]
    sent = HttpRequest(
        "GET", path, query, Headers([("Host", host), *headers]), scheme="https", peer="127.0.0.1"
    )
    return Arrival(
        request=sent,
        body=(request.get("body") or "").encode(),
        path=path,
        whole_path=f"/{_STAGE}{path}",
        domain=host,
        domain_prefix=api_id,
        request_id=new_uuid(ctx.clock),
        extended_id="",
        trace_header="",
        epoch_ms=int(ctx.clock.now() * 1000),
    )
