"""Imports: objects of a bucket into a new table, a thousand rows at a time.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import LogSink
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.copies.limits import (
    IMPORT_ERRORS_MAX,
    IMPORT_ROW_BYTES_MAX,
    IMPORT_ROWS,
)
from cumulet.services.dynamodb.copies.loading import (
    Row,
    distinct,
    groups_of,
    item_of,
    make_row,
    write_rows,
)
from cumulet.services.dynamodb.copies.model import Job, principal_of
from cumulet.services.dynamodb.copies.records import JOBS
from cumulet.services.dynamodb.copies.rows import csv_header, csv_items
from cumulet.services.dynamodb.copies.store import filled_view, load_job
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.store.records import NOWHERE, save_table
from cumulet.services.dynamodb.tables.view import TableView

LOG_GROUP = "/aws-dynamodb/imports"
_GZIP_WINDOW = 31
replace = msgspec.structs.replace


async def import_object(platform: Platform, job: Job) -> bool:
    """Take in one more object; tells whether it was the last one. Raises AwsError, Gone.

    Where it goes on within an object is kept with the rows: `part` counts those that were read.
    """
    assert job.caller is not None
    ctx = platform.context(job.scope, principal_of(job.caller))
    key = await _next_key(ctx, job)
    if key is None:
        await platform.transact(_complete, job.scope, job, platform.clock.now())
        return True
    job = await _take(platform, ctx, job, key)
    await platform.transact(_save, job.scope, _finished(job, key))
    return False


def _finished(job: Job, key: str) -> Job:
    return replace(job, part=0, settings={**job.settings, "last": key})


async def _next_key(ctx: Context, job: Job) -> str | None:
    source: Mapping[str, Any] = job.settings["S3BucketSource"]
    request: dict[str, Any] = {"Bucket": source["S3Bucket"], "MaxKeys": 1}
    if source.get("S3BucketOwner"):
        request["ExpectedBucketOwner"] = source["S3BucketOwner"]
    if source.get("S3KeyPrefix"):
        request["Prefix"] = source["S3KeyPrefix"]
    if job.settings.get("last"):
        request["StartAfter"] = job.settings["last"]
    found = (await ctx.call("s3", "ListObjectsV2", **request)).get("Contents") or []
    return str(found[0]["Key"]) if found else None


async def _take(platform: Platform, ctx: Context, job: Job, key: str) -> Job:
    """Take in an object behind the rows that are there already."""
    view = await platform.transact(_view, job.scope, job)
    source = job.settings["S3BucketSource"]
    answer = await ctx.call("s3", "GetObject", Bucket=source["S3Bucket"], Key=key)
    content = _pieces(answer["Body"])
    if job.settings.get("InputCompressionType") == "GZIP":
        content = _unpacked(content)
    is_csv = job.settings["InputFormat"] == "CSV"
    header: list[str] | None = None
    if is_csv:
        header = _options(job).get("HeaderList")
    number = 0
    batch: list[bytes] = []
    async for record in _records(content, quoted=is_csv):
        if is_csv and header is None:
            header = _header(job, record)
            continue
        number += 1
        if number <= job.part:
            continue
        batch.append(record)
        if len(batch) == IMPORT_ROWS:
            job = await _write(platform, view, job, key, batch, header)
            batch = []
    return await _write(platform, view, job, key, batch, header) if batch else job


async def _pieces(body: Any) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    async for piece in body:
        yield piece


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The content of gzip, which may be of several members. Raises ValidationException."""
    unpacker, is_within = zlib.decompressobj(wbits=_GZIP_WINDOW), False
    try:
        async for piece in pieces:
            left = piece
            while left:
                found = unpacker.decompress(left, IMPORT_ROW_BYTES_MAX)
                left = unpacker.unconsumed_tail or unpacker.unused_data
                is_within = not unpacker.eof
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
                if found:
                    yield found
    except zlib.error as cause:
        raise ValidationException(f"An object is no gzip: {cause}") from cause
    if is_within:
        raise ValidationException("An object is no whole gzip")


