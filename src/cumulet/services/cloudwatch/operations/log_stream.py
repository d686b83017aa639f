"""Log streams: make, list, delete."""

from __future__ import annotations

from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    is_protected,
    no_group,
    no_stream,
)
from cumulet.services.cloudwatch.limits import DESCRIBE_MAX, EXPIRE_RECORDS
from cumulet.services.cloudwatch.model import Stream, stream_arn
from cumulet.services.cloudwatch.operations.log_group import (
    group_resource,
    name_of,
    read_position,
)

Request = dict[str, Any]


def stream_resource(ctx: Context, request: Request) -> str:
    """The stream that a request names, as IAM's resource."""
    return stream_arn(ctx.scope, request["logGroupName"], request["logStreamName"])


def identified_group(ctx: Context, request: Request) -> str:
    """The group of a request that may name it by identifier, as IAM's resource."""
    return group_resource(ctx, {"logGroupName": name_of(ctx, request)})


@operation("CreateLogStream", resource=group_resource)
async def create_log_stream(ctx: Context, request: Request) -> None:
    """Make a log stream."""
    name = request["logStreamName"]
    if ":" in name or "*" in name:
        raise InvalidParameterException(
            f"1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [^:*]*"
        )
    stream = Stream("", name, new_label(ctx.clock, 16), int(ctx.clock.now() * 1000))
    done = await ctx.transact(store.add_stream, request["logGroupName"], stream)
    if done is None:
        raise no_group()
    if not done:
        raise ResourceAlreadyExistsException("The specified log stream already exists")


@operation("DeleteLogStream", resource=stream_resource)
async def delete_log_stream(ctx: Context, request: Request) -> None:
    """Delete a log stream and its events."""
    group, name = request["logGroupName"], request["logStreamName"]
    done = store.Deletion.more
    while done is store.Deletion.more:
        done = await ctx.transact(store.drop_stream, group, name, EXPIRE_RECORDS)
    if done is store.Deletion.protected:
        raise is_protected()
    if done is not store.Deletion.done:
        raise no_group() if done is store.Deletion.no_group else no_stream()


@operation("DescribeLogStreams", resource=identified_group)
async def describe_log_streams(ctx: Context, request: Request) -> Request:
    """List the streams of a group, by name or by the time of their last event."""
    prefix, by_time = request.get("logStreamNamePrefix"), request.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit = request.get("limit", DESCRIBE_MAX)
    reverse = bool(request.get("descending", False))
    after = read_position(request.get("nextToken"))
    group_name = name_of(ctx, request)

    async def read(tx: Transaction, scope: Scope) -> list[Stream] | None:
        group = await store.GROUPS.load(tx, scope, group_name)
        if group is None:
            return None
        last = (group.uid, *after) if after else None
        if by_time:
            place = (*last[:2], group.uid, last[2]) if last else None
            return await store.STREAMS.lookup(
                tx, scope, "by_time", group.uid, after=place, limit=limit + 1, reverse=reverse
            )
        return await store.STREAMS.scan(
            tx, scope, group.uid, starts=prefix, after=last, limit=limit + 1, reverse=reverse
        )

    found = await ctx.transact(read)
    if found is None:
        raise no_group()
    answer: Request = {
        "logStreams": [_shown(ctx.scope, group_name, stream) for stream in found[:limit]]
    }
    if len(found) > limit:
        last = found[limit - 1]
        answer["nextToken"] = make_token([last.last_ms, last.name] if by_time else [last.name])
    return answer


def _shown(scope: Scope, group: str, stream: Stream) -> Request:
    shown: Request = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": stream_arn(scope, group, stream.name),
        "uploadSequenceToken": stream.uid,
        # CloudWatch has reported 0 here since 2019.
        "storedBytes": 0,
    }
    if stream.last_ms:
        shown["firstEventTimestamp"] = stream.first_ms
        shown["lastEventTimestamp"] = stream.last_ms
        shown["lastIngestionTime"] = stream.ingested_ms
    return shown
