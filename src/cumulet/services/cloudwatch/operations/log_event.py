"""Log events: put, get, filter."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    no_group,
    no_stream,
)
from cumulet.services.cloudwatch.filters import Matches, parse_filter
from cumulet.services.cloudwatch.limits import (
    BATCH_BYTES_MAX,
    BATCH_SPAN_MS_MAX,
    EVENT_OVERHEAD_BYTES,
    FILTER_PAGES_MAX,
    FUTURE_MS_MAX,
    PAGE_BYTES_MAX,
    PAGE_EVENTS_MAX,
    PAST_MS_MAX,
    PATTERN_CHARACTERS_MAX,
    SCAN_EVENTS,
)
from cumulet.services.cloudwatch.model import Event, Group
from cumulet.services.cloudwatch.operations.log_group import group_resource, read_position
from cumulet.services.cloudwatch.operations.log_stream import name_in, stream_resource
from cumulet.services.cloudwatch.sink import StoreSink

Request = dict[str, Any]

_END_OF_TIME = 1 << 62


def identified_group(ctx: Context, request: Request) -> str:
    """The group of a request that may name it by identifier."""
    return group_resource(ctx, {"logGroupName": name_in(request)})


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
        first = ctx.need(StoreSink).next_sequence(len(taken))
        lines = [
            store.Line(event["timestamp"], first + index, event["message"])
            for index, event in enumerate(taken)
        ]

        async def write(tx: Transaction, scope: Scope) -> bool:
            stream = await store.STREAMS.load(tx, scope, group.uid, request["logStreamName"])
            if stream is None:
                return False
            await store.append(tx, scope, group, stream, lines, now_ms)
            return True

        if not await ctx.transact(write):
            raise no_stream()
    answer: Request = {"nextSequenceToken": new_label(ctx.clock, 56)}
    if rejected:
        answer["rejectedLogEventsInfo"] = rejected
    return answer


def _check_batch(events: list[Request]) -> None:
    size = sum(len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in events)
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


@operation("GetLogEvents", resource=lambda ctx, r: stream_resource(ctx, _named(r)))
async def get_log_events(ctx: Context, request: Request) -> Request:
    """Read one stream, forward or backward, with tokens that never end."""
    limit = request.get("limit", PAGE_EVENTS_MAX)
    token = request.get("nextToken") or ""
    position = None
    forward = bool(request.get("startFromHead", False))
    if token:
        if token[:2] not in ("f/", "b/"):
            raise InvalidParameterException("The specified nextToken is invalid.")
        forward = token.startswith("f/")
        position = read_position(token[2:])
    begin = request.get("startTime", 0)
    end = request.get("endTime", _END_OF_TIME)
    name = name_in(request)

    async def read(tx: Transaction, scope: Scope) -> list[Event] | str:
        group = await store.GROUPS.load(tx, scope, name)
        if group is None:
            return "group"
        stream = await store.STREAMS.load(tx, scope, group.uid, request["logStreamName"])
        if stream is None:
            return "stream"
        low: tuple[Any, ...] = (group.uid, stream.uid, begin)
        high: tuple[Any, ...] = (group.uid, stream.uid, end)
        if position is not None and forward:
            low = (group.uid, stream.uid, position[0], position[1] + 1)
        elif position is not None:
            high = (group.uid, stream.uid, *position)
        return await store.EVENTS.lookup_between(
            tx, scope, "stream", low, high, limit=limit, reverse=not forward
        )

    found = await ctx.transact(read)
    if isinstance(found, str):
        raise no_group() if found == "group" else no_stream()
    events = _within_a_page(found)
    if not forward:
        events.reverse()
    return _page(events, position, begin)


def _within_a_page(events: list[Event]) -> list[Event]:
    size = 0
    for index, event in enumerate(events):
        size += len(event.message) + EVENT_OVERHEAD_BYTES
        if size > PAGE_BYTES_MAX and index:
            return events[:index]
    return list(events)


def _page(events: list[Event], position: Any, begin: int) -> Request:
    # A page that is empty gives back the token it was asked with: that is how clients see the end.
    ahead = behind = position or [begin, 0]
    if events:
        ahead = [events[-1].timestamp_ms, events[-1].sequence]
        behind = [events[0].timestamp_ms, events[0].sequence]
    return {
        "events": [
            {
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
            }
            for event in events
        ],
        "nextForwardToken": f"f/{make_token(ahead)}",
        "nextBackwardToken": f"b/{make_token(behind)}",
    }


def _named(request: Request) -> Request:
    return {**request, "logGroupName": name_in(request)}


@operation("FilterLogEvents", resource=identified_group)
async def filter_log_events(ctx: Context, request: Request) -> Request:
    """Search a group's streams in the order of time."""
    names = request.get("logStreamNames")
    prefix = request.get("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException(
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters."
        )
    matches = read_pattern(request.get("filterPattern") or "")
    limit = request.get("limit", PAGE_EVENTS_MAX)
    position = read_position(request.get("nextToken"))
    name = name_in(request)
    group = await ctx.transact(store.load_group, name)
    if group is None:
        raise no_group()
    low: tuple[Any, ...] = (group.uid, request.get("startTime", 0))
    if position is not None:
        low = (group.uid, position[0], position[1] + 1)
    # AWS counts the last millisecond in here, and out in GetLogEvents.
    high = (group.uid, request.get("endTime", _END_OF_TIME) + 1)

    def wanted(event: Event) -> bool:
        return (
            (not names or event.stream in names)
            and (not prefix or event.stream.startswith(prefix))
            and matches(event.message)
        )

    found: list[Event] = []
    size = 0
    for _ in range(FILTER_PAGES_MAX):
        page = await ctx.transact(_read_range, low, high)
        for event in page:
            low = (group.uid, event.timestamp_ms, event.sequence + 1)
            if not wanted(event):
                continue
            found.append(event)
            size += len(event.message) + EVENT_OVERHEAD_BYTES
            if len(found) >= limit or size >= PAGE_BYTES_MAX:
                return _found(found, (event.timestamp_ms, event.sequence))
        if len(page) < SCAN_EVENTS:
            return _found(found, None)
    return _found(found, (low[1], low[2] - 1))


def read_pattern(text: str) -> Matches:
    """A filter pattern as a test. Raises InvalidParameterException."""
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise InvalidParameterException("The filter pattern is longer than 1024 characters.")
    try:
        return parse_filter(text)
    except ValueError as cause:
        raise InvalidParameterException(f"Invalid filter pattern: {cause}") from None


async def _read_range(
    tx: Transaction, scope: Scope, low: tuple[Any, ...], high: tuple[Any, ...]
) -> list[Event]:
    return await store.EVENTS.scan_between(tx, scope, low, high, limit=SCAN_EVENTS)


def _found(events: list[Event], go_on: tuple[int, int] | None) -> Request:
    answer: Request = {
        "events": [
            {
                "logStreamName": event.stream,
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
                "eventId": event.event_id,
            }
            for event in events
        ],
        "searchedLogStreams": [],
    }
    if go_on is not None:
        answer["nextToken"] = make_token(list(go_on))
    return answer
