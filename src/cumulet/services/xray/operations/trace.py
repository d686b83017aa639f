"""Traces: looked for, told whole, and as graphs of services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.core.usage import TRACES_READ
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.xray import store
from cumulet.services.xray.errors import InvalidRequestException
from cumulet.services.xray.expressions import BadExpression, Seen, Test, parse_expression
from cumulet.services.xray.graph import Graph
from cumulet.services.xray.limits import (
    BATCH_TRACES_MAX,
    GRAPH_SECONDS_MAX,
    GRAPH_TRACES_MAX,
    PAGE_BYTES,
    PAGE_TRACES,
    SUMMARIES_SECONDS_MAX,
)
from cumulet.services.xray.model import Segment, Trace
from cumulet.services.xray.operations.group import find_group
from cumulet.services.xray.segments import Document, Summary, documents_of, summarize

Request = dict[str, Any]
_Found = tuple[Trace, list[Segment]]


def span_of(request: Request, most: int) -> tuple[float, float]:
    """When a span of time begins and ends. Raises InvalidRequestException."""
    begin, end = float(request["StartTime"]), float(request["EndTime"])
    if begin >= end:
        raise InvalidRequestException("StartTime must be before EndTime.")
    if end - begin > most:
        raise InvalidRequestException(
            f"The time range must not be longer than {most // 3600} hours."
        )
    return begin, end


def read_expression(text: str | None) -> Test:
    """A filter expression as a test. Raises InvalidRequestException."""
    try:
        return parse_expression(text or "")
    except BadExpression as cause:
        raise InvalidRequestException(f"Invalid filter expression: {cause}.") from None


async def _page(
    tx: Transaction, scope: Scope, begin: float, end: float, after: tuple[float, str] | None
) -> tuple[list[_Found], bool]:
    """Some traces, bounded in number and size, and whether there may be more."""
    found = await store.traces_between(tx, scope, begin, end, PAGE_TRACES, after)
    page: list[_Found] = []
    size = 0
    for trace in found:
        size += trace.size_bytes
        if page and size > PAGE_BYTES:
            return page, True
        page.append((trace, await store.load_segments(tx, scope, trace.id)))
    return page, len(found) == PAGE_TRACES


@operation("GetTraceSummaries")
async def get_trace_summaries(ctx: Context, request: Request) -> Request:
    """The traces that began in a span of time and match an expression, the newest first."""
    begin, end = span_of(request, SUMMARIES_SECONDS_MAX)
    if request.get("TimeRangeType") == "Service":
        raise InvalidRequestException("TimeRangeType Service is not supported by Cumulet.")
    test = read_expression(request.get("FilterExpression"))
    after = _position(request.get("NextToken"))
    page, more = await ctx.transact(_page, begin, end, after)
    _charge(ctx, len(page))
    summaries = []
    for trace, segments in page:
        documents = documents_of(segments)
        summary = summarize(documents, ctx.scope.account)
        if summary is not None and test(Seen(summary, documents)):
            summaries.append(_summary(trace, summary))
    answer: Request = {
        "TraceSummaries": summaries,
        "ApproximateTime": ctx.clock.now(),
        "TracesProcessedCount": len(page),
    }
    if more:
        last = page[-1][0]
        answer["NextToken"] = make_token([last.began, last.id])
    return answer


def _charge(ctx: Context, count: int) -> None:
    """Traces that are read or looked at: https://aws.amazon.com/xray/pricing/"""
    if count:
        arn = ctx.scope.arn("xray", "traces")
        ctx.need(Usage).used(ctx.scope, arn, TRACES_READ, float(count), ctx.trace)


def _position(token: str | None) -> tuple[float, str] | None:
    if not token:
        return None
    try:
        began, uid = read_token(token)
        return float(began), str(uid)
    except (ValueError, TypeError):
        raise InvalidRequestException("Invalid NextToken.") from None


