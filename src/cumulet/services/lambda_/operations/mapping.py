"""Event source mappings: make, change, list, remove."""

from __future__ import annotations

from collections.abc import Mapping as Given
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, AwsError
from cumulet.core.identity import root_principal
from cumulet.kit.service import operation
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.names import FunctionRef, parse_function
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.packages.intake import check_target
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.session import CANNOT_ASSUME, assume
from cumulet.services.lambda_.sources import store
from cumulet.services.lambda_.sources.model import Mapping
from cumulet.services.lambda_.sources.pollers import Pollers
from cumulet.services.lambda_.sources.rules import check_source, describe, with_settings

_PAGE_MAX = 100
_BATCH_SIZES = {"sqs": 10, "dynamodb": 100}
_NEEDED = {
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "dynamodb": ("DescribeStream", "GetShardIterator", "GetRecords"),
}
_ON_FAILURE = ("sqs", "sns", "s3")


def mapping_arn(ctx: Context, request: Given[str, Any]) -> str:
    """The mapping's ARN, for permission."""
    return ctx.scope.arn("lambda", f"event-source-mapping:{request['UUID']}")


def function_condition(ctx: Context, request: Given[str, Any]) -> dict[str, Any]:
    """The function that a mapping feeds, which policies may name.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    named = request.get("FunctionName")
    if not named:
        return {}
    return {"lambda:FunctionArn": parse_function(ctx.scope, named).arn}


@operation("CreateEventSourceMapping", conditions=function_condition)
async def create_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Let Lambda read a queue or stream and feed a function with it."""
    ref = parse_function(ctx.scope, request["FunctionName"])
    source = request.get("EventSourceArn") or ""
    service = check_source(source)
    now = ctx.clock.now()
    mapping = Mapping(
        new_uuid(ctx.clock),
        source,
        ref.name,
        ref.qualifier,
        now,
        _BATCH_SIZES[service],
        starting_position=_position(service, request),
        created_at=now,
        tags=dict(request.get("Tags") or {}),
    )
    mapping = with_settings(mapping, request)
    await _check_places(ctx, ref, mapping, service)
    other = await ctx.transact(store.insert, mapping)
    if other is not None:
        raise ResourceConflictException(
            'The event source arn (" '
            f'{source} ") and function (" {ref.name} ") provided mapping already exists. '
            f"Please update or delete the existing mapping with UUID {other.uuid}"
        )
    await ctx.need(Pollers).settle()
    return {"ResponseMetadata": {"HTTPStatusCode": 202}, **_shown(ctx, mapping, "Creating")}


def _position(service: str, request: Given[str, Any]) -> str:
    position = request.get("StartingPosition") or ""
    if service != "dynamodb":
        return position
    if not position:
        raise InvalidParameterValueException(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null."
        )
    if position == "AT_TIMESTAMP":
        raise InvalidParameterValueException(
            "Unsupported starting position for arn type: " + request["EventSourceArn"]
        )
    return position


async def _check_places(ctx: Context, ref: FunctionRef, mapping: Mapping, service: str) -> None:
    """Function and source must be there, and the execution role must be allowed to read."""
    entry = await ctx.need(Functions).live.find(ref)
    role = entry.version.settings.role
    await _check_rights(ctx, role, mapping.source_arn, service)
    account = ctx.acting_as(root_principal(ctx.scope.account), region=ctx.scope.region)
    try:
        if service == "sqs":
            await _check_queue(account, mapping, entry.version.settings.timeout_seconds)
        else:
            await account.call("dynamodbstreams", "DescribeStream", StreamArn=mapping.source_arn)
    except AwsError as error:
        if isinstance(error, InvalidParameterValueException):
            raise
        raise InvalidParameterValueException(
            "Error occurred while ReceiveMessage. SQS Error Code: "
            f"{error.code}. SQS Error Message: {error.message}"
            if service == "sqs"
            else f"Stream not found: {mapping.source_arn}"
        ) from error
    if mapping.on_failure:
        await check_target(ctx, role, mapping.on_failure, _ON_FAILURE)


