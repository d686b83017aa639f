"""Tables: CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.ports import Contributors
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.limits import TABLE_NAMES_LISTED_MAX
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.store import tables as store
from cumulet.services.dynamodb.store.records import load_table, scan_tables
from cumulet.services.dynamodb.tables.changing import change_table
from cumulet.services.dynamodb.tables.describing import Counts, describe_deleted, load_counts
from cumulet.services.dynamodb.tables.describing import describe_table as shown
from cumulet.services.dynamodb.tables.insights.rules import rule_names
from cumulet.services.dynamodb.tables.making import Birth, make_table, refuse_members
from cumulet.services.dynamodb.tables.streaming import Fresh, stream_of
from cumulet.services.dynamodb.tables.views import place_of

Request = Mapping[str, Any]
DATA_BYTES = 8


def fresh_of(ctx: Context) -> Fresh:
    """The time and the place of a stream that may be made."""
    return Fresh(ctx.clock.now(), ctx.clock.random_bytes(DATA_BYTES))


@operation("CreateTable", resource=permissions.table, conditions=permissions.table_keys)
async def create_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a table."""
    account, region, name = place_of(ctx, request["TableName"])
    if account != ctx.scope.account:
        raise ValidationException("A table can only be made in the caller's own account")
    birth = Birth(
        new_uuid(ctx.clock), ctx.clock.random_bytes(DATA_BYTES), fresh_of(ctx), new_uuid(ctx.clock)
    )
    table = make_table(Scope(account, region), name, request, birth)
    stream = stream_of(table, birth.fresh.now) if table.stream_view else None
    if not await ctx.transact(store.create, table, stream):
        raise ResourceInUseException(f"Table already exists: {name}")
    return {"TableDescription": shown(table, {}, "CREATING")}


@operation(
    "DescribeTable",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def describe_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Show a table."""
    account, region, name = place_of(ctx, request["TableName"])
    found = await ctx.transact(_describe, (account, region, name))
    if found is None:
        raise no_such_table(name)
    return {"Table": shown(*found)}


async def _describe(
    tx: Transaction, scope: Scope, place: tuple[str, str, str]
) -> tuple[Table, Counts] | None:
    account, region, name = place
    return await store.describe(tx, Scope(account, region), name)


@operation("ListTables", resource=permissions.everything)
async def list_tables(ctx: Context, request: Request) -> dict[str, Any]:
    """The names of the account's tables, in pages."""
    limit = request.get("Limit") or TABLE_NAMES_LISTED_MAX
    found = await ctx.transact(_list, limit + 1, request.get("ExclusiveStartTableName"))
    names = [table.name for table in found]
    answer: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return answer


async def _list(tx: Transaction, scope: Scope, limit: int, after: str | None) -> list[Table]:
    return await scan_tables(tx, scope, limit=limit, after=after)


@operation(
    "UpdateTable",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def update_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Change capacity, stream, protection or global indexes of a table."""
    refuse_members(request)
    place = place_of(ctx, request["TableName"])
    contributors = ctx.need(Contributors)
    table, counts = await ctx.transact(_update, place, request, fresh_of(ctx), contributors)
    return {"TableDescription": shown(table, counts)}


async def _update(
    tx: Transaction,
    scope: Scope,
    place: tuple[str, str, str],
    request: Request,
    fresh: Fresh,
    contributors: Contributors,
) -> tuple[Table, Counts]:
    account, region, name = place
    old = await load_table(tx, Scope(account, region), name)
    if old is None:
        raise no_such_table(name)
    new, created, deleted = change_table(old, request, fresh)
    if deleted is not None and deleted.name in new.insights:
        gone = list(rule_names(old, deleted.name).values())
        await contributors.drop_rules(tx, old.scope, gone)
        left = {name: one for name, one in new.insights.items() if name != deleted.name}
        new = msgspec.structs.replace(new, insights=left)
    is_new_stream = new.stream_view and new.stream != old.stream
    stream = stream_of(new, fresh.now) if is_new_stream else None
    await store.replace(
        tx, old, new, created=created, deleted=deleted, stream=stream, now=fresh.now
    )
    return new, await load_counts(tx, new)


@operation(
    "DeleteTable",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def delete_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove a table with all its items."""
    place = place_of(ctx, request["TableName"])
    contributors = ctx.need(Contributors)
    table, counts = await ctx.transact(_delete, place, ctx.clock.now(), contributors)
    return {"TableDescription": describe_deleted(table, counts)}


async def _delete(
    tx: Transaction,
    scope: Scope,
    place: tuple[str, str, str],
    now: float,
    contributors: Contributors,
) -> tuple[Table, Counts]:
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise no_such_table(name)
    if table.filling or table.copies:
        raise ResourceInUseException(
            "Attempt to change a resource which is still in use: Table is being "
            f"{'created' if table.filling else 'copied'}: {name}"
        )
    if table.is_protected:
        raise ValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. Disable "
            "deletion protection first."
        )
    counts = await load_counts(tx, table)
    await store.remove(tx, table, now)
    for index in table.insights:
        await contributors.drop_rules(tx, table.scope, list(rule_names(table, index).values()))
    return table, counts


def no_such_table(name: str) -> ResourceNotFoundException:
    """The error of the table operations for a table that is not there."""
    return ResourceNotFoundException(f"Requested resource not found: Table: {name} not found")
