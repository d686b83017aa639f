"""Log events: read one stream, search many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

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
from cumulet.services.cloudwatch.limits import (
    FILTER_EVENTS_MAX,
    FROM_TAIL_MS_MIN,
    PAGE_BYTES_MAX,
    PAGE_EVENTS_MAX,
    PATTERN_CHARACTERS_MAX,
    SCAN_EVENTS_MAX,
)
from cumulet.services.cloudwatch.logs.blocks import Block, Position
from cumulet.services.cloudwatch.logs.filters import Matches, parse_filter
from cumulet.services.cloudwatch.logs.walk import Walk
from cumulet.services.cloudwatch.model import Event, Group
from cumulet.services.cloudwatch.operations.log_group import name_of, read_position
from cumulet.services.cloudwatch.operations.log_stream import identified_group, stream_resource

Request = dict[str, Any]

_END_OF_TIME = 1 << 62


def _place(event: Event) -> Position:
    return Position(event.timestamp_ms, event.sequence)


def _position(token: str | None) -> tuple[bool, Position] | None:
    """Direction and place of a token: `f/` goes on with later events, `b/` with earlier ones."""
    if not token:
        return None
    if token[:2] not in ("f/", "b/"):
        raise InvalidParameterException("The specified nextToken is invalid.")
    found = read_position(token[2:])
    if not isinstance(found, list) or [type(one) for one in found] != [int, int]:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return token.startswith("f/"), Position(*found)


def _token(forward: bool, place: Position) -> str:
    return f"{'f' if forward else 'b'}/{make_token(list(place))}"


def walk_events(
    ctx: Context, place: store.Place, low: Position, high: Position, *, forward: bool
) -> Walk:
    """Through the events of a group, or of one of its streams."""

    def blocks(low: Position, high: Position, count: int) -> Awaitable[list[Block]]:
        return ctx.transact(store.read_blocks, place, low, high, count, forward=forward)

    def single(low: Position, high: Position, count: int) -> Awaitable[list[Event]]:
        return ctx.transact(store.read_single, place, low, high, count, forward=forward)

    return Walk(blocks, single, low, high, forward=forward)


@operation(
    "GetLogEvents",
    resource=lambda ctx, r: stream_resource(ctx, {**r, "logGroupName": name_of(ctx, r)}),
)
async def get_log_events(ctx: Context, request: Request) -> Request:
    """Read one stream, forward or backward, with tokens that never end."""
    given = _position(request.get("nextToken"))
    forward = given[0] if given else bool(request.get("startFromHead", False))
    position = given[1] if given else None
    low = Position(min(request.get("startTime", 0), _END_OF_TIME), 0)
    high = Position(min(request.get("endTime", _END_OF_TIME), _END_OF_TIME), 0)
    if position is not None and forward:
        low = max(low, Position(position.timestamp_ms, position.sequence + 1))
    elif position is not None:
        high = min(high, position)
    place = await _stream_place(ctx, name_of(ctx, request), request["logStreamName"])
    events = await _fill(walk_events(ctx, place, low, high, forward=forward), request)
    if not forward:
        events.reverse()
    # A page that is empty gives back the token it was asked with: so clients see the end.
    ahead = behind = position or low
    if events:
        ahead, behind = _place(events[-1]), _place(events[0])
    return {
        "events": [
            {
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
            }
            for event in events
        ],
        "nextForwardToken": _token(True, ahead),
        "nextBackwardToken": _token(False, behind),
    }


async def _fill(walk: Walk, request: Request) -> list[Event]:
    """One answer's events: as many as asked, and at most a page's bytes."""
    limit = request.get("limit", PAGE_EVENTS_MAX)
    events: list[Event] = []
    size = 0
    while len(events) < limit and not walk.is_done:
        for event in await walk.take(limit - len(events)):
            size += event.size_bytes
            if size > PAGE_BYTES_MAX and events:
                return events
            events.append(event)
    return events


async def _stream_place(ctx: Context, group_name: str, stream_name: str) -> tuple[str, str]:
    async def read(tx: Transaction, scope: Scope) -> tuple[str, str] | bool | None:
        group = await store.GROUPS.load(tx, scope, group_name)
        if group is None:
            return None
        stream = await store.STREAMS.load(tx, scope, group.uid, stream_name)
        return stream is not None and (group.uid, stream.uid)

    found = await ctx.transact(read)
    if found is None:
        raise no_group()
    if isinstance(found, bool):
        raise no_stream()
    return found


@operation("FilterLogEvents", resource=identified_group)
async def filter_log_events(ctx: Context, request: Request) -> Request:
    """Search a group's streams in the order of time, from either end."""
    is_wanted = _wanted(request)
    given = _position(request.get("nextToken"))
    forward = given[0] if given else bool(request.get("startFromHead", True))
    if not forward and given is None and request.get("startTime", 0) < FROM_TAIL_MS_MIN:
        raise InvalidParameterException(
            "startFromHead can be false only when startTime is on or after Jan 1, 2024."
        )
    group = await _searched_group(ctx, request)
    low = Position(min(request.get("startTime", 0), _END_OF_TIME), 0)
    # AWS counts the last millisecond in here, and out in GetLogEvents.
    high = Position(min(request.get("endTime", _END_OF_TIME), _END_OF_TIME) + 1, 0)
    if given and forward:
        low = max(low, Position(given[1].timestamp_ms, given[1].sequence + 1))
    elif given:
        high = min(high, given[1])

    walk = walk_events(ctx, (group.uid,), low, high, forward=forward)
    found, last = await _search(walk, is_wanted, request.get("limit", PAGE_EVENTS_MAX))
    answer: Request = {
        "events": [
            {
                "logStreamName": event.stream,
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
                "eventId": event.event_id,
            }
            for event in found
        ],
        "searchedLogStreams": [],
    }
    if last is not None:
        answer["nextToken"] = _token(forward, last)
    return answer


