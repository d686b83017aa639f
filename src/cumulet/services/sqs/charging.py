"""What AWS charges for requests to queues: one for each 64 KB, FIFO queues by a price of their own.

https://aws.amazon.com/sqs/pricing/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.core.usage import SQS_FIFO_REQUESTS, SQS_REQUESTS, blocks
from cumulet.kit.ports import Usage
from cumulet.kit.service import Operation
from cumulet.services.sqs.hall import address_of

Request = Mapping[str, Any]


def charged(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The same operations; each request that is answered is counted."""
    return {name: _charged(operation) for name, operation in operations.items()}


def _charged(operation: Operation) -> Operation:
    inner = operation.run

    async def run(ctx: Context, request: Request) -> Any:
        answer = await inner(ctx, request)
        scope, name = _queue(ctx, request)
        arn = scope.arn("sqs", name) if name else ""
        kind = SQS_FIFO_REQUESTS if name.endswith(".fifo") else SQS_REQUESTS
        count = blocks(_size(request) + _size(answer))
        ctx.need(Usage).used(scope, arn, kind, float(count), ctx.trace)
        return answer

    return replace(operation, run=run)


def _queue(ctx: Context, request: Request) -> tuple[Scope, str]:
    url = request.get("QueueUrl")
    return address_of(ctx, url) if url else (ctx.scope, str(request.get("QueueName") or ""))


def _size(side: Any) -> int:
    """The bytes of the messages of a request or an answer."""
    if not side:
        return 0
    size = len(side["MessageBody"].encode()) if "MessageBody" in side else 0
    for entry in side.get("Entries") or ():
        size += len((entry.get("MessageBody") or "").encode())
    for message in side.get("Messages") or ():
        size += len(message["Body"].encode())
    return size
