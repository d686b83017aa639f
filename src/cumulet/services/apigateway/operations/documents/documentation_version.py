"""Documentation versions: snapshots of an API's documentation, for its stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store as apis
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    NotFoundException,
    no_stage,
)
from cumulet.services.apigateway.model import shown
from cumulet.services.apigateway.openapi.documentation import store
from cumulet.services.apigateway.openapi.documentation.limits import VERSIONS_MAX
from cumulet.services.apigateway.openapi.documentation.model import Version
from cumulet.services.apigateway.operations.documents.documentation_part import need_api
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import ALL, Rule, apply_patches, listing

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/documentation/versions"
_ONE = _ALL + "/{documentationVersion}"
_LENGTH_MAX = 64


async def need_version(tx: Transaction, scope: Scope, api_id: str, name: str) -> Version:
    """The version. Raises NotFoundException."""
    await need_api(tx, scope, api_id)
    found = await store.VERSIONS.load(tx, scope, api_id, name)
    if found is None:
        raise NotFoundException("Invalid Documentation version specified")
    return found


async def _need(tx: Transaction, scope: Scope, request: Request) -> Version:
    return await need_version(tx, scope, request["restApiId"], request["documentationVersion"])


@operation("CreateDocumentationVersion", action="POST", resource=at(_ALL))
async def create_documentation_version(ctx: Context, request: Request) -> dict[str, Any]:
    """Keep the documentation as it is, and give it to a stage if one is named."""
    name = request["documentationVersion"]
    if not 1 <= len(name) <= _LENGTH_MAX:
        raise BadRequestException("Invalid documentation version specified.")
    made = Version(
        api_id=request["restApiId"],
        version=name,
        created_date=int(ctx.clock.now()),
        description=request.get("description"),
    )
    stage_name = request.get("stageName")

    async def create(tx: Transaction, scope: Scope) -> None:
        await need_api(tx, scope, made.api_id)
        versions = await store.scan_versions(tx, scope, made.api_id)
        if any(one.version == name for one in versions):
            raise ConflictException(f"Documentation version {name} already exists.")
        if len(versions) >= VERSIONS_MAX:
            raise LimitExceededException(
                f"Maximum number of documentation versions ({VERSIONS_MAX}) for this API has "
                "been reached."
            )
        if not await store.scan_parts(tx, scope, made.api_id):
            raise BadRequestException("There is nothing to document: the API has no parts.")
        if stage_name:
            stage = await apis.STAGES.load(tx, scope, made.api_id, stage_name)
            if stage is None:
                raise no_stage()
            await apis.STAGES.save(
                tx, scope, msgspec.structs.replace(stage, documentation_version=name)
            )
        await store.save_version(tx, scope, made)

    await ctx.transact(create)
    return shown(made)


@operation("GetDocumentationVersion", action="GET", resource=at(_ONE))
async def get_documentation_version(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one version."""
    return shown(await ctx.transact(_need, request))


@operation("GetDocumentationVersions", action="GET", resource=at(_ALL))
async def get_documentation_versions(ctx: Context, request: Request) -> dict[str, Any]:
    """List the versions of an API's documentation, a page at a time."""
    after, limit = page_of(request)

    async def scan(tx: Transaction, scope: Scope) -> list[Version]:
        await need_api(tx, scope, request["restApiId"])
        return await store.scan_versions(tx, scope, request["restApiId"])

    found = [one for one in await ctx.transact(scan) if after is None or one.version > after]
    return page([(one.version, shown(one)) for one in found[: limit + 1]], limit)


@operation("UpdateDocumentationVersion", action="PATCH", resource=at(_ONE))
async def update_documentation_version(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a version's description."""

    async def update(tx: Transaction, scope: Scope) -> Version:
        old = await _need(tx, scope, request)
        document = apply_patches(
            {"description": old.description or ""},
            request.get("patchOperations"),
            (Rule("/description", ALL),),
            listing,
        )
        new = msgspec.structs.replace(old, description=document.get("description") or None)
        await store.VERSIONS.save(tx, scope, new)
        return new

    return shown(await ctx.transact(update))


@operation("DeleteDocumentationVersion", action="DELETE", resource=at(_ONE))
async def delete_documentation_version(ctx: Context, request: Request) -> None:
    """Remove a version that no stage has."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await _need(tx, scope, request)
        for stage in await apis.scan_stages(tx, scope, found.api_id):
            if stage.documentation_version == found.version:
                raise BadRequestException(
                    f"Documentation version {found.version} is used by stage {stage.stage_name}."
                )
        await store.drop_version(tx, scope, found.api_id, found.version)

    await ctx.transact(delete)
