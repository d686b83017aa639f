"""Route responses: that a WebSocket route answers, and with what models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
)
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import RESPONSES_MAX
from cumulet.services.apigateway.v2.model import DEFAULT, HTTP, Api, RouteResponse, view
from cumulet.services.apigateway.v2.operations.parts import route
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.words import check_lengths, made, members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/routes/{RouteId}/routeresponses"
_ONE = _ALL + "/{RouteResponseId}"
_MEMBERS = (
    "ModelSelectionExpression",
    "ResponseModels",
    "ResponseParameters",
    "RouteResponseKey",
)


def _checked(document: Mapping[str, Any], api: Api) -> RouteResponse:
    if api.protocol_type == HTTP:
        raise BadRequestException("Route responses are not supported for HTTP APIs")
    if document["RouteResponseKey"] != DEFAULT:
        raise BadRequestException("Only the $default route response is supported")
    return made(RouteResponse, document)


async def _save(tx: Transaction, scope: Scope, response: RouteResponse) -> None:
    place = (store.ROUTE_RESPONSES, response.api_id, response.route_id)
    every = await store.scan_parts(tx, scope, *place)
    others = [one for one in every if one.route_response_id != response.route_response_id]
    if any(one.route_response_key == response.route_response_key for one in others):
        raise ConflictException(
            f"Route response with key {response.route_response_key} already exists for this route"
        )
    if len(others) >= RESPONSES_MAX:
        raise too_many("route responses", RESPONSES_MAX)
    await store.ROUTE_RESPONSES.save(tx, scope, response)


@operation("CreateRouteResponse", action="POST", resource=at(_ALL))
async def create_route_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Let a route answer."""
    check_lengths(request)
    ids = {
        "ApiId": request["ApiId"],
        "RouteId": request["RouteId"],
        "RouteResponseId": new_label(ctx.clock, 6),
    }

    async def create(tx: Transaction, scope: Scope, api: Api) -> RouteResponse:
        await route.find(tx, scope, request)
        response = _checked({**members(request, _MEMBERS), **ids}, api)
        await _save(tx, scope, response)
        return response

    return view(await change_api(ctx, request["ApiId"], create), "ApiId", "RouteId")


async def _find(tx: Transaction, scope: Scope, request: Request) -> RouteResponse:
    await route.find(tx, scope, request)
    response_id = request["RouteResponseId"]
    found = await store.ROUTE_RESPONSES.load(
        tx, scope, request["ApiId"], request["RouteId"], response_id
    )
    if found is None:
        raise no_part("RouteResponse", response_id)
    return found


@operation("GetRouteResponse", action="GET", resource=at(_ONE))
async def get_route_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a route response."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    return view(found, "ApiId", "RouteId")


@operation("GetRouteResponses", action="GET", resource=at(_ALL))
async def get_route_responses(ctx: Context, request: Request) -> dict[str, Any]:
    """List the responses of a route."""

    async def load(tx: Transaction, scope: Scope, api: Api) -> list[RouteResponse]:
        found = await route.find(tx, scope, request)
        return await store.scan_parts(tx, scope, store.ROUTE_RESPONSES, api.api_id, found.route_id)

    found = await read_api(ctx, request["ApiId"], load)
    return page([(one.route_response_id, view(one, "ApiId", "RouteId")) for one in found], request)


@operation("UpdateRouteResponse", action="PATCH", resource=at(_ONE))
async def update_route_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a route response."""
    check_lengths(request)

    async def update(tx: Transaction, scope: Scope, api: Api) -> RouteResponse:
        old = await _find(tx, scope, request)
        changed = _checked(merged(old, members(request, _MEMBERS)), api)
        await _save(tx, scope, changed)
        return changed

    return view(await change_api(ctx, request["ApiId"], update), "ApiId", "RouteId")


@operation("DeleteRouteResponse", action="DELETE", resource=at(_ONE))
async def delete_route_response(ctx: Context, request: Request) -> None:
    """Let a route answer no more."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await _find(tx, scope, request)
        await store.ROUTE_RESPONSES.drop(
            tx, scope, api.api_id, gone.route_id, gone.route_response_id
        )

    await change_api(ctx, request["ApiId"], delete)
