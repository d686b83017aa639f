"""Calls that traced functions make: each a subsegment of the function's, if nobody else tells it.

X-Ray's SDKs tell the calls that they watch, and name their own subsegment as the parent; a plain
client in a function names the function's segment, and what it calls is recorded here.
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core import trace_header
from cumulet.core.clock import new_hex
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Segments

_NAMES = {
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "sqs": "SQS",
    "sns": "SNS",
    "lambda": "Lambda",
    "events": "Events",
    "ssm": "SSM",
    "sts": "STS",
    "iam": "IAM",
}
"""As the SDKs name them; others go by their own name."""

_TOLD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", "table_name"),),
    "s3": (("Bucket", "bucket_name"), ("Key", "key")),
    "sqs": (("QueueUrl", "queue_url"),),
    "sns": (("TopicArn", "topic_arn"),),
    "lambda": (("FunctionName", "function_name"),),
}
"""Which parameters of a call its subsegment has, and under which name.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-aws"""

_TEXT_MAX = 1_024
_UNTOLD = frozenset({"xray"})
"""Whoever sends segments is not to make more of them by it."""

Document = dict[str, Any]


async def run_traced(
    dispatcher: Dispatcher, ctx: Context, service: str, operation: str, request: Any
) -> Any:
    """Carry out an operation whose caller named a segment, and record it if that is followed."""
    said = trace_header.sampled(ctx.trace_header)
    if said is None or service in _UNTOLD or "xray" not in dispatcher.services:
        return await dispatcher.run(ctx, service, operation, request)
    segments, account = dispatcher.need(Segments), ctx.caller.account
    home = segments.followed(account, said.trace_id, said.parent_id) if account else None
    if home is None:
        return await dispatcher.run(ctx, service, operation, request)
    uid, began = new_hex(ctx.clock, 16), ctx.clock.now()
    inner = ctx.carrying(trace_header.decided(ctx.trace_header, True, uid))
    outcome: Document = {"http": {"response": {"status": 200}}}
    try:
        return await dispatcher.run(inner, service, operation, request)
    except AwsError as error:
        outcome = _failed(ctx, error)
        raise
    finally:
        document = {
            "id": uid,
            "trace_id": said.trace_id,
            "parent_id": said.parent_id,
            "type": "subsegment",
            "name": _NAMES.get(service, service),
            "namespace": "aws",
            "start_time": began,
            "end_time": ctx.clock.now(),
            "aws": _about(ctx, service, operation, request),
            **outcome,
        }
        segments.put(home, document)


def _about(ctx: Context, service: str, operation: str, request: Any) -> Document:
    told: Document = {
        "operation": operation,
        "region": ctx.scope.region,
        "request_id": ctx.request_id,
    }
    for member, name in _TOLD.get(service, ()):
        value = request.get(member) if isinstance(request, dict) else None
        if isinstance(value, str):
            told[name] = value[:_TEXT_MAX]
    if tables := _tables(request) if service == "dynamodb" else []:
        told["table_name" if len(tables) == 1 else "table_names"] = (
            tables[0] if len(tables) == 1 else tables
        )
    return told


def _tables(request: Any) -> list[str]:
    """The tables of a batch."""
    items = request.get("RequestItems") if isinstance(request, dict) else None
    return list(items)[:10] if isinstance(items, dict) else []


def _failed(ctx: Context, error: AwsError) -> Document:
    status = error.http_status or 400
    flags: Document = {"fault" if status >= 500 else "error": True}
    if status == 429 or "Throttl" in error.code or "Throughput" in error.code:
        flags["throttle"] = True
    exception = {
        "id": new_hex(ctx.clock, 16),
        "type": error.code,
        "message": error.message[:_TEXT_MAX],
        "remote": True,
    }
    return {
        "http": {"response": {"status": status}},
        "cause": {"working_directory": "/var/task", "exceptions": [exception]},
        **flags,
    }
