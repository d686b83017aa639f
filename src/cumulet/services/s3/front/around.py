"""What happens around every operation that came over the wire: CORS, access log, metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kit.service import Operation
from cumulet.services.s3.front.logs import AccessLogs, line_of
from cumulet.services.s3.rules.cors import rule_for
from cumulet.services.s3.store.known import Buckets, Known

Request = dict[str, Any]


def watched(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The same operations, each followed by what its bucket's settings ask for."""
    return {name: _watched(operation) for name, operation in operations.items()}


def _watched(operation: Operation) -> Operation:
    inner = operation.run

    async def run(ctx: Context, request: Request) -> Any:
        if ctx.request is None:
            return await inner(ctx, request)
        name = request.get("Bucket")
        if not name:
            return await inner(ctx, request)
        buckets = ctx.need(Buckets)
        known = await buckets.get(name)
        if known is None or not (known.cors or known.watches):
            return await inner(ctx, request)
        return await _run_watched(ctx, operation, request, known)

    return replace(operation, run=run)


async def _run_watched(ctx: Context, operation: Operation, request: Request, known: Known) -> Any:
    started = time.perf_counter()
    headers = _cors(ctx, known)
    try:
        answer = await operation.run(ctx, request)
    except AwsError as error:
        error.headers = {**error.headers, **headers}
        status = error.http_status or 400
        _tell(ctx, operation.name, request, known, status, error.code, None, started)
        raise
    if headers:
        answer = dict(answer or {})
        metadata = dict(answer.get("ResponseMetadata") or {})
        metadata["HTTPHeaders"] = {**metadata.get("HTTPHeaders", {}), **headers}
        answer["ResponseMetadata"] = metadata
    size = answer.get("ContentLength") if isinstance(answer, dict) else None
    _tell(ctx, operation.name, request, known, 200, "", size, started)
    return answer


def _cors(ctx: Context, known: Known) -> dict[str, str]:
    assert ctx.request is not None
    origin = ctx.request.headers.get("origin")
    if not origin or not known.cors:
        return {}
    rule = rule_for(known.cors, origin, ctx.request.method)
    return {} if rule is None else dict(rule.answer(origin))


_METHOD_METRICS = {
    "GET": "GetRequests",
    "PUT": "PutRequests",
    "DELETE": "DeleteRequests",
    "HEAD": "HeadRequests",
    "POST": "PostRequests",
}


def _tell(
    ctx: Context,
    operation: str,
    request: Request,
    known: Known,
    status: int,
    error: str,
    size: int | None,
    started: float,
) -> None:
    bucket = known.bucket
    if "Logging" in bucket.settings:
        line = line_of(ctx, bucket, operation, request, status, error, size, started)
        ctx.need(AccessLogs).add(bucket.name, line)
    for entry in bucket.settings.get("Metrics") or ():
        _measure(ctx, bucket.account, bucket.region, bucket.name, entry, status, size, started)


def _measure(
    ctx: Context,
    account: str,
    region: str,
    name: str,
    filter_id: str,
    status: int,
    size: int | None,
    started: float,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html"""
    assert ctx.request is not None
    metrics = ctx.need(Metrics)
    scope = Scope(account, region)
    dimensions = (("BucketName", name), ("FilterId", filter_id))

    def record(what: str, value: float, unit: str = "Count") -> None:
        metrics.record(scope, "AWS/S3", what, dimensions, value, unit)

    record("AllRequests", 1.0)
    if (method := _METHOD_METRICS.get(ctx.request.method)) is not None:
        record(method, 1.0)
    if status >= 400:
        record("4xxErrors" if status < 500 else "5xxErrors", 1.0)
    if size:
        record("BytesDownloaded", float(size), "Bytes")
    if ctx.request.method in ("PUT", "POST") and ctx.request.body.size_bytes:
        record("BytesUploaded", float(ctx.request.body.size_bytes), "Bytes")
    record("TotalRequestLatency", (time.perf_counter() - started) * 1000, "Milliseconds")
