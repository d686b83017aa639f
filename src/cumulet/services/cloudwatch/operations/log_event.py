"""Log events: put."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.core.usage import GIB, LOGS_IN
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    no_group,
    no_stream,
)
from cumulet.services.cloudwatch.limits import (
    BATCH_BYTES_MAX,
    BATCH_SPAN_MS_MAX,
    EVENT_BYTES_MAX,
    EVENT_OVERHEAD_BYTES,
    FUTURE_MS_MAX,
    PAST_MS_MAX,
)
from cumulet.services.cloudwatch.logs.arriving import arrive
from cumulet.services.cloudwatch.logs.sink import StoreSink
from cumulet.services.cloudwatch.logs.tailing import Tails
from cumulet.services.cloudwatch.model import Group, group_arn
from cumulet.services.cloudwatch.operations.log_stream import stream_resource

Request = dict[str, Any]

_END_OF_TIME = 1 << 62


@operation("PutLogEvents", resource=stream_resource)
async def put_log_events(ctx: Context, request: Request) -> Request:
    """Add events to a stream; those too old or too far ahead are told and left out."""
    events = request["logEvents"]
    now_ms = int(ctx.clock.now() * 1000)
    _check_batch(events)

    async def load(tx: Transaction, scope: Scope) -> tuple[Group, bool] | None:
        group = await store.GROUPS.load(tx, scope, request["logGroupName"])
        if group is None:
            return None
        stream = await store.STREAMS.load(tx, scope, group.uid, request["logStreamName"])
        return group, stream is not None

    found = await ctx.transact(load)
    if found is None:
        raise no_group()
    group, has_stream = found
    if not has_stream:
        raise no_stream()
    taken, rejected = _sort_out(events, now_ms, group.retention_days)
    if taken:
        sink = ctx.need(StoreSink)
        first, arrival = sink.next_sequence(len(taken)), sink.arrival()
        lines = [
            (event["timestamp"], first + index, event["message"])
            for index, event in enumerate(taken)
        ]

        async def write(tx: Transaction, scope: Scope) -> bool:
            now = await store.GROUPS.load(tx, scope, group.name)
            stream = await store.STREAMS.load(tx, scope, group.uid, request["logStreamName"])
            if stream is None or now is None or now.uid != group.uid:
                return False
            await arrive(tx, scope, group, stream, lines, arrival)
            return True

        if not await ctx.transact(write):
            raise no_stream()
        size = sum(len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in taken)
        arn = group_arn(ctx.scope, group.name)
        ctx.need(Usage).used(ctx.scope, arn, LOGS_IN, size / GIB, ctx.trace)
        ctx.need(Tails).tell(ctx.scope, group.name, request["logStreamName"], lines, arrival.now_ms)
    answer: Request = {"nextSequenceToken": new_label(ctx.clock, 56)}
    if rejected:
        answer["rejectedLogEventsInfo"] = rejected
    if request.get("entity"):
        # Entities are not kept here; the events are.
        answer["rejectedEntityInfo"] = {"errorType": "UnsupportedLogGroupType"}
    return answer


def _check_batch(events: list[Request]) -> None:
    sizes = [len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in events]
    size = sum(sizes)
    if max(sizes) > EVENT_BYTES_MAX:
        raise InvalidParameterException(
            f"Log event too large: {max(sizes)} bytes exceeds limit of {EVENT_BYTES_MAX}"
        )
    if size > BATCH_BYTES_MAX:
        raise InvalidParameterException(
            f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MAX}"
        )
    times = [event["timestamp"] for event in events]
    if any(one > following for one, following in pairwise(times)):
        raise InvalidParameterException(
            "Log events in a single PutLogEvents request must be in chronological order."
        )
    if times[-1] - times[0] > BATCH_SPAN_MS_MAX:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )


def _sort_out(
    events: list[Request], now_ms: int, retention_days: int
) -> tuple[list[Request], Request]:
    oldest = now_ms - PAST_MS_MAX
    expired = now_ms - retention_days * 86_400_000 if retention_days else 0
    newest = now_ms + FUTURE_MS_MAX
    too_old = sum(1 for event in events if event["timestamp"] < oldest)
    gone = sum(1 for event in events if event["timestamp"] < expired)
    ahead = next((i for i, event in enumerate(events) if event["timestamp"] > newest), None)
    rejected: Request = {}
    if gone:
        rejected["expiredLogEventEndIndex"] = gone
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if ahead is not None:
        rejected["tooNewLogEventStartIndex"] = ahead
    return events[max(too_old, gone) : ahead], rejected
