"""HTTP and WebSocket APIs: create (also quickly, with a target), list, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains.mappings import check_unmapped
from cumulet.services.apigateway.errors import (
    BadRequestException,
    NotFoundException,
    no_api,
)
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import too_many
from cumulet.services.apigateway.v2.limits import APIS_MAX
from cumulet.services.apigateway.v2.model import HTTP, Api, Cors
from cumulet.services.apigateway.v2.operations.quick import (
    Quick,
    change_quick,
    plan_quick,
    save_quick,
)
from cumulet.services.apigateway.v2.rollout import change_api, redeploy
from cumulet.services.apigateway.v2.rules.apis import (
    HTTP_SELECTION,
    KEY_SELECTION,
    api_view,
    check_api,
)
from cumulet.services.apigateway.v2.rules.words import made, members, merged, page

Request = Mapping[str, Any]

_SETTINGS = (
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "Description",
    "DisableSchemaValidation",
    "DisableExecuteApiEndpoint",
    "IpAddressType",
    "Name",
    "RouteSelectionExpression",
    "Version",
)


@operation("CreateApi", action="POST", resource=at("/apis"))
async def create_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Make an API; with a target also its integration, route and stage."""
    protocol = request["ProtocolType"]
    check_api(request, protocol)
    tags, origin = _origin_of(ctx, request.get("Tags"))
    check_tags(tags)
    if origin and (found := await ctx.transact(store.find_api_of, origin)) is not None:
        return api_view(found, ctx.scope.region, ctx.endpoint)
    api = new_api(ctx, protocol, {**request, "Tags": tags}, origin)
    quick = plan_quick(ctx, api.api_id, request)
    if quick is not None:
        await check_pass_role(ctx, quick.integration.credentials_arn)
    await ctx.transact(_create, api, quick)
    return api_view(api, ctx.scope.region, ctx.endpoint)


async def _create(tx: Transaction, scope: Scope, api: Api, quick: Quick | None) -> None:
    await save_in_room(tx, scope, api)
    if quick is not None:
        await save_quick(tx, scope, quick)
        now = int(api.created_date)
        await redeploy(tx, scope, api.api_id, quick.deployment_id, now)


async def save_in_room(tx: Transaction, scope: Scope, api: Api) -> None:
    """Write a new API. Raises TooManyRequestsException when there are too many."""
    if not await store.has_room_for_api(tx, scope):
        raise too_many("APIs", APIS_MAX, "this account")
    await store.save_new_api(tx, scope, api)


def _origin_of(
    ctx: Context, tags: Mapping[str, str] | None
) -> tuple[dict[str, str] | None, str | None]:
    """The tags proper, and the step of a stack that makes the API; see `rest_api.py`."""
    if not tags or ctx.request is not None or ORIGIN_TAG not in tags:
        return (dict(tags) if tags else None), None
    left = {key: value for key, value in tags.items() if key != ORIGIN_TAG}
    return left or None, tags[ORIGIN_TAG]


def new_api(
    ctx: Context, protocol: str, settings: Mapping[str, Any], origin: str | None = None
) -> Api:
    """The record of a new API from settings in AWS's spelling, which were checked."""
    usual = HTTP_SELECTION if protocol == HTTP else None
    selection = settings.get("RouteSelectionExpression") or usual
    if not selection:
        raise BadRequestException(
            "RouteSelectionExpression is required for APIs with the protocol type WEBSOCKET"
        )
    given = members(settings, (*_SETTINGS, "Tags"))
    document = {
        "ApiKeySelectionExpression": KEY_SELECTION,
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        **given,
        "ApiId": new_label(ctx.clock, 10),
        "ProtocolType": protocol,
        "RouteSelectionExpression": selection,
        "CreatedDate": int(ctx.clock.now()),
    }
    return msgspec.structs.replace(made(Api, document), origin=origin)


async def _find(tx: Transaction, scope: Scope, api_id: str) -> Api:
    api = await store.load_api(tx, scope, api_id)
    if api is None:
        raise no_api(scope, api_id)
    return api


@operation("GetApi", action="GET", resource=at("/apis/{ApiId}"))
async def get_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one API."""
    return api_view(await ctx.transact(_find, request["ApiId"]), ctx.scope.region, ctx.endpoint)


async def _all(tx: Transaction, scope: Scope) -> list[Api]:
    return await store.APIS.scan(tx, scope, limit=APIS_MAX)


@operation("GetApis", action="GET", resource=at("/apis"))
async def get_apis(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's APIs, a page at a time."""
    found = await ctx.transact(_all)
    views = [(api.api_id, api_view(api, ctx.scope.region, ctx.endpoint)) for api in found]
    return page(views, request)


@operation("UpdateApi", action="PATCH", resource=at("/apis/{ApiId}"))
async def update_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an API's settings, or what it was quickly created with."""
    await check_pass_role(ctx, request.get("CredentialsArn"))

    async def update(tx: Transaction, scope: Scope, api: Api) -> Api:
        check_api(request, api.protocol_type)
        changed = made(Api, merged(api, members(request, _SETTINGS)))
        await store.APIS.save(tx, scope, changed)
        await change_quick(tx, scope, changed, request)
        return changed

    changed = await change_api(ctx, request["ApiId"], update)
    return api_view(changed, ctx.scope.region, ctx.endpoint)


@operation("DeleteApi", action="DELETE", resource=at("/apis/{ApiId}"))
async def delete_api(ctx: Context, request: Request) -> None:
    """Remove an API with all that belongs to it."""
    api_id = request["ApiId"]

    async def delete(tx: Transaction, scope: Scope) -> bool:
        await check_unmapped(tx, scope, api_id)
        return await store.drop_api(tx, scope, api_id)

    if not await ctx.transact(delete):
        raise no_api(ctx.scope, api_id)


@operation("DeleteCorsConfiguration", action="DELETE", resource=at("/apis/{ApiId}/cors"))
async def delete_cors_configuration(ctx: Context, request: Request) -> None:
    """Let the gateway answer no preflight requests any more."""

    async def drop(tx: Transaction, scope: Scope, api: Api) -> None:
        none: Cors | None = None
        await store.APIS.save(tx, scope, msgspec.structs.replace(api, cors_configuration=none))

    await change_api(ctx, request["ApiId"], drop)


@operation(
    "ResetAuthorizersCache",
    action="DELETE",
    resource=at("/apis/{ApiId}/stages/{StageName}/cache/authorizers"),
)
async def reset_authorizers_cache(ctx: Context, request: Request) -> None:
    """Forget what the functions of authorizers answered for this stage."""
    mark = new_label(ctx.clock, 8)

    async def reset(tx: Transaction, scope: Scope) -> None:
        api = await _find(tx, scope, request["ApiId"])
        if api.protocol_type != HTTP:
            raise BadRequestException("Authorizer caches are only supported for HTTP APIs")
        stage = await store.STAGES.load(tx, scope, api.api_id, request["StageName"])
        if stage is None:
            raise NotFoundException("Invalid stage identifier specified")
        await store.STAGES.save(tx, scope, msgspec.structs.replace(stage, authorizers_reset=mark))

    await ctx.transact(reset)
