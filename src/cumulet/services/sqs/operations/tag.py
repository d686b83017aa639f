"""Tags of queues."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.sqs.errors import InvalidParameterValueException
from cumulet.services.sqs.hall import find_queue, queue_policy, queue_resource
from cumulet.services.sqs.limits import TAGS_MAX
from cumulet.services.sqs.model import Queue
from cumulet.services.sqs.operations.queue import change_queue

Request = dict[str, Any]


@operation("TagQueue", resource=queue_resource, resource_policy=queue_policy)
async def tag_queue(ctx: Context, request: Request) -> None:
    """Add tags, or change those that are there."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    given = dict(request["Tags"])
    if len({**queue.tags, **given}) > TAGS_MAX:
        raise InvalidParameterValueException(f"Too many tags added for queue {queue.name}.")

    def add(now: Queue) -> Queue:
        return msgspec.structs.replace(now, tags={**now.tags, **given})

    await change_queue(ctx, scope, queue, add)


@operation("UntagQueue", resource=queue_resource, resource_policy=queue_policy)
async def untag_queue(ctx: Context, request: Request) -> None:
    """Remove tags."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    gone = set(request["TagKeys"])

    def remove(now: Queue) -> Queue:
        kept = {key: value for key, value in now.tags.items() if key not in gone}
        return msgspec.structs.replace(now, tags=kept)

    await change_queue(ctx, scope, queue, remove)


@operation("ListQueueTags", resource=queue_resource, resource_policy=queue_policy)
async def list_queue_tags(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of a queue."""
    _, queue = await find_queue(ctx, request["QueueUrl"])
    return {"Tags": queue.tags} if queue.tags else {}
