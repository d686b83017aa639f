"""The tree of an API: its resources by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import (
    BadRequestException,
    no_api,
    no_resource,
)
from cumulet.services.apigateway.model import Resource, shown
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules import tree
from cumulet.services.apigateway.rules.names import at, check_path_part
from cumulet.services.apigateway.rules.patch import Rule, apply_patches, listing

Request = Mapping[str, Any]

_RULES = (Rule("/parentId"), Rule("/pathPart"))
_ONE = "/restapis/{restApiId}/resources/{resourceId}"


def resource_view(resource: Resource, embed: list[str] | None) -> dict[str, Any]:
    """A resource as AWS shows it: its methods by name only, unless they are asked for."""
    view = shown(resource)
    if "resourceMethods" in view and "methods" not in (embed or ()):
        view["resourceMethods"] = {name: {} for name in view["resourceMethods"]}
    return view


@operation(
    "CreateResource",
    action="POST",
    resource=at("/restapis/{restApiId}/resources/{parentId}"),
)
async def create_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a path part below a resource."""
    part = request["pathPart"]
    resource_id = new_label(ctx.clock, 6)

    async def create(tx: Transaction, scope: Scope) -> Resource:
        api_id = request["restApiId"]
        if await store.load_api(tx, scope, api_id) is None:
            raise no_api(scope, api_id)
        resources = await store.scan_resources(tx, scope, api_id)
        parent = next((node for node in resources if node.id == request["parentId"]), None)
        if parent is None:
            raise no_resource()
        check_path_part(part)
        tree.check_place(resources, parent, part)
        tree.check_room(len(resources) + 1)
        made = tree.child(parent, resource_id, part)
        await store.RESOURCES.save(tx, scope, made)
        return made

    return shown(await ctx.transact(create))


@operation("GetResource", action="GET", resource=at(_ONE))
async def get_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one resource."""
    found = await ctx.transact(store.load_resource, request["restApiId"], request["resourceId"])
    if found is None:
        raise no_resource()
    return resource_view(found, request.get("embed"))


@operation("GetResources", action="GET", resource=at("/restapis/{restApiId}/resources"))
async def get_resources(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's resources, a page at a time, by path."""
    after, limit = page_of(request)

    async def load(tx: Transaction, scope: Scope) -> list[Resource]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await store.scan_resources(tx, scope, request["restApiId"])

    found = sorted(await ctx.transact(load), key=lambda resource: resource.path)
    rest = [node for node in found if after is None or node.path > after]
    return page([(node.path, resource_view(node, request.get("embed"))) for node in rest], limit)


@operation("UpdateResource", action="PATCH", resource=at(_ONE))
async def update_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Rename a resource or move it, with all below it."""

    async def update(tx: Transaction, scope: Scope) -> Resource:
        resources = await store.scan_resources(tx, scope, request["restApiId"])
        node = next((one for one in resources if one.id == request["resourceId"]), None)
        if node is None:
            raise no_resource()
        document = apply_patches(
            msgspec.to_builtins(node), request.get("patchOperations"), _RULES, listing
        )
        part, parent_id = document.get("pathPart"), document.get("parentId")
        if node.parent_id is None:
            if part is not None:
                raise BadRequestException("Root resource cannot update its pathPart.")
            if parent_id is not None:
                raise BadRequestException("Root resource cannot update its parentId.")
            return node
        moved = tree.moved(resources, node, parent_id or "", part or "")
        for changed in moved:
            await store.RESOURCES.save(tx, scope, changed)
        return moved[0] if moved else node

    return resource_view(await ctx.transact(update), None)


@operation("DeleteResource", action="DELETE", resource=at(_ONE))
async def delete_resource(ctx: Context, request: Request) -> None:
    """Remove a resource and all below it."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        resources = await store.scan_resources(tx, scope, request["restApiId"])
        node = next((one for one in resources if one.id == request["resourceId"]), None)
        if node is None:
            raise no_resource()
        if node.parent_id is None:
            raise BadRequestException("Root resource cannot be deleted.")
        for gone in (node, *tree.below(resources, node)):
            await store.RESOURCES.drop(tx, scope, gone.api_id, gone.id)

    await ctx.transact(delete)