def _summary(trace: Trace, summary: Summary) -> Request:
    return {
        "Id": trace.id,
        "StartTime": summary.began,
        "Duration": summary.duration,
        "ResponseTime": summary.response,
        "HasFault": summary.fault,
        "HasError": summary.error,
        "HasThrottle": summary.throttle,
        "IsPartial": summary.is_partial,
        "Http": dict(summary.http),
        "Annotations": {
            key: [
                {"AnnotationValue": _annotation(value), "ServiceIds": [dict(service)]}
                for value, service in values
            ]
            for key, values in summary.annotations.items()
        },
        "Users": [
            {"UserName": name, "ServiceIds": [dict(one) for one in services]}
            for name, services in summary.users.items()
        ],
        "ServiceIds": [dict(one) for one in summary.services],
        "ResourceARNs": [{"ARN": arn} for arn in dict.fromkeys(summary.arns)],
        "InstanceIds": [],
        "AvailabilityZones": [],
        "EntryPoint": None if summary.entry is None else dict(summary.entry),
        "Revision": trace.segments,
    }


def _annotation(value: Any) -> Request:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    return {"StringValue": value} if isinstance(value, str) else {"NumberValue": float(value)}


def _ids(request: Request) -> list[str]:
    ids = list(dict.fromkeys(request["TraceIds"]))
    if len(ids) > BATCH_TRACES_MAX:
        raise InvalidRequestException(f"At most {BATCH_TRACES_MAX} trace ids can be given.")
    return ids


async def _load(
    tx: Transaction, scope: Scope, ids: Sequence[str]
) -> dict[str, tuple[Trace, list[Segment]]]:
    found = {}
    for uid in ids:
        trace = await store.TRACES.load(tx, scope, uid)
        if trace is not None:
            found[uid] = (trace, await store.load_segments(tx, scope, uid))
    return found


@operation("BatchGetTraces")
async def batch_get_traces(ctx: Context, request: Request) -> Request:
    """Traces with all their segments."""
    ids = _ids(request)
    found = await ctx.transact(_load, ids)
    _charge(ctx, len(found))
    traces = []
    for uid, (trace, segments) in found.items():
        summary = summarize(documents_of(segments), ctx.scope.account)
        traces.append(
            {
                "Id": uid,
                "Duration": summary.duration if summary is not None else 0.0,
                "LimitExceeded": trace.is_over,
                "Segments": [{"Id": one.id, "Document": one.document} for one in segments],
            }
        )
    return {"Traces": traces, "UnprocessedTraceIds": [uid for uid in ids if uid not in found]}


@operation("GetServiceGraph")
async def get_service_graph(ctx: Context, request: Request) -> Request:
    """The services that the traces of a span of time went through, and how they answered."""
    begin, end = span_of(request, GRAPH_SECONDS_MAX)
    group = await find_group(ctx, request)
    test = read_expression(group.expression)
    graph = Graph(ctx.scope.account)
    async for documents in matching(ctx, begin, end, test):
        graph.add(documents)
    return {
        "StartTime": begin,
        "EndTime": end,
        "Services": graph.services(),
        "ContainsOldGroupVersions": False,
    }


async def matching(
    ctx: Context, begin: float, end: float, test: Test
) -> AsyncIterator[list[Document]]:
    """The segments of each trace of a span that passes a test, as many as a graph is made of."""
    async for _, segments in _all(ctx, begin, end):
        documents = documents_of(segments)
        summary = summarize(documents, ctx.scope.account)
        if summary is not None and test(Seen(summary, documents)):
            yield documents


async def _all(ctx: Context, begin: float, end: float) -> AsyncIterator[_Found]:
    """The traces of a span, the newest first, as many as a graph is made of."""
    after: tuple[float, str] | None = None
    seen = 0
    while seen < GRAPH_TRACES_MAX:
        page, more = await ctx.transact(_page, begin, end, after)
        for one in page:
            yield one
        if not more:
            return
        seen += len(page)
        after = (page[-1][0].began, page[-1][0].id)


@operation("GetTraceGraph")
async def get_trace_graph(ctx: Context, request: Request) -> Request:
    """The services that some traces went through."""
    graph = Graph(ctx.scope.account)
    for _, segments in (await ctx.transact(_load, _ids(request))).values():
        graph.add(documents_of(segments))
    return {"Services": graph.services()}