async def _check_rights(ctx: Context, role: str, source: str, service: str) -> None:
    session = await assume(ctx, role, "lambda-source-check")
    if session.principal is None:
        raise AccessDenied(CANNOT_ASSUME)
    principal = ctx.acting_as(session.principal, region=ctx.scope.region)
    for action in _NEEDED[service]:
        try:
            await principal.authorize(f"{service}:{action}", source)
        except AccessDenied as cause:
            name = "SQS" if service == "sqs" else "DynamoDB"
            raise InvalidParameterValueException(
                f"The function execution role does not have permissions to call {action} on {name}"
            ) from cause


async def _check_queue(account: Context, mapping: Mapping, timeout_seconds: int) -> None:
    name = mapping.source_arn.rpartition(":")[2]
    owner = mapping.source_arn.split(":")[4]
    found = await account.call(
        "sqs",
        "GetQueueAttributes",
        QueueUrl=f"/{owner}/{name}",
        AttributeNames=["VisibilityTimeout"],
    )
    held = int(found["Attributes"]["VisibilityTimeout"])
    if held < timeout_seconds:
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {held} seconds is less than Function timeout: "
            f"{timeout_seconds} seconds"
        )


def _shown(ctx: Context, mapping: Mapping, state: str = "") -> dict[str, Any]:
    result = ctx.need(Pollers).result(ctx.scope, mapping.uuid)
    return describe(ctx.scope, mapping, result, state)


async def _load(ctx: Context, uuid: str) -> Mapping:
    mapping = await ctx.transact(store.load, uuid)
    if mapping is None:
        raise _missing()
    return mapping


def _missing() -> ResourceNotFoundException:
    return ResourceNotFoundException("The resource you requested does not exist.")


@operation("GetEventSourceMapping", resource=mapping_arn)
async def get_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a mapping."""
    return _shown(ctx, await _load(ctx, request["UUID"]))


@operation("ListEventSourceMappings", conditions=function_condition)
async def list_event_source_mappings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List mappings, of one function or source when asked to."""
    function = ""
    if request.get("FunctionName"):
        function = parse_function(ctx.scope, request["FunctionName"]).name
    most = min(request.get("MaxItems") or _PAGE_MAX, _PAGE_MAX)
    marker = read_marker(request)
    after = None if marker is None else (str(marker[0]),)
    source = request.get("EventSourceArn") or ""
    found = await ctx.transact(store.scan, function, source, most + 1, after)
    answer: dict[str, Any] = {"EventSourceMappings": [_shown(ctx, one) for one in found[:most]]}
    if len(found) > most:
        answer["NextMarker"] = write_marker(found[most - 1].uuid)
    return answer


@operation("UpdateEventSourceMapping", resource=mapping_arn, conditions=function_condition)
async def update_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change a mapping; what it has read so far stays read."""
    old = await _load(ctx, request["UUID"])
    mapping = with_settings(old, request)
    if request.get("FunctionName"):
        ref = parse_function(ctx.scope, request["FunctionName"])
        mapping = msgspec.structs.replace(mapping, function=ref.name, qualifier=ref.qualifier)
    mapping = msgspec.structs.replace(mapping, modified_at=ctx.clock.now())
    ref = FunctionRef(ctx.scope, mapping.function, mapping.qualifier)
    await _check_places(ctx, ref, mapping, check_source(mapping.source_arn))
    if not await ctx.transact(store.replace, mapping):
        raise _missing()
    await ctx.need(Pollers).settle()
    state = "Updating"
    if old.enabled != mapping.enabled:
        state = "Enabling" if mapping.enabled else "Disabling"
    return {"ResponseMetadata": {"HTTPStatusCode": 202}, **_shown(ctx, mapping, state)}


@operation("DeleteEventSourceMapping", resource=mapping_arn)
async def delete_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Stop reading, and forget how far it had been read."""
    gone = await ctx.transact(store.drop, request["UUID"])
    if gone is None:
        raise _missing()
    shown = _shown(ctx, gone, "Deleting")
    await ctx.need(Pollers).settle()
    return {"ResponseMetadata": {"HTTPStatusCode": 202}, **shown}
