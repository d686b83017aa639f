"""Archives: make, describe, change, list, delete.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.archives.model import Archive, archive_arn, bus_of
from cumulet.services.events.archives.store import ARCHIVES, drop_archive, read_totals
from cumulet.services.events.errors import (
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.events.hall import find_bus
from cumulet.services.events.limits import ARCHIVES_MAX
from cumulet.services.events.model import bus_named
from cumulet.services.events.operations.bus import page_of
from cumulet.services.events.operations.rule import check_pattern

Request = dict[str, Any]


def _resource(ctx: Context, request: Request) -> str:
    return archive_arn(ctx.scope, request["ArchiveName"])


def no_archive(name: str) -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException(f"Archive {name} does not exist.")


def _refuse_keys(request: Request) -> None:
    if request.get("KmsKeyIdentifier"):
        raise ValidationException("KmsKeyIdentifier is not supported by Cumulet.")


@operation("CreateArchive", resource=_resource)
async def create_archive(ctx: Context, request: Request) -> dict[str, Any]:
    """Keep the events of a bus from now on, all of them or those that match a pattern."""
    _refuse_keys(request)
    pattern = request.get("EventPattern") or ""
    if pattern:
        check_pattern(pattern)
    named, _ = await find_bus(ctx, request["EventSourceArn"])
    if named.scope != ctx.scope:
        raise ValidationException(
            "Parameter EventSourceArn is not valid. Reason: it is of another account or region."
        )
    now = ctx.clock.now()
    made = Archive(
        request["ArchiveName"],
        new_uuid(ctx.clock),
        named.name,
        now,
        request.get("Description") or "",
        pattern,
        request.get("RetentionDays") or 0,
    )

    async def insert(tx: Transaction, scope: Scope) -> str:
        if await ARCHIVES.load(tx, scope, made.name) is not None:
            return "there"
        if len(await ARCHIVES.scan(tx, scope, limit=ARCHIVES_MAX)) >= ARCHIVES_MAX:
            return "full"
        await ARCHIVES.save(tx, scope, made)
        return ""

    outcome = await ctx.transact(insert)
    if outcome == "there":
        raise ResourceAlreadyExistsException(f"Archive {made.name} already exists.")
    if outcome == "full":
        raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
    return _told(ctx, made)


def _told(ctx: Context, archive: Archive) -> dict[str, Any]:
    return {
        "ArchiveArn": archive_arn(ctx.scope, archive.name),
        "State": "ENABLED",
        "CreationTime": archive.created_at,
    }


@operation("UpdateArchive", resource=_resource)
async def update_archive(ctx: Context, request: Request) -> dict[str, Any]:
    """Change what an archive keeps, and for how long; what is not given stays."""
    _refuse_keys(request)
    if request.get("EventPattern"):
        check_pattern(request["EventPattern"])
    members = (("description", "Description"), ("pattern", "EventPattern"))
    changes = {field: request[name] for field, name in members if name in request}
    if "RetentionDays" in request:
        changes["days"] = request["RetentionDays"]

    async def change(tx: Transaction, scope: Scope) -> Archive | None:
        found = await ARCHIVES.load(tx, scope, request["ArchiveName"])
        if found is None:
            return None
        changed = msgspec.structs.replace(found, **changes)
        await ARCHIVES.save(tx, scope, changed)
        return changed

    changed = await ctx.transact(change)
    if changed is None:
        raise no_archive(request["ArchiveName"])
    return _told(ctx, changed)


@operation("DeleteArchive", resource=_resource)
async def delete_archive(ctx: Context, request: Request) -> None:
    """Delete an archive and what is in it."""

    async def drop(tx: Transaction, scope: Scope) -> bool:
        found = await ARCHIVES.load(tx, scope, request["ArchiveName"])
        if found is not None:
            await drop_archive(tx, scope, found)
        return found is not None

    if not await ctx.transact(drop):
        raise no_archive(request["ArchiveName"])


def _shown(ctx: Context, archive: Archive, totals: tuple[int, int]) -> dict[str, Any]:
    return {
        "ArchiveName": archive.name,
        "EventSourceArn": bus_of(ctx.scope, archive).arn,
        "State": "ENABLED",
        "RetentionDays": archive.days,
        "EventCount": totals[0],
        "SizeBytes": totals[1],
        "CreationTime": archive.created_at,
    }


@operation("DescribeArchive", resource=_resource)
async def describe_archive(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of an archive, and how much is in it."""

    async def read(tx: Transaction, scope: Scope) -> tuple[Archive, tuple[int, int]] | None:
        found = await ARCHIVES.load(tx, scope, request["ArchiveName"])
        return None if found is None else (found, await read_totals(tx, scope, found.uid))

    found = await ctx.transact(read)
    if found is None:
        raise no_archive(request["ArchiveName"])
    archive, totals = found
    shown = _shown(ctx, archive, totals)
    shown["ArchiveArn"] = archive_arn(ctx.scope, archive.name)
    if archive.description:
        shown["Description"] = archive.description
    if archive.pattern:
        shown["EventPattern"] = archive.pattern
    return shown


def one_filter(request: Request, operation: str) -> None:
    """Raises ValidationException when a list is filtered by more than one thing."""
    if sum(bool(request.get(name)) for name in ("NamePrefix", "EventSourceArn", "State")) > 1:
        raise ValidationException(
            f"At most one filter is allowed for {operation}. "
            "Use either : State, EventSourceArn, or NamePrefix."
        )


@operation("ListArchives")
async def list_archives(ctx: Context, request: Request) -> dict[str, Any]:
    """The account's archives in this region, by name."""
    one_filter(request, "ListArchives")
    most, after = page_of(request)
    prefix, source = request.get("NamePrefix") or "", request.get("EventSourceArn")
    wanted_bus = bus_named(ctx.scope, source).name if source else ""

    async def read(tx: Transaction, scope: Scope) -> list[tuple[Archive, tuple[int, int]]]:
        found = await ARCHIVES.scan(tx, scope, limit=ARCHIVES_MAX)
        return [(one, await read_totals(tx, scope, one.uid)) for one in found]

    found = [
        (archive, totals)
        for archive, totals in await ctx.transact(read)
        if archive.name.startswith(prefix)
        and (not wanted_bus or archive.bus == wanted_bus)
        and request.get("State") in (None, "ENABLED")
        and (not after or archive.name > after[-1])
    ]
    answer: dict[str, Any] = {"Archives": [_shown(ctx, *one) for one in found[:most]]}
    if len(found) > most:
        answer["NextToken"] = make_token([found[most - 1][0].name])
    return answer
