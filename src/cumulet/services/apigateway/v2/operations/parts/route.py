"""Routes: what a request is matched with, and which integration it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    NotFoundException,
)
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import ROUTES_MAX
from cumulet.services.apigateway.v2.model import Api, Route, view
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.routes import check_authorization, check_route
from cumulet.services.apigateway.v2.rules.words import made, members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/routes"
_ONE = _ALL + "/{RouteId}"
_MEMBERS = (
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "ModelSelectionExpression",
    "OperationName",
    "RequestModels",
    "RequestParameters",
    "RouteKey",
    "RouteResponseSelectionExpression",
    "Target",
)


def new_route(request: Mapping[str, Any], api: Api, route_id: str) -> Route:
    """A route from members in AWS's spelling. Raises BadRequestException."""
    check_route(request, api.protocol_type)
    document = {
        "ApiKeyRequired": False,
        "AuthorizationType": "NONE",
        **members(request, _MEMBERS),
        "ApiId": api.api_id,
        "RouteId": route_id,
    }
    return made(Route, document)


async def save_route(tx: Transaction, scope: Scope, api: Api, route: Route) -> None:
    """Write a route that fits the API's other parts. Raises AwsError."""
    twin = await store.find_route(tx, scope, api.api_id, route.route_key)
    if twin is not None and twin.route_id != route.route_id:
        raise ConflictException(f"Route with key {route.route_key} already exists for this API")
    if twin is None:
        routes = await store.scan_parts(tx, scope, store.ROUTES, api.api_id)
        if len([one for one in routes if one.route_id != route.route_id]) >= ROUTES_MAX:
            raise too_many("routes", ROUTES_MAX)
    kind = None
    if route.authorizer_id:
        found = await store.AUTHORIZERS.load(tx, scope, api.api_id, route.authorizer_id)
        if found is None:
            raise NotFoundException(f"Invalid Authorizer ID: {route.authorizer_id}")
        kind = found.authorizer_type
    check_authorization(route, api.protocol_type, kind)
    if route.integration_id is not None:
        integration = await store.INTEGRATIONS.load(tx, scope, api.api_id, route.integration_id)
        if integration is None:
            raise BadRequestException(f"Invalid Target specified: {route.target}")
    await store.ROUTES.save(tx, scope, route)


@operation("CreateRoute", action="POST", resource=at(_ALL))
async def create_route(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a route to an API."""
    route_id = new_label(ctx.clock, 7)

    async def create(tx: Transaction, scope: Scope, api: Api) -> Route:
        route = new_route(request, api, route_id)
        await save_route(tx, scope, api, route)
        return route

    return view(await change_api(ctx, request["ApiId"], create), "ApiId")


async def find(tx: Transaction, scope: Scope, request: Request) -> Route:
    """The route that a request names. Raises NotFoundException."""
    found = await store.ROUTES.load(tx, scope, request["ApiId"], request["RouteId"])
    if found is None:
        raise no_part("Route", request["RouteId"])
    return found


@operation("GetRoute", action="GET", resource=at(_ONE))
async def get_route(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a route."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: find(tx, scope, request))
    return view(found, "ApiId")


@operation("GetRoutes", action="GET", resource=at(_ALL))
async def get_routes(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's routes."""
    api_id = request["ApiId"]
    found = await read_api(
        ctx, api_id, lambda tx, scope, _: store.scan_parts(tx, scope, store.ROUTES, api_id)
    )
    return page([(route.route_id, view(route, "ApiId")) for route in found], request)


@operation("UpdateRoute", action="PATCH", resource=at(_ONE))
async def update_route(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a route."""

    async def update(tx: Transaction, scope: Scope, api: Api) -> Route:
        old = await find(tx, scope, request)
        check_route(request, api.protocol_type)
        document = merged(old, members(request, _MEMBERS), ("RequestParameters",))
        if request.get("AuthorizationType") in ("NONE", "AWS_IAM"):
            # The old authorizer goes with the old authorization.
            for name in ("AuthorizerId", "AuthorizationScopes"):
                if not request.get(name):
                    document.pop(name, None)
        route = made(Route, document)
        await save_route(tx, scope, api, route)
        return route

    return view(await change_api(ctx, request["ApiId"], update), "ApiId")


@operation("DeleteRoute", action="DELETE", resource=at(_ONE))
async def delete_route(ctx: Context, request: Request) -> None:
    """Remove a route and its responses."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        route = await find(tx, scope, request)
        await store.drop_responses(tx, scope, store.ROUTE_RESPONSES, api.api_id, route.route_id)
        await store.ROUTES.drop(tx, scope, api.api_id, route.route_id)

    await change_api(ctx, request["ApiId"], delete)


@operation(
    "DeleteRouteRequestParameter",
    action="DELETE",
    resource=at(_ONE + "/requestparameters/{RequestParameterKey}"),
)
async def delete_route_request_parameter(ctx: Context, request: Request) -> None:
    """Take a declared parameter away from a route."""
    key = request["RequestParameterKey"]

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        route = await find(tx, scope, request)
        known = route.request_parameters or {}
        if key not in known:
            raise no_part("RequestParameter", key)
        left = {name: value for name, value in known.items() if name != key} or None
        changed = msgspec.structs.replace(route, request_parameters=left)
        await store.ROUTES.save(tx, scope, changed)

    await change_api(ctx, request["ApiId"], delete)
