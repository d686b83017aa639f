"""REST APIs: create, list, change, delete. Import is in `importing.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.domains.mappings import check_unmapped
from cumulet.services.apigateway.errors import (
    BadRequestException,
    LimitExceededException,
    NotFoundException,
    no_api,
)
from cumulet.services.apigateway.limits import APIS_MAX, PAGE_DEFAULT, PAGE_MAX
from cumulet.services.apigateway.model import Model, Resource, RestApi
from cumulet.services.apigateway.openapi.documentation.store import drop_documentation
from cumulet.services.apigateway.rules.access import check_pass_roles
from cumulet.services.apigateway.rules.names import at, control_arn
from cumulet.services.apigateway.rules.settings import (
    api_view,
    check_settings,
    check_tags,
    parse_api_policy,
    parse_endpoint,
    patch_api,
)

Request = Mapping[str, Any]

ORIGIN_TAG = "aws:cloudformation:client-request-token"

_EMPTY_SCHEMA = (
    '{\n  "$schema": "http://json-schema.org/draft-04/schema#",\n'
    '  "title" : "Empty Schema",\n  "type" : "object"\n}'
)
_ERROR_SCHEMA = (
    '{\n  "$schema" : "http://json-schema.org/draft-04/schema#",\n'
    '  "title" : "Error Schema",\n  "type" : "object",\n  "properties" : {\n'
    '    "message" : { "type" : "string" }\n  }\n}'
)


@operation("CreateRestApi", action="POST", resource=at("/restapis"))
async def create_rest_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Make an API with its root resource, or a copy of another one."""
    check_settings(request)
    tags, origin = origin_of(ctx, request.get("tags"))
    check_tags(tags)
    if origin and (made := await ctx.transact(store.find_api_of, origin)) is not None:
        return api_view(made, with_tags=made.tags is not None)
    api = new_api(ctx, request["name"], {**request, "tags": tags}, origin)
    root = Resource(api_id=api.id, id=api.root_resource_id, path="/")
    if source := request.get("cloneFrom"):
        arn = control_arn(ctx.scope.region, f"/restapis/{source}")
        await ctx.authorize("apigateway:GET", arn)
        found = await ctx.transact(_load_tree, source)
        if found is None:
            raise NotFoundException("Invalid API identifier specified")
        for node in found[0]:
            await check_pass_roles(ctx, node.methods.values())
        resources, models = _copied(ctx, api, found[0], found[1])
    else:
        resources, models = [root], default_models(ctx, api.id)
    if not await ctx.transact(store.save_new_api, api, resources, models):
        raise too_many_apis()
    return api_view(api, with_tags=api.tags is not None)


def origin_of(
    ctx: Context, tags: Mapping[str, str] | None
) -> tuple[dict[str, str] | None, str | None]:
    """The tags proper, and the step of a stack that makes what they are for.

    The step comes in a reserved tag, which only callers inside of the cloud can send. It makes a
    creation that was cut off find what it made when it is run again.
    """
    if not tags or ctx.request is not None or ORIGIN_TAG not in tags:
        return (dict(tags) if tags is not None else None), None
    left = {key: value for key, value in tags.items() if key != ORIGIN_TAG}
    return left or None, tags[ORIGIN_TAG]


def new_api(
    ctx: Context, name: str, settings: Mapping[str, Any], origin: str | None = None
) -> RestApi:
    """The record of a new API from settings in AWS's spelling, which were checked."""
    api_id = new_label(ctx.clock, 10)
    return RestApi(
        id=api_id,
        name=name,
        created_date=int(ctx.clock.now()),
        root_resource_id=new_label(ctx.clock, 10),
        endpoint_configuration=parse_endpoint(settings.get("endpointConfiguration")),
        api_key_source=settings.get("apiKeySource") or "HEADER",
        disable_execute_api_endpoint=bool(settings.get("disableExecuteApiEndpoint")),
        description=settings.get("description"),
        version=settings.get("version"),
        binary_media_types=tuple(settings.get("binaryMediaTypes") or ()) or None,
        minimum_compression_size=settings.get("minimumCompressionSize"),
        policy=parse_api_policy(settings.get("policy"), ctx.scope, api_id),
        tags=settings.get("tags"),
        origin=origin,
    )


