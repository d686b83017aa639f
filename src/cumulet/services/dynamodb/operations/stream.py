"""Streams: ListStreams, DescribeStream, GetShardIterator, GetRecords.

A stream has one shard, which ends when the stream is turned off; its records keep the order of
the commits, so that the changes of an item come in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.core.usage import STREAM_READS
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    ExpiredIteratorException,
    ResourceNotFoundException,
    TrimmedDataAccessException,
    ValidationException,
)
from cumulet.services.dynamodb.items.packing import plain_item
from cumulet.services.dynamodb.limits import (
    ITERATOR_SECONDS,
    STREAM_RECORDS_MAX,
    STREAM_SECONDS_KEPT,
    STREAMS_LISTED_MAX,
)
from cumulet.services.dynamodb.model import Stream
from cumulet.services.dynamodb.plans.answers import is_for_wire
from cumulet.services.dynamodb.store import changes as store
from cumulet.services.dynamodb.store.changes import PLACE_BYTES, ChangeRecord
from cumulet.services.dynamodb.tables.metering import measure_records

Request = Mapping[str, Any]
_DIGITS = 29
_FIRST = "1" + "0" * _DIGITS
_BAD_ITERATOR = "Invalid ShardIterator"


def sequence_number(place: bytes) -> str:
    """The sequence number of a place in a stream."""
    return f"1{int.from_bytes(place, 'big'):0{_DIGITS}d}"


def place_of_number(number: str) -> bytes:
    """The place of a sequence number. Raises ValidationException."""
    if not number.isascii() or not number.isdigit() or len(number) != len(_FIRST):
        raise ValidationException(f"Invalid SequenceNumber: {number}")
    try:
        return int(number[1:]).to_bytes(PLACE_BYTES, "big")
    except OverflowError:
        raise ValidationException(f"Invalid SequenceNumber: {number}") from None


def _iterator_arn(ctx: Context, request: Request) -> str:
    """The stream of an iterator, for which the permission is asked."""
    return str(_read_iterator(request["ShardIterator"])[0])


def _read_iterator(text: str) -> list[Any]:
    try:
        found = read_token(text)
    except ValueError:
        raise ValidationException(_BAD_ITERATOR) from None
    kinds = (str, str, float)
    if not isinstance(found, list) or [type(one) for one in found] != list(kinds):
        raise ValidationException(_BAD_ITERATOR)
    return found


async def _need_stream(ctx: Context, arn: str) -> Stream:
    parsed = parse_arn(arn)
    parts = parsed.resource.split("/") if parsed is not None else []
    if parsed is None or len(parts) != 4 or parts[0] != "table" or parts[2] != "stream":
        raise ValidationException(f"Invalid StreamArn: {arn}")
    found = await ctx.transact(_load, parsed.account, parsed.region, parts[1], parts[3])
    if found is None:
        raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")
    return found


async def _load(
    tx: Transaction, scope: Scope, account: str, region: str, table: str, label: str
) -> Stream | None:
    return await store.load_stream(tx, account, region, table, label)


@operation("ListStreams", resource=permissions.streams_of)
async def list_streams(ctx: Context, request: Request) -> dict[str, Any]:
    """The streams of the account or of one table, also those turned off within a day."""
    limit = request.get("Limit") or STREAMS_LISTED_MAX
    if limit > STREAMS_LISTED_MAX:
        raise _too_many(limit, STREAMS_LISTED_MAX)
    given = request.get("ExclusiveStartStreamArn")
    after = None if given is None else await _need_stream(ctx, given)
    found = await ctx.transact(_scan, request.get("TableName"), limit + 1, after)
    shown = [
        {"StreamArn": one.arn, "TableName": one.table, "StreamLabel": one.label}
        for one in found[:limit]
    ]
    answer: dict[str, Any] = {"Streams": shown}
    if len(found) > limit:
        answer["LastEvaluatedStreamArn"] = found[limit - 1].arn
    return answer


def _too_many(limit: int, most: int) -> ValidationException:
    return ValidationException(
        f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
        f"Member must have value less than or equal to {most}"
    )


async def _scan(
    tx: Transaction, scope: Scope, table: str | None, limit: int, after: Stream | None
) -> list[Stream]:
    return await store.scan_streams(tx, scope, table, limit=limit, after=after)


@operation("DescribeStream", resource=permissions.stream_given)
async def describe_stream(ctx: Context, request: Request) -> dict[str, Any]:
    """A stream with its shard."""
    stream = await _need_stream(ctx, request["StreamArn"])
    last = await ctx.transact(_last, stream) if stream.closed else None
    numbers = {"StartingSequenceNumber": _FIRST}
    if stream.closed:
        numbers["EndingSequenceNumber"] = _FIRST if last is None else sequence_number(last)
    shards = [{"ShardId": stream.shard, "SequenceNumberRange": numbers}]
    after = request.get("ExclusiveStartShardId")
    wanted = request.get("ShardFilter")
    if wanted is not None and (wanted.get("Type") is None or wanted.get("ShardId") is None):
        raise ValidationException("A ShardFilter needs a Type and a ShardId")
    if (after is not None and after >= stream.shard) or wanted is not None:
        # The only shard has no children, which is all that a filter can ask for.
        shards = []
    names = [{"AttributeName": stream.hash, "KeyType": "HASH"}]
    if stream.range:
        names.append({"AttributeName": stream.range, "KeyType": "RANGE"})
    return {
        "StreamDescription": {
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": "DISABLED" if stream.closed else "ENABLED",
            "StreamViewType": stream.view,
            "CreationRequestDateTime": stream.created,
            "TableName": stream.table,
            "KeySchema": names,
            "Shards": shards,
        }
    }


async def _last(tx: Transaction, scope: Scope, stream: Stream) -> bytes | None:
    return await store.last_place(tx, stream)


@operation("GetShardIterator", resource=permissions.stream_given)
async def get_shard_iterator(ctx: Context, request: Request) -> dict[str, Any]:
    """Where to begin to read a shard."""
    stream = await _need_stream(ctx, request["StreamArn"])
    if request["ShardId"] != stream.shard:
        raise ResourceNotFoundException(
            f"Requested resource not found: Shard does not exist: {request['ShardId']}"
        )
    place = await _begin(ctx, stream, request)
    return {"ShardIterator": _iterator(ctx, stream, place)}


def _iterator(ctx: Context, stream: Stream, place: bytes) -> str:
    return make_token([stream.arn, place.hex(), float(ctx.clock.now())])


async def _begin(ctx: Context, stream: Stream, request: Request) -> bytes:
    kind = request["ShardIteratorType"]
    if request.get("SequenceNumber") is not None and not kind.endswith("SEQUENCE_NUMBER"):
        raise ValidationException(
            f"SequenceNumber cannot be given for the ShardIteratorType {kind}"
        )
    match kind:
        case "TRIM_HORIZON":
            return b""
        case "LATEST":
            last = await ctx.transact(_last, stream)
            return b"" if last is None else last + b"\0"
        case "AT_TIMESTAMP":
            return await _at_time(ctx, stream, request.get("Timestamp"))
    number = request.get("SequenceNumber")
    if number is None:
        raise ValidationException(f"SequenceNumber is required for the ShardIteratorType {kind}")
    place = place_of_number(number)
    if stream.trimmed and place <= stream.trimmed:
        raise TrimmedDataAccessException(
            "The operation attempted to read past the oldest stream record in a shard."
        )
    after = kind == "AFTER_SEQUENCE_NUMBER"
    return place + b"\0" if after else place


async def _at_time(ctx: Context, stream: Stream, time: float | None) -> bytes:
    if time is None:
        raise ValidationException("Timestamp is required for the ShardIteratorType AT_TIMESTAMP")
    place, found = b"", False
    while not found:
        place, found = await ctx.transact(_look, stream, place, round(time * 1000))
    return place


async def _look(
    tx: Transaction, scope: Scope, stream: Stream, begin: bytes, time_ms: int
) -> tuple[bytes, bool]:
    return await store.place_at(tx, stream, begin, time_ms)


@operation("GetRecords", resource=_iterator_arn)
async def get_records(ctx: Context, request: Request) -> dict[str, Any]:
    """The next changes of a shard, and where to read on."""
    arn, place_text, made = _read_iterator(request["ShardIterator"])
    if ctx.clock.now() - made > ITERATOR_SECONDS:
        raise ExpiredIteratorException("The shard iterator has expired.")
    limit = request.get("Limit") or STREAM_RECORDS_MAX
    if limit > STREAM_RECORDS_MAX:
        raise _too_many(limit, STREAM_RECORDS_MAX)
    stream = await _need_stream(ctx, arn)
    try:
        place = bytes.fromhex(place_text)
    except ValueError:
        raise ValidationException(_BAD_ITERATOR) from None
    if ctx.request is not None:
        # Lambda's own reads are free: https://aws.amazon.com/dynamodb/pricing/on-demand/
        ctx.need(Usage).used(ctx.scope, arn.partition("/stream/")[0], STREAM_READS, 1.0, ctx.trace)
    found = await ctx.transact(_read, stream, place, limit)
    oldest_ms = (ctx.clock.now() - STREAM_SECONDS_KEPT) * 1000
    records = [_record(stream, one) for one in found if one.time_ms >= oldest_ms]
    measure_records(ctx, stream, [record["dynamodb"]["SizeBytes"] for record in records])
    answer: dict[str, Any] = {}
    if is_for_wire(ctx):
        answer["Records"] = orjson.Fragment(orjson.dumps(records))
    else:
        answer["Records"] = [_plain(record) for record in records]
    if found or not stream.closed:
        after = found[-1].place + b"\0" if found else place
        answer["NextShardIterator"] = _iterator(ctx, stream, after)
    return answer


async def _read(
    tx: Transaction, scope: Scope, stream: Stream, begin: bytes, limit: int
) -> list[ChangeRecord]:
    return await store.read_changes(tx, stream, begin, limit)


def _record(stream: Stream, change: ChangeRecord) -> dict[str, Any]:
    told = dict(change.told)
    name, identity = told.pop("eventName"), told.pop("userIdentity", None)
    told["ApproximateCreationDateTime"] = change.time_ms // 1000
    told["SequenceNumber"] = sequence_number(change.place)
    told["StreamViewType"] = stream.view
    record: dict[str, Any] = {
        "eventID": blake2b(stream.data + change.place, digest_size=16).hexdigest(),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": stream.region,
        "dynamodb": told,
    }
    if identity is not None:
        record["userIdentity"] = identity
    return record


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    told = record["dynamodb"]
    for name in ("Keys", "NewImage", "OldImage"):
        if name in told:
            told[name] = plain_item(told[name])
    return record
