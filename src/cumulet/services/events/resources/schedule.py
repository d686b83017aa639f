"""AWS::Scheduler::Schedule and AWS::Scheduler::ScheduleGroup.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Scheduler.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.events.model import DEFAULT, group_arn, schedule_arn
from cumulet.services.events.resources.told import change_tags, is_gone, own_tags, refuse_taken

_NAME_CHARACTERS_MAX = 64
_PLAIN = (
    *("Description", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone"),
    *("State", "FlexibleTimeWindow", "Target"),
)
_TARGET = struct(
    {
        **dict.fromkeys(("Arn", "RoleArn", "Input"), TEXT),
        "DeadLetterConfig": struct({"Arn": TEXT}),
        "RetryPolicy": struct({"MaximumRetryAttempts": NUMBER, "MaximumEventAgeInSeconds": NUMBER}),
        "SqsParameters": struct({"MessageGroupId": TEXT}),
        "EventBridgeParameters": struct(
            {"DetailType": TEXT, "Source": TEXT}, "DetailType", "Source"
        ),
    },
    "Arn",
    "RoleArn",
)


def _time(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise AwsError(f"{text} is not a date", code="ValidationException") from cause
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _request(props: Props, name: str) -> dict[str, Any]:
    request = {"Name": name, **{key: props[key] for key in _PLAIN if key in props}}
    return request | {key: _time(props[key]) for key in ("StartDate", "EndDate") if key in props}


def _key(props: Props, name: str) -> dict[str, str]:
    return {"Name": name, "GroupName": props.get("GroupName", DEFAULT)}


def _made(ctx: Context, props: Props, name: str) -> Provisioned:
    arn = schedule_arn(ctx.scope, props.get("GroupName", DEFAULT), name)
    return Provisioned(name, {"Arn": arn})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(_NAME_CHARACTERS_MAX)
    # The token says that it is this step's own, should it be tried again.
    request = _request(props, name)
    await ctx.call("scheduler", "CreateSchedule", **request, ClientToken=draft.token[:64])
    return _made(ctx, props, name)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await ctx.call("scheduler", "UpdateSchedule", **_request(new, physical_id))
    return _made(ctx, new, physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("scheduler", "DeleteSchedule", **_key(props, physical_id))
    except AwsError as error:
        if not is_gone(error):
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("scheduler", "GetSchedule", **_key(props, physical_id))
    except AwsError as error:
        if is_gone(error):
            return None
        raise
    live: dict[str, Any] = {key: found[key] for key in ("Name", *_PLAIN) if key in found}
    if "RetryPolicy" not in props.get("Target", {}):
        live["Target"] = {key: one for key, one in live["Target"].items() if key != "RetryPolicy"}
    # What the template leaves to AWS is no drift.
    for key in ("GroupName", "ScheduleExpressionTimezone", "State"):
        if key not in props:
            live.pop(key, None)
    return live


def _group(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": group_arn(ctx.scope, name), "State": "ACTIVE"})


async def _create_group(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(_NAME_CHARACTERS_MAX)
    if "Name" in props:
        arn = group_arn(ctx.scope, name)
        await refuse_taken(ctx, "scheduler", arn, name, draft, "ResourceArn")
    await ctx.call(
        "scheduler",
        "CreateScheduleGroup",
        Name=name,
        Tags=[*props.get("Tags", []), *own_tags(draft)],
        ClientToken=draft.token[:64],
    )
    return _group(ctx, name)


async def _update_group(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    made = _group(ctx, physical_id)
    await change_tags(ctx, "scheduler", "ResourceArn", made.attributes["Arn"], old, new)
    return made


async def _delete_group(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("scheduler", "DeleteScheduleGroup", Name=physical_id)
    except AwsError as error:
        if not is_gone(error):
            raise


SCHEDULE = ResourceType(
    "AWS::Scheduler::Schedule",
    struct(
        {
            **dict.fromkeys(
                ("Name", "Description", "GroupName", "ScheduleExpression", "State"), TEXT
            ),
            **dict.fromkeys(("ScheduleExpressionTimezone", "StartDate", "EndDate"), TEXT),
            "FlexibleTimeWindow": struct({"Mode": TEXT, "MaximumWindowInMinutes": NUMBER}, "Mode"),
            "Target": _TARGET,
        },
        "ScheduleExpression",
        "FlexibleTimeWindow",
        "Target",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"Name", "GroupName"}),
    attributes=frozenset({"Arn"}),
)
GROUP = ResourceType(
    "AWS::Scheduler::ScheduleGroup",
    struct({"Name": TEXT, "Tags": TAGS}),
    create=_create_group,
    update=_update_group,
    delete=_delete_group,
    replace_on=frozenset({"Name"}),
    attributes=frozenset({"Arn", "State"}),
)
