"""Tags of topics."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import OwnedPolicies, operation
from cumulet.services.sns.errors import (
    NotFoundException,
    ResourceNotFoundException,
    TagLimitExceededException,
)
from cumulet.services.sns.hall import Ready, find_topic, name_in, owned_topic
from cumulet.services.sns.limits import TAGS_MAX
from cumulet.services.sns.model import Topic
from cumulet.services.sns.operations.topic import change_topic

Request = dict[str, Any]


def tagged_resource(ctx: Context, request: Request) -> str:
    """The topic of a request about tags, as IAM's resource."""
    return name_in(ctx, request["ResourceArn"]).arn


async def tagged_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the topic is, and its policy."""
    return await owned_topic(ctx, name_in(ctx, request["ResourceArn"]))


_ON_TAGS: dict[str, Any] = {"resource": tagged_resource, "resource_policy": tagged_policy}


async def _find(ctx: Context, request: Request) -> tuple[Scope, Ready]:
    try:
        return await find_topic(ctx, request["ResourceArn"])
    except NotFoundException as cause:
        raise ResourceNotFoundException("Resource does not exist") from cause


@operation("TagResource", **_ON_TAGS)
async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add tags, or give those that are there other values."""
    scope, ready = await _find(ctx, request)
    given = {tag["Key"]: tag["Value"] for tag in request["Tags"]}

    def add(now: Topic) -> Topic:
        tags = {**now.tags, **given}
        if len(tags) > TAGS_MAX:
            raise TagLimitExceededException(
                f"Could not complete request: tag quota of per resource exceeded ({TAGS_MAX})"
            )
        return msgspec.structs.replace(now, tags=tags)

    await _change(ctx, scope, ready, add)
    return {}


@operation("UntagResource", **_ON_TAGS)
async def untag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove tags by their keys."""
    scope, ready = await _find(ctx, request)
    keys = set(request["TagKeys"])

    def remove(now: Topic) -> Topic:
        tags = {key: value for key, value in now.tags.items() if key not in keys}
        return msgspec.structs.replace(now, tags=tags)

    await _change(ctx, scope, ready, remove)
    return {}


async def _change(ctx: Context, scope: Scope, ready: Ready, change: Any) -> None:
    try:
        await change_topic(ctx, scope, ready.topic, change)
    except NotFoundException as cause:
        raise ResourceNotFoundException("Resource does not exist") from cause


@operation("ListTagsForResource", **_ON_TAGS)
async def list_tags_for_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of a topic."""
    _, ready = await _find(ctx, request)
    return {"Tags": [{"Key": key, "Value": value} for key, value in ready.topic.tags.items()]}
