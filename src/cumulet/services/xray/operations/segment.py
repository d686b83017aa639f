"""Segments sent by clients, and what their daemons say of themselves."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.usage import TRACES_STORED
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.services.xray import store
from cumulet.services.xray.model import Segment
from cumulet.services.xray.segments import BadSegment, read_segment

Request = dict[str, Any]


@operation("PutTraceSegments")
async def put_trace_segments(ctx: Context, request: Request) -> Request:
    """Keep segments; each that does not hold is told, and the others are kept."""
    now = ctx.clock.now()
    segments: list[Segment] = []
    told: list[Request] = []
    for text in request["TraceSegmentDocuments"]:
        try:
            segments.append(read_segment(text, now))
        except BadSegment as cause:
            one = {"ErrorCode": cause.code, "Message": cause.message}
            told.append({"Id": cause.uid, **one} if cause.uid else one)
    if segments:
        # A trace is charged for once, not each of its segments: https://aws.amazon.com/xray/pricing/
        roots = sum('"parent_id"' not in one.document for one in segments)
        arn = ctx.scope.arn("xray", "traces")
        if roots:
            ctx.need(Usage).used(ctx.scope, arn, TRACES_STORED, float(roots), ctx.trace)
        for refused in await ctx.transact(store.add, segments, now):
            message = "The trace has reached its greatest size."
            told.append({"Id": refused.id, "ErrorCode": "TraceSizeExceeded", "Message": message})
    return {"UnprocessedTraceSegments": told}


@operation("PutTelemetryRecords")
async def put_telemetry_records(ctx: Context, request: Request) -> Request:
    """Take what a daemon counted of itself, which nobody can ask for: it is not kept."""
    return {}
