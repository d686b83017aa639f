"""AWS::Events::Archive.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    JSON,
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.events.archives.model import archive_arn
from cumulet.services.events.resources.told import is_gone

_NAME_CHARACTERS_MAX = 48


def _made(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": archive_arn(ctx.scope, name), "ArchiveName": name})


def _settings(props: Props) -> dict[str, Any]:
    settings = {key: props[key] for key in ("Description", "RetentionDays") if key in props}
    if "EventPattern" in props:
        settings["EventPattern"] = json.dumps(props["EventPattern"])
    return settings


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    given = props.get("ArchiveName")
    name = given or draft.name(_NAME_CHARACTERS_MAX)
    try:
        await ctx.call(
            "events",
            "CreateArchive",
            ArchiveName=name,
            EventSourceArn=props["SourceArn"],
            **_settings(props),
        )
    except AwsError as error:
        # An earlier try of this step made it, or its name is of this step alone.
        is_own = draft.resumed or not given
        if error.code != "ResourceAlreadyExistsException" or not is_own:
            raise
    return _made(ctx, name)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    # What the template says no more goes back to nothing.
    nothing: dict[str, Any] = {"Description": "", "RetentionDays": 0, "EventPattern": ""}
    gone = {key: nothing[key] for key in nothing if key in old and key not in new}
    settings = gone | _settings(new)
    await ctx.call("events", "UpdateArchive", ArchiveName=physical_id, **settings)
    return _made(ctx, physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("events", "DeleteArchive", ArchiveName=physical_id)
    except AwsError as error:
        if not is_gone(error):
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("events", "DescribeArchive", ArchiveName=physical_id)
    except AwsError as error:
        if is_gone(error):
            return None
        raise
    live: dict[str, Any] = {
        "ArchiveName": found["ArchiveName"],
        "SourceArn": found["EventSourceArn"],
        "RetentionDays": found["RetentionDays"],
    }
    if "Description" in found:
        live["Description"] = found["Description"]
    if "EventPattern" in found:
        live["EventPattern"] = json.loads(found["EventPattern"])
    return live


ARCHIVE = ResourceType(
    "AWS::Events::Archive",
    struct(
        {
            **dict.fromkeys(("ArchiveName", "SourceArn", "Description"), TEXT),
            "EventPattern": JSON,
            "RetentionDays": NUMBER,
        },
        "SourceArn",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"ArchiveName", "SourceArn"}),
    attributes=frozenset({"Arn", "ArchiveName"}),
)
