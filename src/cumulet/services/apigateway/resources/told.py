"""What the resource types share: members in API Gateway's spelling, patches, and what is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError

SERVICE = "apigateway"


def members(props: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The given properties under the names of the operation's members."""
    return {to: props[name] for name, to in names.items() if props.get(name) is not None}


def tags_of(props: Mapping[str, Any]) -> dict[str, str]:
    """CloudFormation's list of tags as a map."""
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags") or ()}


def escaped(segment: str) -> str:
    """A segment of a patch's path."""
    return segment.replace("~", "~0").replace("/", "~1")


def patch(op: str, path: str, value: Any = None) -> dict[str, str]:
    """One patch operation."""
    if value is None:
        return {"op": op, "path": path}
    if isinstance(value, bool):
        return {"op": op, "path": path, "value": "true" if value else "false"}
    return {"op": op, "path": path, "value": str(value)}


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], paths: Mapping[str, str]
) -> list[dict[str, str]]:
    """Patches for the properties that differ; `paths` gives each one's path."""
    found = []
    for name, path in paths.items():
        before, after = old.get(name), new.get(name)
        if after == before:
            continue
        if after is None:
            found.append(patch("replace", path, ""))
        else:
            found.append(patch("replace", path, after))
    return found


async def unless_gone(act: Awaitable[Any]) -> Any:
    """The answer; None when what it is about does not exist."""
    try:
        return await act
    except AwsError as error:
        if error.code != "NotFoundException":
            raise
        return None


async def update_tags(
    ctx: Context, path: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Make the tags of an API or a stage what the new properties say."""
    arn = f"arn:aws:apigateway:{ctx.scope.region}::{path}"
    before, after = tags_of(old), tags_of(new)
    if gone := [key for key in before if key not in after]:
        await ctx.call(SERVICE, "UntagResource", resourceArn=arn, tagKeys=gone)
    if after and after != before:
        await ctx.call(SERVICE, "TagResource", resourceArn=arn, tags=after)
