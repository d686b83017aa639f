"""Documentation parts: create, list, change, delete, import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
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
    no_api,
    not_yet,
)
from cumulet.services.apigateway.model import shown
from cumulet.services.apigateway.openapi.document import parse_document
from cumulet.services.apigateway.openapi.documentation import store
from cumulet.services.apigateway.openapi.documentation.limits import PARTS_MAX
from cumulet.services.apigateway.openapi.documentation.model import Part
from cumulet.services.apigateway.openapi.documentation.rules import (
    Said,
    merged_properties,
    parse_location,
    parse_properties,
    read_parts,
)
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import Rule, apply_patches, listing

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/documentation/parts"
_ONE = _ALL + "/{documentationPartId}"


async def need_api(tx: Transaction, scope: Scope, api_id: str) -> None:
    """Raise NotFoundException unless the API is there."""
    if await apis.load_api(tx, scope, api_id) is None:
        raise no_api(scope, api_id)


async def _need(tx: Transaction, scope: Scope, request: Request) -> Part:
    """The part named; AWS says the same whether it or its API is missing."""
    found = await store.PARTS.load(tx, scope, request["restApiId"], request["documentationPartId"])
    if found is None:
        raise NotFoundException("Invalid Documentation part identifier specified")
    return found


@operation("CreateDocumentationPart", action="POST", resource=at(_ALL))
async def create_documentation_part(ctx: Context, request: Request) -> dict[str, Any]:
    """Document one part of an API."""
    made = Part(
        api_id=request["restApiId"],
        id=new_label(ctx.clock, 6),
        location=parse_location(request["location"]),
        properties=parse_properties(request["properties"]),
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        await need_api(tx, scope, made.api_id)
        parts = await store.scan_parts(tx, scope, made.api_id)
        if any(one.location == made.location for one in parts):
            raise ConflictException(
                "Documentation part already exists for the specified location: "
                f"type '{made.location.type}', path '{made.location.path or ''}', "
                f"name '{made.location.name or ''}'."
            )
        _check_room(len(parts) + 1)
        await store.PARTS.save(tx, scope, made)

    await ctx.transact(create)
    return shown(made)


def _check_room(count: int) -> None:
    if count > PARTS_MAX:
        raise LimitExceededException(
            f"Maximum number of documentation parts ({PARTS_MAX}) for this API has been reached."
        )


@operation("GetDocumentationPart", action="GET", resource=at(_ONE))
async def get_documentation_part(ctx: Context, request: Request) -> dict[str, Any]:
    """Show one documentation part."""
    return shown(await ctx.transact(_need, request))


@operation("GetDocumentationParts", action="GET", resource=at(_ALL))
async def get_documentation_parts(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's documentation parts, a page at a time."""
    if request.get("locationStatus") == "UNDOCUMENTED":
        raise not_yet("Listing what is not documented is")
    after, limit = page_of(request)

    async def scan(tx: Transaction, scope: Scope) -> list[Part]:
        await need_api(tx, scope, request["restApiId"])
        return await store.scan_parts(tx, scope, request["restApiId"])

    found = [one for one in await ctx.transact(scan) if _is_wanted(one, request)]
    left = [one for one in found if after is None or one.id > after]
    return page([(one.id, shown(one)) for one in left[: limit + 1]], limit)


def _is_wanted(part: Part, request: Request) -> bool:
    location = part.location
    return (
        request.get("type") in (None, location.type)
        and request.get("path") in (None, location.path)
        and (request.get("nameQuery") or "") in (location.name or "")
    )


@operation("UpdateDocumentationPart", action="PATCH", resource=at(_ONE))
async def update_documentation_part(ctx: Context, request: Request) -> dict[str, Any]:
    """Change what is said of a location."""

    async def update(tx: Transaction, scope: Scope) -> Part:
        old = await _need(tx, scope, request)
        document = apply_patches(
            {"properties": old.properties},
            request.get("patchOperations"),
            (Rule("/properties"),),
            listing,
        )
        new = msgspec.structs.replace(
            old, properties=parse_properties(document.get("properties") or "")
        )
        await store.PARTS.save(tx, scope, new)
        return new

    return shown(await ctx.transact(update))


@operation("DeleteDocumentationPart", action="DELETE", resource=at(_ONE))
async def delete_documentation_part(ctx: Context, request: Request) -> None:
    """Remove a documentation part."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        await need_api(tx, scope, request["restApiId"])
        found = await _need(tx, scope, request)
        await store.PARTS.drop(tx, scope, found.api_id, found.id)

    await ctx.transact(delete)


@operation("ImportDocumentationParts", action="PUT", resource=at(_ALL))
async def import_documentation_parts(ctx: Context, request: Request) -> dict[str, Any]:
    """Take the documentation of an OpenAPI document, over or into what is there."""
    try:
        document = parse_document(request["body"])
    except BadRequestException as cause:
        raise BadRequestException("Unable to build importer with provided input.") from cause
    said = read_parts(document.root)
    if not said:
        raise BadRequestException("The document has no documentation parts.")
    overwrite = (request.get("mode") or "merge") == "overwrite"
    ids = [new_label(ctx.clock, 6) for _ in said]

    async def put(tx: Transaction, scope: Scope) -> list[str]:
        await need_api(tx, scope, request["restApiId"])
        next_id = iter(ids).__next__
        return await write_documentation(tx, scope, request["restApiId"], said, next_id, overwrite)

    return {"ids": await ctx.transact(put)}


async def write_documentation(
    tx: Transaction,
    scope: Scope,
    api_id: str,
    said: list[Said],
    next_id: Callable[[], str],
    overwrite: bool,
) -> list[str]:
    """Write what a document says; the ids of its parts. What is there stays unless overwritten."""
    existing = {one.location: one for one in await store.scan_parts(tx, scope, api_id)}
    given = {location for location, _ in said}
    kept = {} if overwrite else existing
    _check_room(len(kept.keys() | given))
    for location, old in existing.items():
        if overwrite and location not in given:
            await store.PARTS.drop(tx, scope, api_id, old.id)
    ids = []
    for location, properties in said:
        known = existing.get(location)
        if known is not None and not overwrite:
            properties = merged_properties(known.properties, properties)
        part = Part(
            api_id=api_id,
            id=known.id if known is not None else next_id(),
            location=location,
            properties=properties,
        )
        await store.PARTS.save(tx, scope, part)
        ids.append(part.id)
    return ids