async def _records(pieces: AsyncIterator[bytes], *, quoted: bool) -> AsyncIterator[bytes]:
    """Lines, or with `quoted` such as are not broken within double quotes. Bounded in length."""
    rest, pending = b"", b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            whole = pending + line
            if quoted and whole.count(b'"') % 2:
                pending = whole + b"\n"
            else:
                pending = b""
                if whole.strip():
                    yield whole
            if len(pending) > IMPORT_ROW_BYTES_MAX:
                raise ValidationException("A row is longer than an item can be")
        if len(rest) > IMPORT_ROW_BYTES_MAX:
            raise ValidationException("A row is longer than an item can be")
    if (pending + rest).strip():
        yield pending + rest


def _options(job: Job) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (job.settings.get("InputFormatOptions") or {}).get("Csv") or {}
    return found


def _delimiter(job: Job) -> str:
    return str(_options(job).get("Delimiter") or ",")


def _header(job: Job, record: bytes) -> list[str]:
    try:
        return csv_header(_text(record).removeprefix("\ufeff"), _delimiter(job))
    except ValueError as error:
        raise ValidationException(f"A CSV file's header cannot be read: {error}") from None


def _text(record: bytes) -> str:
    try:
        return record.decode().rstrip("\r")
    except UnicodeDecodeError as cause:
        raise ValueError("it is no UTF-8") from cause


def _item(job: Job, view: TableView, record: bytes, header: list[str] | None) -> Item:
    if header is None:
        return item_of(record)
    kinds = view.record.kinds
    (item,) = csv_items([_text(record)], kinds, delimiter=_delimiter(job), header=header)
    return item


async def _write(
    platform: Platform,
    view: TableView,
    job: Job,
    key: str,
    records: list[bytes],
    header: list[str] | None,
) -> Job:
    """Write rows, and note what cannot be written. Raises ValidationException for too much."""
    rows: list[Row] = []
    errors = int(job.settings.get("errors", 0))
    for place, record in enumerate(records, job.part + 1):
        try:
            rows.append(make_row(view, _item(job, view, record, header)))
        except (AwsError, ValueError) as error:
            errors += 1
            said = error.message if isinstance(error, AwsError) else str(error)
            _log(platform, job, key, f"row {place}: {said}")
    further = replace(
        job,
        part=job.part + len(records),
        items=job.items + len(rows),
        size=job.size + sum(map(len, records)),
        settings={**job.settings, "errors": errors},
    )
    groups = list(groups_of(view, distinct(rows)))
    for group in groups[:-1]:
        await platform.transact(_write_group, job.scope, job, group, None)
    await platform.transact(_write_group, job.scope, job, groups[-1], further)
    if errors >= IMPORT_ERRORS_MAX:
        raise ValidationException(
            f"The import was stopped after {errors} rows that could not be written", code=_BAD_ROWS
        )
    return further


_BAD_ROWS = "ItemValidationError"


async def _write_group(
    tx: Transaction, scope: Scope, job: Job, rows: list[Row], further: Job | None
) -> None:
    view = await filled_view(tx, scope, job.table, job.id)
    await write_rows(tx, view, rows, job.started)
    if further is not None and await load_job(tx, job) is not None:
        await JOBS.save(tx, NOWHERE, further)


def _log(platform: Platform, job: Job, key: str, said: str) -> None:
    sink = platform.need(LogSink)
    now_ms = round(platform.clock.now() * 1_000)
    sink.write(job.scope, LOG_GROUP, f"{job.id}/error", now_ms, f"{key}: {said}")


async def _view(tx: Transaction, scope: Scope, job: Job) -> TableView:
    return await filled_view(tx, scope, job.table, job.id)


async def _save(tx: Transaction, scope: Scope, job: Job) -> None:
    if await load_job(tx, job) is not None:
        await JOBS.save(tx, NOWHERE, job)


async def _complete(tx: Transaction, scope: Scope, job: Job, ended: float) -> None:
    """The table can be used. Raises Gone."""
    found = await load_job(tx, job)
    if found is None:
        return
    view = await filled_view(tx, scope, job.table, job.id)
    await save_table(tx, replace(view.record, filling=""))
    await JOBS.save(tx, NOWHERE, replace(found, status="COMPLETED", ended=ended))
