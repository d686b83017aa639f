"""Authorizers of HTTP and WebSocket APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import ConflictException
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import AUTHORIZERS_MAX
from cumulet.services.apigateway.v2.model import Api, Authorizer, view
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.authorizers import parse_authorizer
from cumulet.services.apigateway.v2.rules.words import members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/authorizers"
_ONE = _ALL + "/{AuthorizerId}"
_MEMBERS = (
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerType",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentitySource",
    "IdentityValidationExpression",
    "JwtConfiguration",
    "Name",
)


async def save_authorizer(tx: Transaction, scope: Scope, authorizer: Authorizer) -> None:
    """Write an authorizer whose name is its own in the API. Raises AwsError."""
    every = await store.scan_parts(tx, scope, store.AUTHORIZERS, authorizer.api_id)
    others = [one for one in every if one.authorizer_id != authorizer.authorizer_id]
    if any(one.name == authorizer.name for one in others):
        raise ConflictException(f"Authorizer with name {authorizer.name} already exists")
    if len(others) >= AUTHORIZERS_MAX:
        raise too_many("authorizers", AUTHORIZERS_MAX)
    await store.AUTHORIZERS.save(tx, scope, authorizer)


@operation("CreateAuthorizer", action="POST", resource=at(_ALL))
async def create_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Add an authorizer to an API."""
    await check_pass_role(ctx, request.get("AuthorizerCredentialsArn"))
    ids = {"ApiId": request["ApiId"], "AuthorizerId": new_label(ctx.clock, 6)}

    async def create(tx: Transaction, scope: Scope, api: Api) -> Authorizer:
        made = parse_authorizer({**members(request, _MEMBERS), **ids}, api.protocol_type)
        await save_authorizer(tx, scope, made)
        return made

    return view(await change_api(ctx, request["ApiId"], create), "ApiId")


async def _find(tx: Transaction, scope: Scope, request: Request) -> Authorizer:
    found = await store.AUTHORIZERS.load(tx, scope, request["ApiId"], request["AuthorizerId"])
    if found is None:
        raise no_part("Authorizer", request["AuthorizerId"])
    return found


@operation("GetAuthorizer", action="GET", resource=at(_ONE))
async def get_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe an authorizer."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    return view(found, "ApiId")


@operation("GetAuthorizers", action="GET", resource=at(_ALL))
async def get_authorizers(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's authorizers."""
    api_id = request["ApiId"]
    found = await read_api(
        ctx, api_id, lambda tx, scope, _: store.scan_parts(tx, scope, store.AUTHORIZERS, api_id)
    )
    return page([(one.authorizer_id, view(one, "ApiId")) for one in found], request)


@operation("UpdateAuthorizer", action="PATCH", resource=at(_ONE))
async def update_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an authorizer."""
    await check_pass_role(ctx, request.get("AuthorizerCredentialsArn"))

    async def update(tx: Transaction, scope: Scope, api: Api) -> Authorizer:
        old = await _find(tx, scope, request)
        document = merged(old, members(request, _MEMBERS))
        changed = parse_authorizer(document, api.protocol_type)
        if changed.authorizer_type != old.authorizer_type:
            await _check_unused(tx, scope, old, "change the type of")
        await save_authorizer(tx, scope, changed)
        return changed

    return view(await change_api(ctx, request["ApiId"], update), "ApiId")


async def _check_unused(tx: Transaction, scope: Scope, authorizer: Authorizer, verb: str) -> None:
    for route in await store.scan_parts(tx, scope, store.ROUTES, authorizer.api_id):
        if route.authorizer_id == authorizer.authorizer_id:
            raise ConflictException(
                f"Cannot {verb} authorizer '{authorizer.name}', is referenced in route: "
                f"{route.route_key}"
            )


@operation("DeleteAuthorizer", action="DELETE", resource=at(_ONE))
async def delete_authorizer(ctx: Context, request: Request) -> None:
    """Remove an authorizer that no route uses."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await _find(tx, scope, request)
        await _check_unused(tx, scope, gone, "delete")
        await store.AUTHORIZERS.drop(tx, scope, api.api_id, gone.authorizer_id)

    await change_api(ctx, request["ApiId"], delete)
