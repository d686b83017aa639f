"""Log groups: make, list, delete, retention, tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    TooManyTagsException,
    is_protected,
    no_group,
)
from cumulet.services.cloudwatch.limits import DESCRIBE_MAX, RETENTION_DAYS, TAGS_MAX
from cumulet.services.cloudwatch.model import Group, group_arn

Request = dict[str, Any]

_ALIKE = ("INFREQUENT_ACCESS", "ESSENTIALS")
"""Classes that are listed together."""


def group_resource(ctx: Context, request: Request) -> str:
    """The group that a request names, as IAM's resource."""
    return group_arn(ctx.scope, request.get("logGroupName") or "*")


def tagged_resource(ctx: Context, request: Request) -> str:
    """The group whose ARN a tagging request names."""
    return str(request["resourceArn"])


@operation("CreateLogGroup", resource=group_resource)
async def create_log_group(ctx: Context, request: Request) -> None:
    """Make a log group."""
    if request.get("kmsKeyId"):
        raise InvalidParameterException("KMS keys are not supported by Cumulet yet.")
    group = Group(
        request["logGroupName"],
        new_label(ctx.clock, 16),
        int(ctx.clock.now() * 1000),
        tags=dict(request.get("tags") or {}),
        log_class=request.get("logGroupClass", "STANDARD"),
        is_protected=bool(request.get("deletionProtectionEnabled")),
    )

    async def insert(tx: Transaction, scope: Scope) -> bool:
        return await store.GROUPS.insert(tx, scope, group)

    if not await ctx.transact(insert):
        raise ResourceAlreadyExistsException("The specified log group already exists")


@operation("DeleteLogGroup", resource=group_resource)
async def delete_log_group(ctx: Context, request: Request) -> None:
    """Delete a log group with its streams and events."""
    done = await ctx.transact(store.drop_group, request["logGroupName"])
    if done is not store.Deletion.done:
        raise is_protected() if done is store.Deletion.protected else no_group()


@operation(
    "PutLogGroupDeletionProtection",
    resource=lambda ctx, r: group_resource(ctx, {"logGroupName": name_of(ctx, r)}),
)
async def put_log_group_deletion_protection(ctx: Context, request: Request) -> None:
    """Say whether the group and its streams may be deleted."""
    await _change(ctx, name_of(ctx, request), is_protected=request["deletionProtectionEnabled"])


