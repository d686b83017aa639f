"""Gateway responses: what the gateway itself answers, in the API's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import NotFoundException, no_api
from cumulet.services.apigateway.model import GatewayResponse
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.gateway_responses import (
    RULES,
    STATUS_CODES,
    check_gateway_response,
    check_patches,
    check_response_type,
    gateway_response_view,
    parse_gateway_response,
    refusal,
)
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import apply_patches

Request = Mapping[str, Any]
Own = dict[str, GatewayResponse]

_ALL = "/restapis/{restApiId}/gatewayresponses"
_ONE = _ALL + "/{responseType}"


async def _load(tx: Transaction, scope: Scope, api_id: str) -> Own:
    """The API's own gateway responses by type. Raises NotFoundException."""
    if await store.load_api(tx, scope, api_id) is None:
        raise no_api(scope, api_id)
    return {one.response_type: one for one in await store.scan_responses(tx, scope, api_id)}


@operation("PutGatewayResponse", action="PUT", resource=at(_ONE))
async def put_gateway_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Give one kind of refusal the API's own form, replacing the one it has."""
    response = parse_gateway_response(request["restApiId"], request["responseType"], request)

    async def put(tx: Transaction, scope: Scope) -> Own:
        own = await _load(tx, scope, response.api_id)
        await store.RESPONSES.save(tx, scope, response)
        return {**own, response.response_type: response}

    return gateway_response_view(await ctx.transact(put), response.response_type)


@operation("GetGatewayResponse", action="GET", resource=at(_ONE))
async def get_gateway_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe what one kind of refusal looks like."""
    check_response_type(request["responseType"])
    own = await ctx.transact(_load, request["restApiId"])
    return gateway_response_view(own, request["responseType"])


@operation("GetGatewayResponses", action="GET", resource=at(_ALL))
async def get_gateway_responses(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe all kinds of refusals, a page at a time."""
    after, limit = page_of(request)
    own = await ctx.transact(_load, request["restApiId"])
    kinds = [kind for kind in sorted(STATUS_CODES) if after is None or kind > after]
    found = [(kind, gateway_response_view(own, kind)) for kind in kinds[: limit + 1]]
    return page(found, limit)


@operation("UpdateGatewayResponse", action="PATCH", resource=at(_ONE))
async def update_gateway_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Change the form of one kind of refusal; a usual one becomes the API's own."""
    kind = request["responseType"]
    check_response_type(kind)

    async def update(tx: Transaction, scope: Scope) -> Own:
        own = await _load(tx, scope, request["restApiId"])
        old = own.get(kind) or parse_gateway_response(request["restApiId"], kind, {})
        operations = request.get("patchOperations")
        document = apply_patches(msgspec.to_builtins(old), operations, RULES, refusal)
        check_patches(operations)
        changed = msgspec.convert(document, GatewayResponse)
        check_gateway_response(changed)
        await store.RESPONSES.save(tx, scope, changed)
        return {**own, kind: changed}

    return gateway_response_view(await ctx.transact(update), kind)


@operation("DeleteGatewayResponse", action="DELETE", resource=at(_ONE))
async def delete_gateway_response(ctx: Context, request: Request) -> None:
    """Go back to the usual form."""
    kind = request["responseType"]
    check_response_type(kind)

    async def delete(tx: Transaction, scope: Scope) -> None:
        if kind not in await _load(tx, scope, request["restApiId"]):
            raise NotFoundException("Gateway response type not defined on api")
        await store.RESPONSES.drop(tx, scope, request["restApiId"], kind)

    await ctx.transact(delete)
