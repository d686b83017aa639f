"""What belongs to a table besides its items: expiry, tags, its policy, and the account's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    PolicyNotFoundException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.model import Expiry, Table
from cumulet.services.dynamodb.operations.table import no_such_table
from cumulet.services.dynamodb.store.records import drop_data, load_table, save_table
from cumulet.services.dynamodb.store.tables import start_build
from cumulet.services.dynamodb.tables.policies import check_policy
from cumulet.services.dynamodb.tables.tagging import check_count, read_tags
from cumulet.services.dynamodb.tables.views import arn_place, need_table, place_of

Request = Mapping[str, Any]
Place = tuple[str, str, str]

ACCOUNT_UNITS = 80_000
TABLE_UNITS = 40_000


async def _change(
    tx: Transaction, scope: Scope, place: Place, change: Callable[[Table], Table]
) -> Table:
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise ResourceNotFoundException(f"Requested resource not found: Table: {name} not found")
    new = change(table)
    await save_table(tx, new)
    return new


@operation(
    "UpdateTimeToLive",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def update_time_to_live(ctx: Context, request: Request) -> dict[str, Any]:
    """Let items expire at the time in one of their attributes, or no longer."""
    given = request["TimeToLiveSpecification"]
    place = place_of(ctx, request["TableName"])
    await ctx.transact(_set_expiry, place, given["Enabled"], given["AttributeName"])
    return {"TimeToLiveSpecification": dict(given)}


async def _set_expiry(
    tx: Transaction, scope: Scope, place: Place, enabled: bool, attribute: str
) -> None:
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise no_such_table(name)
    old = table.expiry
    if enabled:
        if old is not None:
            raise ValidationException(
                "TimeToLive is already enabled"
                if old.attribute == attribute
                else f"TimeToLive is active on a different AttributeName: current AttributeName "
                f"is {old.attribute}"
            )
        expiry = Expiry(attribute, table.next_number)
        new = msgspec.structs.replace(table, expiry=expiry, next_number=table.next_number + 1)
        await save_table(tx, new)
        await start_build(tx, new, expiry.number)
        return
    if old is None:
        raise ValidationException("TimeToLive is already disabled")
    if old.attribute != attribute:
        raise ValidationException(
            "TimeToLive is active on a different AttributeName: current AttributeName is "
            f"{old.attribute}"
        )
    await save_table(tx, msgspec.structs.replace(table, expiry=None))
    drop_data(tx, table, old.number)


@operation(
    "DescribeTimeToLive",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def describe_time_to_live(ctx: Context, request: Request) -> dict[str, Any]:
    """Whether and by what attribute a table's items expire."""
    expiry = (await need_table(ctx, request["TableName"])).record.expiry
    if expiry is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    shown = {"TimeToLiveStatus": "ENABLED", "AttributeName": expiry.attribute}
    return {"TimeToLiveDescription": shown}


@operation(
    "TagResource",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add tags to a table."""
    tags = read_tags(request["Tags"])
    if not tags:
        raise ValidationException(
            "One or more parameter values were invalid: Tags must not be empty"
        )

    def change(table: Table) -> Table:
        return msgspec.structs.replace(table, tags=check_count({**table.tags, **tags}))

    await ctx.transact(_change, arn_place(ctx, request["ResourceArn"]), change)
    return {}


@operation(
    "UntagResource",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def untag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Take tags off a table."""
    gone = set(request["TagKeys"])

    def change(table: Table) -> Table:
        tags = {name: value for name, value in table.tags.items() if name not in gone}
        return msgspec.structs.replace(table, tags=tags)

    await ctx.transact(_change, arn_place(ctx, request["ResourceArn"]), change)
    return {}


@operation(
    "ListTagsOfResource",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def list_tags_of_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of a table."""
    account, region, name = arn_place(ctx, request["ResourceArn"])
    table = await ctx.transact(_load, (account, region, name))
    tags = table.tags.items()
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags]}


async def _load(tx: Transaction, scope: Scope, place: Place) -> Table:
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise ResourceNotFoundException(
            "Requested resource not found: ResourcArn: "
            f"arn:aws:dynamodb:{region}:{account}:table/{name} not found"
        )
    return table


@operation(
    "PutResourcePolicy",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def put_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    """Attach a resource-based policy to a table."""
    place = arn_place(ctx, request["ResourceArn"])
    revision = new_uuid(ctx.clock)

    def change(table: Table) -> Table:
        check_policy(request["Policy"], table.arn)
        expected = request.get("ExpectedRevisionId")
        if expected is not None and expected != (table.policy_revision or "NO_POLICY"):
            raise PolicyNotFoundException(
                f"Resource-based policy not found for the provided ResourceArn: {table.arn}"
            )
        return msgspec.structs.replace(table, policy=request["Policy"], policy_revision=revision)

    await ctx.transact(_change, place, change)
    return {"RevisionId": revision}


@operation(
    "GetResourcePolicy",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def get_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    """The resource-based policy of a table."""
    table = await ctx.transact(_load, arn_place(ctx, request["ResourceArn"]))
    if not table.policy:
        raise PolicyNotFoundException(
            f"Resource-based policy not found for the provided ResourceArn: {table.arn}"
        )
    return {"Policy": table.policy, "RevisionId": table.policy_revision}


@operation(
    "DeleteResourcePolicy",
    resource=permissions.arn_given,
    resource_policy=permissions.policy_of_resource,
    conditions=permissions.table_keys,
)
async def delete_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    """Take a table's resource-based policy away."""
    place = arn_place(ctx, request["ResourceArn"])
    table = await ctx.transact(_load, place)
    expected = request.get("ExpectedRevisionId")

    def change(table: Table) -> Table:
        if expected is not None and expected != table.policy_revision:
            raise PolicyNotFoundException(
                f"Resource-based policy not found for the provided ResourceArn: {table.arn}"
            )
        return msgspec.structs.replace(table, policy="", policy_revision="")

    await ctx.transact(_change, place, change)
    return {"RevisionId": table.policy_revision} if table.policy_revision else {}


@operation("DescribeLimits", resource=permissions.everything)
async def describe_limits(ctx: Context, request: Request) -> dict[str, Any]:
    """The capacity that an account and a table may have, as AWS grants at first."""
    return {
        "AccountMaxReadCapacityUnits": ACCOUNT_UNITS,
        "AccountMaxWriteCapacityUnits": ACCOUNT_UNITS,
        "TableMaxReadCapacityUnits": TABLE_UNITS,
        "TableMaxWriteCapacityUnits": TABLE_UNITS,
    }


@operation("DescribeEndpoints", resource=permissions.everything)
async def describe_endpoints(ctx: Context, request: Request) -> dict[str, Any]:
    """Where this cloud answers."""
    host = urlsplit(ctx.endpoint).netloc
    if ctx.request is not None:
        host = ctx.request.headers.get("host") or host
    return {"Endpoints": [{"Address": host, "CachePeriodInMinutes": 1440}]}