@operation("DescribeLogGroups", resource=group_resource)
async def describe_log_groups(ctx: Context, request: Request) -> Request:
    """List log groups by name."""
    prefix = request.get("logGroupNamePrefix")
    if prefix and request.get("logGroupNamePattern"):
        raise InvalidParameterException(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    if request.get("includeLinkedAccounts"):
        raise InvalidParameterException("Linked accounts are not supported by Cumulet.")
    limit = request.get("limit", DESCRIBE_MAX)
    after = read_position(request.get("nextToken"))
    is_wanted = _wanted(ctx, request)

    async def read(tx: Transaction, scope: Scope) -> list[tuple[Group, int, int]]:
        found: list[Group] = []
        last: tuple[Any, ...] | None = tuple(after) if after else None
        while len(found) <= limit:
            page = await store.GROUPS.scan(
                tx, scope, starts=prefix or None, after=last, limit=DESCRIBE_MAX
            )
            found.extend(group for group in page if is_wanted(group))
            if len(page) < DESCRIBE_MAX:
                break
            last = (page[-1].name,)
        return [
            (
                group,
                await store.load_stored_bytes(tx, scope, group),
                len(await store.load_metric_filters(tx, scope, group.uid)),
            )
            for group in found[: limit + 1]
        ]

    found = await ctx.transact(read)
    answer: Request = {"logGroups": [_shown(ctx.scope, *one) for one in found[:limit]]}
    if len(found) > limit:
        answer["nextToken"] = make_token([found[limit - 1][0].name])
    return answer


def _wanted(ctx: Context, request: Request) -> Callable[[Group], bool]:
    pattern, of_class = request.get("logGroupNamePattern") or "", request.get("logGroupClass")
    classes = _ALIKE if of_class in _ALIKE else (of_class,)
    identifiers = request.get("logGroupIdentifiers")
    names = {name_of(ctx, {"logGroupIdentifier": one}) for one in identifiers or ()}

    def is_wanted(group: Group) -> bool:
        return (
            pattern in group.name
            and (of_class is None or group.log_class in classes)
            and (identifiers is None or group.name in names)
        )

    return is_wanted


@operation("PutRetentionPolicy", resource=group_resource)
async def put_retention_policy(ctx: Context, request: Request) -> None:
    """Say after how many days events are removed."""
    days = request["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(str(one) for one in sorted(RETENTION_DAYS))
        raise InvalidParameterException(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{allowed}]"
        )
    await _change(ctx, request["logGroupName"], retention_days=days)


@operation("DeleteRetentionPolicy", resource=group_resource)
async def delete_retention_policy(ctx: Context, request: Request) -> None:
    """Keep events for ever."""
    await _change(ctx, request["logGroupName"], retention_days=0)


@operation("TagResource", resource=tagged_resource)
async def tag_resource(ctx: Context, request: Request) -> None:
    """Add tags to a log group, by ARN."""
    await _tag(ctx, _tagged(ctx, request), request["tags"], [])


@operation("UntagResource", resource=tagged_resource)
async def untag_resource(ctx: Context, request: Request) -> None:
    """Remove tags from a log group, by ARN."""
    await _tag(ctx, _tagged(ctx, request), {}, request["tagKeys"])


@operation("ListTagsForResource", resource=tagged_resource)
async def list_tags_for_resource(ctx: Context, request: Request) -> Request:
    """The tags of a log group, by ARN."""
    return {"tags": (await _load(ctx, _tagged(ctx, request))).tags}


@operation("TagLogGroup", resource=group_resource)
async def tag_log_group(ctx: Context, request: Request) -> None:
    """Add tags to a log group, by name (the older operation)."""
    await _tag(ctx, request["logGroupName"], request["tags"], [])


@operation("UntagLogGroup", resource=group_resource)
async def untag_log_group(ctx: Context, request: Request) -> None:
    """Remove tags from a log group, by name (the older operation)."""
    await _tag(ctx, request["logGroupName"], {}, request["tags"])


@operation("ListTagsLogGroup", resource=group_resource)
async def list_tags_log_group(ctx: Context, request: Request) -> Request:
    """The tags of a log group, by name (the older operation)."""
    return {"tags": (await _load(ctx, request["logGroupName"])).tags}


def name_of(ctx: Context, request: Request) -> str:
    """The group's name, given as `logGroupName`, or as name or ARN in `logGroupIdentifier`.

    Raises InvalidParameterException, and ResourceNotFoundException for groups of other accounts.
    """
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        raise InvalidParameterException(
            "LogGroup name and LogGroup ARN are mutually exclusive parameters."
        )
    if not name and not identifier:
        raise InvalidParameterException(
            "logGroupName or logGroupIdentifier must be specified in the request."
        )
    given = str(name or identifier)
    if not given.startswith("arn:"):
        return given
    arn = parse_arn(given)
    if arn is None or arn.service != "logs" or not arn.resource.startswith("log-group:"):
        raise InvalidParameterException(f"Invalid log group identifier: {given}")
    if Scope(arn.account, arn.region) != ctx.scope:
        raise no_group()
    return arn.resource.removeprefix("log-group:").removesuffix(":*")


def read_position(token: str | None) -> Any:
    """Where a page goes on. Raises InvalidParameterException for a token that is not ours."""
    if not token:
        return None
    try:
        return read_token(token)
    except ValueError:
        raise InvalidParameterException("The specified nextToken is invalid.") from None


async def _load(ctx: Context, name: str) -> Group:
    group = await ctx.transact(store.load_group, name)
    if group is None:
        raise no_group()
    return group


async def _change(ctx: Context, name: str, **changes: Any) -> None:
    async def change(tx: Transaction, scope: Scope) -> bool:
        group = await store.GROUPS.load(tx, scope, name)
        if group is None:
            return False
        await store.GROUPS.save(tx, scope, msgspec.structs.replace(group, **changes))
        return True

    if not await ctx.transact(change):
        raise no_group()


async def _tag(ctx: Context, name: str, added: dict[str, str], removed: list[str]) -> None:
    async def change(tx: Transaction, scope: Scope) -> bool | None:
        group = await store.GROUPS.load(tx, scope, name)
        if group is None:
            return None
        tags = {key: v for key, v in (group.tags | added).items() if key not in removed}
        if len(tags) > TAGS_MAX:
            return False
        await store.GROUPS.save(tx, scope, msgspec.structs.replace(group, tags=tags))
        return True

    done = await ctx.transact(change)
    if done is None:
        raise no_group()
    if not done:
        raise TooManyTagsException(f"The resource can have at most {TAGS_MAX} tags.")


def _tagged(ctx: Context, request: Request) -> str:
    if parse_arn(request["resourceArn"]) is None:
        raise InvalidParameterException(f"Invalid resource ARN: {request['resourceArn']}")
    return name_of(ctx, {"logGroupIdentifier": request["resourceArn"]})


def _shown(scope: Scope, group: Group, stored_bytes: int, filters: int) -> Request:
    arn = group_arn(scope, group.name)
    shown: Request = {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": filters,
        "arn": arn,
        "logGroupArn": arn.removesuffix(":*"),
        "storedBytes": stored_bytes,
        "logGroupClass": group.log_class,
        "deletionProtectionEnabled": group.is_protected,
    }
    if group.retention_days:
        shown["retentionInDays"] = group.retention_days
    return shown
