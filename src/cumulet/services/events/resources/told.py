"""What the types have in common: tags, errors of what is gone, and who made something."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import Draft, Props

STACK_TAG = "aws:cloudformation:stack-id"
LOGICAL_TAG = "aws:cloudformation:logical-id"


def is_gone(error: AwsError) -> bool:
    """Whether an error says that there is no such thing."""
    return error.code == "ResourceNotFoundException"


def own_tags(draft: Draft) -> list[dict[str, str]]:
    """The tags by which a stack knows what it made."""
    return [
        {"Key": STACK_TAG, "Value": draft.stack_id},
        {"Key": LOGICAL_TAG, "Value": draft.logical_id},
    ]


def tags_of(props: Props) -> dict[str, str]:
    """The tags that a template gives."""
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


async def refuse_taken(
    ctx: Context, service: str, arn: str, name: str, draft: Draft, member: str
) -> None:
    """What has that name is only taken over when an earlier try of this stack made it."""
    try:
        found = await ctx.call(service, "ListTagsForResource", **{member: arn})
    except AwsError as error:
        if is_gone(error):
            return
        raise
    tags = list(found["Tags"])
    if any(tag not in tags for tag in own_tags(draft)):
        raise AwsError(f"{name} already exists", code="AlreadyExists")


async def change_tags(
    ctx: Context, service: str, member: str, arn: str, old: Props, new: Props
) -> None:
    """Bring tags from what a template said to what it says now."""
    had, has = tags_of(old), tags_of(new)
    removed = [key for key in had if key not in has]
    if removed:
        await ctx.call(service, "UntagResource", **{member: arn}, TagKeys=removed)
    if has and has != had:
        given: list[dict[str, Any]] = [{"Key": key, "Value": one} for key, one in has.items()]
        await ctx.call(service, "TagResource", **{member: arn}, Tags=given)