def default_models(ctx: Context, api_id: str) -> list[Model]:
    """The two models that every API begins with."""
    return [
        Model(
            api_id=api_id,
            id=new_label(ctx.clock, 6),
            name=name,
            content_type="application/json",
            schema=schema,
            description=words,
        )
        for name, schema, words in (
            ("Empty", _EMPTY_SCHEMA, "This is a default empty schema model"),
            ("Error", _ERROR_SCHEMA, "This is a default error schema model"),
        )
    ]


def too_many_apis() -> LimitExceededException:
    """The account has as many APIs as it may have."""
    return LimitExceededException(
        f"Maximum number of REST APIs ({APIS_MAX}) for this account has been reached."
    )


async def _load_tree(
    tx: Transaction, scope: Scope, api_id: str
) -> tuple[list[Resource], list[Model]] | None:
    if await store.load_api(tx, scope, api_id) is None:
        return None
    return (
        await store.scan_resources(tx, scope, api_id),
        await store.scan_models(tx, scope, api_id),
    )


def _copied(
    ctx: Context, api: RestApi, resources: list[Resource], models: list[Model]
) -> tuple[list[Resource], list[Model]]:
    ids = {
        old.id: api.root_resource_id if old.parent_id is None else new_label(ctx.clock, 6)
        for old in resources
    }
    return [
        msgspec.structs.replace(
            old,
            api_id=api.id,
            id=ids[old.id],
            parent_id=ids[old.parent_id] if old.parent_id else None,
        )
        for old in resources
    ], [msgspec.structs.replace(old, api_id=api.id, id=new_label(ctx.clock, 6)) for old in models]


@operation("GetRestApi", action="GET", resource=at("/restapis/{restApiId}"))
async def get_rest_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one API."""
    api = await ctx.transact(store.load_api, request["restApiId"])
    if api is None:
        raise no_api(ctx.scope, request["restApiId"])
    return api_view(api)


@operation("GetRestApis", action="GET", resource=at("/restapis"))
async def get_rest_apis(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's APIs, a page at a time."""
    after, limit = page_of(request)
    found = await ctx.transact(store.scan_apis, after, limit + 1)
    return page([(api.id, api_view(api, with_tags=bool(api.tags))) for api in found], limit)


def page_of(request: Request) -> tuple[str | None, int]:
    """Where a listing goes on and how long a page is. Raises BadRequestException."""
    limit = request.get("limit") or PAGE_DEFAULT
    # AWS refuses none: one that makes no page is the usual, one beyond the largest is the largest.
    limit = PAGE_DEFAULT if limit < 1 else min(limit, PAGE_MAX)
    if not (position := request.get("position")):
        return None, limit
    try:
        return str(read_token(position)), limit
    except ValueError as cause:
        raise BadRequestException("Invalid position specified") from cause


def page(found: list[tuple[str, dict[str, Any]]], limit: int) -> dict[str, Any]:
    """One page from at most `limit` + 1 items with their ids."""
    answer: dict[str, Any] = {"items": [view for _, view in found[:limit]]}
    if len(found) > limit:
        answer["position"] = make_token(found[limit - 1][0])
    return answer


@operation("UpdateRestApi", action="PATCH", resource=at("/restapis/{restApiId}"))
async def update_rest_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an API's settings."""
    operations = request.get("patchOperations")

    async def update(tx: Transaction, scope: Scope) -> RestApi:
        api = await store.load_api(tx, scope, request["restApiId"])
        if api is None:
            raise no_api(scope, request["restApiId"])
        changed = patch_api(api, operations, scope)
        await store.APIS.save(tx, scope, changed)
        return changed

    return api_view(await ctx.transact(update))


@operation("DeleteRestApi", action="DELETE", resource=at("/restapis/{restApiId}"))
async def delete_rest_api(ctx: Context, request: Request) -> None:
    """Remove an API, its stages and its deployments."""
    api_id = request["restApiId"]

    async def delete(tx: Transaction, scope: Scope) -> bool:
        await check_unmapped(tx, scope, api_id)
        drop_documentation(tx, scope, api_id)
        return await store.drop_api(tx, scope, api_id)

    if not await ctx.transact(delete):
        raise no_api(ctx.scope, api_id)
