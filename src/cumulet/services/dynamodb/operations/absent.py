"""What there is none of here: Kinesis destinations, tables of many regions.

What only shows them says so; what would make them is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    GlobalTableNotFoundException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.tables.schema import WRONG
from cumulet.services.dynamodb.tables.views import need_table

Request = Mapping[str, Any]
_NO_KINESIS = "there is no Kinesis in Cumulet: use the table's stream"
_NO_REPLICAS = "there are no global tables in Cumulet: use AWS::DynamoDB::Table or CreateTable"


def _global_table(ctx: Context, request: Request) -> str:
    name = request["GlobalTableName"]
    return ctx.scope.global_arn("dynamodb", f"global-table/{name}")


@operation(
    "DescribeKinesisStreamingDestination",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def describe_kinesis_streaming_destination(ctx: Context, request: Request) -> dict[str, Any]:
    """The streams of Kinesis that a table's changes go to: none, as there is no Kinesis here."""
    view = await need_table(ctx, request["TableName"])
    return {"TableName": view.record.name, "KinesisDataStreamDestinations": []}


async def _refuse_kinesis(ctx: Context, request: Request) -> dict[str, Any]:
    await need_table(ctx, request["TableName"])
    raise ValidationException(f"{WRONG}StreamArn: {_NO_KINESIS}")


@operation(
    "EnableKinesisStreamingDestination",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def enable_kinesis_streaming_destination(ctx: Context, request: Request) -> dict[str, Any]:
    """Refused: there is no Kinesis."""
    return await _refuse_kinesis(ctx, request)


@operation(
    "UpdateKinesisStreamingDestination",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def update_kinesis_streaming_destination(ctx: Context, request: Request) -> dict[str, Any]:
    """Refused: there is no Kinesis."""
    return await _refuse_kinesis(ctx, request)


@operation(
    "DisableKinesisStreamingDestination",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def disable_kinesis_streaming_destination(ctx: Context, request: Request) -> dict[str, Any]:
    """Not found: no table has such a destination."""
    view = await need_table(ctx, request["TableName"])
    raise ResourceNotFoundException(
        f"Table {view.record.name} has no Kinesis streaming destination: {_NO_KINESIS}"
    )


@operation("CreateGlobalTable", resource=_global_table)
async def create_global_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Refused: there is one region at a time."""
    raise ValidationException(f"{WRONG}ReplicationGroup: {_NO_REPLICAS}")


@operation("ListGlobalTables", resource=permissions.everything)
async def list_global_tables(ctx: Context, request: Request) -> dict[str, Any]:
    """The global tables: none."""
    return {"GlobalTables": []}


def _no_global_table(request: Request) -> GlobalTableNotFoundException:
    name = request["GlobalTableName"]
    return GlobalTableNotFoundException(f"Global table not found: {name}: {_NO_REPLICAS}")


@operation("DescribeGlobalTable", resource=_global_table)
async def describe_global_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Not found: there are none."""
    raise _no_global_table(request)


@operation("DescribeGlobalTableSettings", resource=_global_table)
async def describe_global_table_settings(ctx: Context, request: Request) -> dict[str, Any]:
    """Not found: there are none."""
    raise _no_global_table(request)


@operation("UpdateGlobalTable", resource=_global_table)
async def update_global_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Not found: there are none."""
    raise _no_global_table(request)


@operation("UpdateGlobalTableSettings", resource=_global_table)
async def update_global_table_settings(ctx: Context, request: Request) -> dict[str, Any]:
    """Not found: there are none."""
    raise _no_global_table(request)
