"""AWS::Events::Rule.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.events.model import bus_named, rule_arn
from cumulet.services.events.resources.told import change_tags, is_gone, own_tags, refuse_taken

_TEXTS = ("Description", "ScheduleExpression", "State", "RoleArn", "EventBusName")
_NAME_CHARACTERS_MAX = 64

_TARGET = struct(
    {
        **dict.fromkeys(("Id", "Arn", "RoleArn", "Input", "InputPath"), TEXT),
        "InputTransformer": struct(
            {"InputPathsMap": map_of(TEXT), "InputTemplate": TEXT}, "InputTemplate"
        ),
        "SqsParameters": struct({"MessageGroupId": TEXT}, "MessageGroupId"),
        "DeadLetterConfig": struct({"Arn": TEXT}),
        "RetryPolicy": struct({"MaximumRetryAttempts": NUMBER, "MaximumEventAgeInSeconds": NUMBER}),
    },
    "Id",
    "Arn",
)


def _request(props: Props, name: str) -> dict[str, Any]:
    request = {"Name": name, **{key: props[key] for key in _TEXTS if key in props}}
    if "EventPattern" in props:
        request["EventPattern"] = json.dumps(props["EventPattern"])
    return request


def _on_bus(props: Props) -> dict[str, str]:
    return {"EventBusName": props["EventBusName"]} if "EventBusName" in props else {}


def _physical(ctx: Context, props: Props, name: str) -> str:
    """`Ref` gives the rule's name, with its bus before it where that is not the default one."""
    bus = bus_named(ctx.scope, props.get("EventBusName")).name
    return name if bus == "default" else f"{bus}|{name}"


def _name(physical_id: str) -> str:
    return physical_id.rpartition("|")[2]


def _made(ctx: Context, props: Props, physical_id: str) -> Provisioned:
    named = bus_named(ctx.scope, props.get("EventBusName"))
    return Provisioned(physical_id, {"Arn": rule_arn(named.scope, named.name, _name(physical_id))})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(_NAME_CHARACTERS_MAX)
    named = bus_named(ctx.scope, props.get("EventBusName"))
    if "Name" in props:
        arn = rule_arn(named.scope, named.name, name)
        await refuse_taken(ctx, "events", arn, name, draft, "ResourceARN")
    tags = [*props.get("Tags", []), *own_tags(draft)]
    await ctx.call("events", "PutRule", **_request(props, name), Tags=tags)
    made = _made(ctx, props, _physical(ctx, props, name))
    try:
        await _put_targets(ctx, props, name)
    except AwsError as error:
        raise PartlyMade(made.physical_id, made.attributes) from error
    return made


async def _put_targets(ctx: Context, props: Props, name: str) -> None:
    if props.get("Targets"):
        await ctx.call(
            "events", "PutTargets", Rule=name, Targets=props["Targets"], **_on_bus(props)
        )


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    name = _name(physical_id)
    await ctx.call("events", "PutRule", **_request(new, name))
    kept = {target["Id"] for target in new.get("Targets", [])}
    gone = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
    if gone:
        await ctx.call("events", "RemoveTargets", Rule=name, Ids=gone, **_on_bus(new))
    await _put_targets(ctx, new, name)
    made = _made(ctx, new, physical_id)
    await change_tags(ctx, "events", "ResourceARN", made.attributes["Arn"], old, new)
    return made


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    name, bus = _name(physical_id), _on_bus(props)
    try:
        found = await ctx.call("events", "ListTargetsByRule", Rule=name, **bus)
        if found["Targets"]:
            ids = [target["Id"] for target in found["Targets"]]
            await ctx.call("events", "RemoveTargets", Rule=name, Ids=ids, **bus)
        await ctx.call("events", "DeleteRule", Name=name, **bus)
    except AwsError as error:
        if not is_gone(error):
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    name, bus = _name(physical_id), _on_bus(props)
    try:
        rule = await ctx.call("events", "DescribeRule", Name=name, **bus)
        found = await ctx.call("events", "ListTargetsByRule", Rule=name, **bus)
    except AwsError as error:
        if is_gone(error):
            return None
        raise
    live: dict[str, Any] = {key: rule[key] for key in ("Name", *_TEXTS) if key in rule}
    if "EventBusName" in props:
        live["EventBusName"] = props["EventBusName"]
    else:
        live.pop("EventBusName", None)
    if "EventPattern" in rule:
        live["EventPattern"] = json.loads(rule["EventPattern"])
    order = {target["Id"]: number for number, target in enumerate(props.get("Targets", []))}
    live["Targets"] = sorted(
        found["Targets"], key=lambda target: order.get(target["Id"], len(order))
    )
    return live


RULE = ResourceType(
    "AWS::Events::Rule",
    struct(
        {
            "Name": TEXT,
            **dict.fromkeys(_TEXTS, TEXT),
            "EventPattern": JSON,
            "Targets": list_of(_TARGET),
            "Tags": TAGS,
        }
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"Name", "EventBusName"}),
    attributes=frozenset({"Arn"}),
)
