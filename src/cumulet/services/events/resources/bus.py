"""AWS::Events::EventBus and AWS::Events::EventBusPolicy.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    JSON,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.events.model import DEFAULT, bus_arn
from cumulet.services.events.resources.told import change_tags, is_gone, own_tags, refuse_taken


def _made(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": bus_arn(ctx.scope, name), "Name": name})


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props["Name"]
    await refuse_taken(ctx, "events", bus_arn(ctx.scope, name), name, draft, "ResourceARN")
    more = {"Description": props["Description"]} if "Description" in props else {}
    tags = [*props.get("Tags", []), *own_tags(draft)]
    try:
        await ctx.call("events", "CreateEventBus", Name=name, Tags=tags, **more)
    except AwsError as error:
        # An earlier try of this step, as its tags say.
        if error.code != "ResourceAlreadyExistsException":
            raise
    made = _made(ctx, name)
    try:
        await _set_policy(ctx, props, name)
    except AwsError as error:
        raise PartlyMade(name, made.attributes) from error
    return made


async def _set_policy(ctx: Context, props: Props, name: str) -> None:
    if "Policy" in props:
        await ctx.call("events", "PutPermission", EventBusName=name, Policy=_text(props["Policy"]))


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old.get("Description") != new.get("Description"):
        description = new.get("Description", "")
        await ctx.call("events", "UpdateEventBus", Name=physical_id, Description=description)
    if "Policy" in old and "Policy" not in new:
        await ctx.call(
            "events", "RemovePermission", EventBusName=physical_id, RemoveAllPermissions=True
        )
    elif old.get("Policy") != new.get("Policy"):
        await _set_policy(ctx, new, physical_id)
    made = _made(ctx, physical_id)
    await change_tags(ctx, "events", "ResourceARN", made.attributes["Arn"], old, new)
    return made


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await ctx.call("events", "DeleteEventBus", Name=physical_id)


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("events", "DescribeEventBus", Name=physical_id)
    except AwsError as error:
        if is_gone(error):
            return None
        raise
    live: dict[str, Any] = {"Name": found["Name"]}
    if "Description" in found:
        live["Description"] = found["Description"]
    if "Policy" in found and "Policy" in props:
        live["Policy"] = json.loads(found["Policy"])
    return live


def _statement(ctx: Context, props: Props) -> dict[str, Any]:
    if "Statement" in props:
        return {**props["Statement"], "Sid": props["StatementId"]}
    principal = props.get("Principal", "")
    statement: dict[str, Any] = {
        "Sid": props["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": props.get("Action", "events:PutEvents"),
        "Resource": bus_arn(ctx.scope, props.get("EventBusName", DEFAULT)),
    }
    if "Condition" in props:
        given = props["Condition"]
        statement["Condition"] = {given["Type"]: {given["Key"]: given["Value"]}}
    return statement


async def _put_statement(ctx: Context, props: Props) -> None:
    """Among the statements that the bus has already."""
    bus = props.get("EventBusName", DEFAULT)
    found = await ctx.call("events", "DescribeEventBus", Name=bus)
    had = json.loads(found["Policy"])["Statement"] if "Policy" in found else []
    listed = had if isinstance(had, list) else [had]
    kept = [one for one in listed if one.get("Sid") != props["StatementId"]]
    document = {"Version": "2012-10-17", "Statement": [*kept, _statement(ctx, props)]}
    await ctx.call("events", "PutPermission", EventBusName=bus, Policy=json.dumps(document))


async def _create_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _put_statement(ctx, props)
    return Provisioned(props["StatementId"])


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _put_statement(ctx, new)
    return Provisioned(physical_id)


async def _delete_policy(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call(
            "events",
            "RemovePermission",
            EventBusName=props.get("EventBusName", DEFAULT),
            StatementId=props["StatementId"],
        )
    except AwsError as error:
        if not is_gone(error):
            raise


BUS = ResourceType(
    "AWS::Events::EventBus",
    struct({"Name": TEXT, "Description": TEXT, "Policy": JSON, "Tags": TAGS}, "Name"),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"Name"}),
    attributes=frozenset({"Arn", "Name"}),
)
BUS_POLICY = ResourceType(
    "AWS::Events::EventBusPolicy",
    struct(
        {
            **dict.fromkeys(("StatementId", "EventBusName", "Action", "Principal"), TEXT),
            "Statement": JSON,
            "Condition": struct(dict.fromkeys(("Type", "Key", "Value"), TEXT)),
        },
        "StatementId",
    ),
    create=_create_policy,
    update=_update_policy,
    delete=_delete_policy,
    replace_on=frozenset({"StatementId", "EventBusName"}),
)
