"""Exports: a table as it was at a moment, into a bucket, one file at a time.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import asyncio
import zlib
from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import Any

import msgspec
import orjson

from cumulet.core.clock import iso_time
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.copies.limits import (
    EXPORT_FILE_BYTES_MAX,
    EXPORT_FILES_MAX,
    PART_ITEMS,
)
from cumulet.services.dynamodb.copies.model import Job, principal_of
from cumulet.services.dynamodb.copies.records import JOBS
from cumulet.services.dynamodb.copies.store import end_copy, load_job, source_of
from cumulet.services.dynamodb.errors import LimitExceededException
from cumulet.services.dynamodb.items.packing import packed_size, wire_form
from cumulet.services.dynamodb.store.history import Part, read_part
from cumulet.services.dynamodb.store.records import NOWHERE

_GZIP_WINDOW = 31
replace = msgspec.structs.replace


def folder_of(job: Job) -> str:
    """With what the keys of an export's objects begin."""
    prefix = job.settings.get("S3Prefix") or ""
    return f"{prefix.rstrip('/')}/AWSDynamoDB/{job.id}" if prefix else f"AWSDynamoDB/{job.id}"


async def export_file(platform: Platform, job: Job) -> bool:
    """Write one more file of an export; tells whether it was the last one. Raises AwsError, Gone.

    A file that was written when the process ended is written again, under the same name.
    """
    assert job.caller is not None
    ctx = platform.context(job.scope, principal_of(job.caller))
    if not job.part and not job.cursor:
        await _put(ctx, job, f"{folder_of(job)}/_started", b"")
    if job.part >= EXPORT_FILES_MAX:
        raise LimitExceededException("The table is too large to be exported")
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    content, raw, items, size = bytearray(), 0, 0, 0
    cursor: bytes | None = job.cursor
    while cursor is not None and raw < EXPORT_FILE_BYTES_MAX:
        part: Part = await platform.transact(_read, job.scope, job, cursor)
        lines = b"".join(b'{"Item":' + wire_form(packed) + b"}\n" for _, packed in part.rows)
        content += await asyncio.to_thread(packer.compress, lines)
        raw += len(lines)
        items += len(part.rows)
        size += sum(packed_size(packed) for _, packed in part.rows)
        cursor = part.cursor
    content += packer.flush()
    key = f"{folder_of(job)}/data/{job.part:06d}{job.id[-8:]}.json.gz"
    etag = await _put(ctx, job, key, bytes(content))
    written = {
        "itemCount": items,
        "md5Checksum": b64encode(md5(content, usedforsecurity=False).digest()).decode(),
        "etag": etag,
        "dataFileS3Key": key,
    }
    further = replace(
        job,
        cursor=cursor or b"",
        part=job.part + 1,
        items=job.items + items,
        size=job.size + size,
        done=[*job.done, written],
    )
    if cursor is not None:
        await platform.transact(_go_on, job.scope, further)
        return False
    await _finish(platform, ctx, further)
    return True


async def _read(tx: Transaction, scope: Scope, job: Job, cursor: bytes) -> Part:
    return await read_part(tx, await source_of(tx, job), cursor, PART_ITEMS)


async def _go_on(tx: Transaction, scope: Scope, job: Job) -> None:
    if await load_job(tx, job) is not None:
        await JOBS.save(tx, NOWHERE, job)


async def _put(ctx: Context, job: Job, key: str, content: bytes) -> str:
    """Write an object as the caller; returns its ETag. Raises AwsError."""
    request: dict[str, Any] = {
        "Bucket": job.settings["S3Bucket"],
        "Key": key,
        "Body": BytesBody(content),
    }
    if job.settings.get("S3BucketOwner"):
        request["ExpectedBucketOwner"] = job.settings["S3BucketOwner"]
    if job.settings.get("S3SseAlgorithm"):
        request["ServerSideEncryption"] = job.settings["S3SseAlgorithm"]
    answer: Mapping[str, Any] = await ctx.call("s3", "PutObject", **request)
    return str(answer["ETag"]).strip('"')


async def _finish(platform: Platform, ctx: Context, job: Job) -> None:
    folder = folder_of(job)
    ended = platform.clock.now()
    files = b"".join(orjson.dumps(one) + b"\n" for one in job.done)
    summary = orjson.dumps(_summary(job, ended))
    for name, content in (("manifest-files", files), ("manifest-summary", summary)):
        await _put(ctx, job, f"{folder}/{name}.json", content)
        digest = b64encode(md5(content, usedforsecurity=False).digest())
        await _put(ctx, job, f"{folder}/{name}.checksum", digest)
    await platform.transact(_complete, job.scope, job, ended)


async def _complete(tx: Transaction, scope: Scope, job: Job, ended: float) -> None:
    if await load_job(tx, job) is None:
        return
    await JOBS.save(tx, NOWHERE, replace(job, status="COMPLETED", ended=ended))
    await end_copy(tx, job)


def _summary(job: Job, ended: float) -> dict[str, Any]:
    return {
        "version": "2020-06-30",
        "exportArn": job.arn,
        "startTime": iso_time(job.started),
        "endTime": iso_time(ended),
        "tableArn": job.arn.partition("/export/")[0],
        "tableId": job.table_id,
        "exportTime": iso_time(job.settings["ExportTime"]),
        "s3Bucket": job.settings["S3Bucket"],
        "s3Prefix": job.settings.get("S3Prefix"),
        "s3SseAlgorithm": job.settings.get("S3SseAlgorithm") or "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{folder_of(job)}/manifest-files.json",
        "billedSizeBytes": job.size,
        "itemCount": job.items,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }


def failure_code(error: AwsError) -> str:
    """What a failed export or import calls an error of S3."""
    return f"S3{error.code}" if error.code.startswith("NoSuch") else error.code
