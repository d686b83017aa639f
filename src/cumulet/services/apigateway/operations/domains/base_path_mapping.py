"""Base path mappings: which stage of which REST API a domain's path leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.changes import need_domain
from cumulet.services.apigateway.admission.domains.mappings import protocol_of, put_mapping
from cumulet.services.apigateway.admission.domains.model import ApiMapping
from cumulet.services.apigateway.admission.domains.rules import EMPTY_PATH, parse_base_path
from cumulet.services.apigateway.admission.domains.views import first_mapping
from cumulet.services.apigateway.errors import NotFoundException
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import Rule, apply_patches, terse

Request = Mapping[str, Any]

_MAPPINGS = at("/domainnames/{domainName}/basepathmappings")
_MAPPING = at("/domainnames/{domainName}/basepathmappings/{basePath}")


@operation("CreateBasePathMapping", action="POST", resource=_MAPPINGS)
async def create_base_path_mapping(ctx: Context, request: Request) -> dict[str, Any]:
    """Let a base path of a domain lead to a stage, or to an API whose stage the path names."""
    key, stage = parse_base_path(request.get("basePath")), _stage(request.get("stage"))
    mapping_id, api_id = new_label(ctx.clock, 6), request["restApiId"]

    async def create(tx: Transaction, scope: Scope) -> ApiMapping:
        domain = await need_domain(tx, scope, request["domainName"])
        kind = await protocol_of(tx, scope, api_id, stage, only_rest=True)
        made = ApiMapping(
            domain=domain.name, key=key, id=mapping_id, api_id=api_id, protocol=kind, stage=stage
        )
        await put_mapping(tx, scope, domain, None, made)
        return made

    return first_mapping(await ctx.transact(create))


def _stage(given: str | None) -> str | None:
    return None if given in (None, "", EMPTY_PATH) else given


def _no_mapping() -> NotFoundException:
    return NotFoundException("Invalid base path mapping identifier specified")


async def _need(tx: Transaction, scope: Scope, request: Request) -> ApiMapping:
    domain = await need_domain(tx, scope, request["domainName"])
    path = request["basePath"]
    found = await store.load_mapping(tx, scope, domain.name, "" if path == EMPTY_PATH else path)
    if found is None:
        raise _no_mapping()
    return found


@operation("GetBasePathMapping", action="GET", resource=_MAPPING)
async def get_base_path_mapping(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one mapping."""
    return first_mapping(await ctx.transact(_need, request))


@operation("GetBasePathMappings", action="GET", resource=_MAPPINGS)
async def get_base_path_mappings(ctx: Context, request: Request) -> dict[str, Any]:
    """List a domain's mappings, a page at a time."""
    after, limit = page_of(request)

    async def scan(tx: Transaction, scope: Scope) -> list[ApiMapping]:
        domain = await need_domain(tx, scope, request["domainName"])
        return await store.scan_mappings(tx, scope, domain.name)

    found = [one for one in await ctx.transact(scan) if after is None or one.key > after]
    return page([(one.key, first_mapping(one)) for one in found[: limit + 1]], limit)


@operation("UpdateBasePathMapping", action="PATCH", resource=_MAPPING)
async def update_base_path_mapping(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a mapping's base path, API or stage."""
    operations = request.get("patchOperations")

    async def update(tx: Transaction, scope: Scope) -> ApiMapping:
        old = await _need(tx, scope, request)
        domain = await need_domain(tx, scope, request["domainName"])
        document = {"basePath": old.key, "restapiId": old.api_id, "stage": old.stage or ""}
        document = apply_patches(document, operations, _RULES, terse)
        if "restApiId" in document:
            document["restapiId"] = document["restApiId"]
        api_id, stage = document.get("restapiId", ""), _stage(document.get("stage"))
        key = document.get("basePath") or ""
        new = msgspec.structs.replace(
            old,
            key=old.key if key == old.key else parse_base_path(key),
            api_id=api_id,
            stage=stage,
            protocol=await protocol_of(tx, scope, api_id, stage, only_rest=True),
        )
        await put_mapping(tx, scope, domain, old, new)
        return new

    return first_mapping(await ctx.transact(update))


_RULES = (Rule("/basePath"), Rule("/restapiId"), Rule("/restApiId"), Rule("/stage"))


@operation("DeleteBasePathMapping", action="DELETE", resource=_MAPPING)
async def delete_base_path_mapping(ctx: Context, request: Request) -> None:
    """Remove a mapping."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        old = await _need(tx, scope, request)
        domain = await need_domain(tx, scope, request["domainName"])
        await store.drop_mapping(tx, scope, domain, old.key)

    await ctx.transact(delete)