async def _search(
    walk: Walk, is_wanted: Callable[[Event], bool], limit: int
) -> tuple[list[Event], Position | None]:
    """What was found, and behind which event the search is to go on; None at the end."""
    found: list[Event] = []
    size = looked = 0
    last: Position | None = None
    while not walk.is_done:
        for event in await walk.take(SCAN_EVENTS_MAX):
            if is_wanted(event):
                size += event.size_bytes
                if size > PAGE_BYTES_MAX and found:
                    return found, last
                found.append(event)
            last = _place(event)
            looked += 1
            if len(found) >= limit or looked >= FILTER_EVENTS_MAX:
                return found, last
    return found, None


def _wanted(request: Request) -> Callable[[Event], bool]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException(
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters."
        )
    matches = read_pattern(request.get("filterPattern") or "")
    streams = frozenset(names or ())

    def is_wanted(event: Event) -> bool:
        return (
            (not streams or event.stream in streams)
            and (not prefix or event.stream.startswith(prefix))
            and matches(event.message)
        )

    return is_wanted


async def _searched_group(ctx: Context, request: Request) -> Group:
    """The group. Raises ResourceNotFoundException for it, or for a stream that is named."""
    name, streams = name_of(ctx, request), request.get("logStreamNames") or []

    async def read(tx: Transaction, scope: Scope) -> Group | bool | None:
        group = await store.GROUPS.load(tx, scope, name)
        if group is None:
            return None
        for stream in streams:
            if await store.STREAMS.load(tx, scope, group.uid, stream) is None:
                return False
        return group

    found = await ctx.transact(read)
    if isinstance(found, Group):
        return found
    raise no_group() if found is None else no_stream()


def read_pattern(text: str) -> Matches:
    """A filter pattern as a test. Raises InvalidParameterException."""
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise InvalidParameterException("The filter pattern is longer than 1024 characters.")
    try:
        return parse_filter(text)
    except ValueError as cause:
        raise InvalidParameterException(f"Invalid filter pattern: {cause}") from None
