"""Multipart uploads: begin, parts, complete, abort."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    object_resource,
    write_conditions,
    write_policy,
    writing,
)
from cumulet.services.s3.content.assembly import (
    assemble,
    check_part_checksum,
    check_whole,
    checksum_of_upload,
)
from cumulet.services.s3.content.intake import (
    ALGORITHMS,
    Taken,
    give_out,
    let_go,
    take_body,
    take_pieces,
)
from cumulet.services.s3.content.keys import CustomerKey, ObjectKey, customer_key, key_of, told
from cumulet.services.s3.content.sources import copied_object, parse_source
from cumulet.services.s3.drafts import draft_of, prepared
from cumulet.services.s3.errors import (
    EntityTooLarge,
    InvalidArgument,
    InvalidPartOrder,
    InvalidRange,
    InvalidRequest,
    NoSuchUpload,
    failed_condition,
    malformed_xml,
    no_bucket,
    no_key,
    no_upload,
)
from cumulet.services.s3.limits import (
    OBJECT_PUT_BYTES_MAX,
    PART_NUMBER_MAX,
)
from cumulet.services.s3.model import NULL_VERSION, Part, Stored, Upload, UploadPart
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.copy import pieces_of
from cumulet.services.s3.rules.conditions import check_read, check_write, evaluate_range
from cumulet.services.s3.rules.lifecycle import expiration_of
from cumulet.services.s3.store.events import told_of

Request = dict[str, Any]

_SOURCE_RANGE = re.compile(r"bytes=\d+-\d+\Z")


@operation(
    "CreateMultipartUpload",
    action=writing,
    resource=object_resource,
    resource_policy=write_policy,
    conditions=write_conditions,
    access="anyone",
)
async def create_multipart_upload(ctx: Context, request: Request) -> Request:
    """Begin an upload in parts."""
    bucket = await find_bucket(ctx, request["Bucket"])
    algorithm, kind = checksum_of_upload(request)
    upload = Upload(
        request["Bucket"],
        request["Key"],
        new_label(ctx.clock, 64),
        int(ctx.clock.now() * 1000),
        await prepared(ctx, request, bucket, draft_of(ctx, request)),
        algorithm,
        kind,
        ctx.caller.account,
    )
    if not await ctx.transact(store.add_upload, upload):
        raise no_bucket(upload.bucket)
    answer: Request = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        **told(upload.draft),
    }
    if algorithm:
        answer |= {"ChecksumAlgorithm": algorithm, "ChecksumType": upload.checksum_type}
    return answer


async def find_upload(ctx: Context, request: Request) -> Upload:
    """The upload of the request. Raises NoSuchBucket, NoSuchUpload."""
    await find_bucket(ctx, request["Bucket"])
    upload_id = request["UploadId"]
    upload = await ctx.transact(store.load_upload, request["Bucket"], request["Key"], upload_id)
    if upload is None:
        raise no_upload(upload_id)
    return upload


def _check_number(number: int) -> None:
    if not 1 <= number <= PART_NUMBER_MAX:
        raise InvalidArgument(
            f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )


def _key_of(ctx: Context, key: CustomerKey | None, upload: Upload) -> ObjectKey:
    """The key of a part, which must be the upload's. Raises InvalidRequest."""
    try:
        return key_of(ctx, upload.draft, key)
    except (AccessDenied, InvalidRequest):
        raise InvalidRequest(
            "The multipart upload initiate requested encryption. Subsequent part requests must "
            "include the appropriate encryption parameters."
            if upload.draft.sealing is not None
            else "The multipart upload initiate did not request encryption. Please resend the "
            "request without the encryption parameters."
        ) from None


async def _keep(ctx: Context, request: Request, upload: Upload, taken: Taken) -> Part:
    part = Part(
        request["PartNumber"],
        taken.size,
        taken.etag,
        int(ctx.clock.now() * 1000),
        taken.segment,
        taken.checksums,
        taken.salt,
    )
    if not await ctx.transact(store.add_part, upload, UploadPart(upload.upload_id, part)):
        await let_go(ctx, part.segment)
        raise no_upload(upload.upload_id)
    return part


@operation(
    "UploadPart",
    action="s3:PutObject",
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def upload_part(ctx: Context, request: Request) -> Request:
    """Take in one part; it replaces one of the same number."""
    _check_number(request["PartNumber"])
    upload = await find_upload(ctx, request)
    wanted = dict(request)
    check_part_checksum(request, upload)
    if upload.algorithm and not any(request.get(name) for name in ALGORITHMS):
        wanted.setdefault("ChecksumAlgorithm", upload.algorithm)
    key = _key_of(ctx, customer_key(request), upload)
    part = await _keep(ctx, request, upload, await take_body(ctx, wanted, key, inline=False))
    return {
        "ETag": f'"{part.etag}"',
        **told(upload.draft),
        **part.checksums,
    }


@operation(
    "UploadPartCopy", action="s3:PutObject", resource=object_resource, resource_policy=bucket_policy
)
async def upload_part_copy(ctx: Context, request: Request) -> Request:
    """Make a part of a range of another object."""
    _check_number(request["PartNumber"])
    upload = await find_upload(ctx, request)
    key = _key_of(ctx, customer_key(request), upload)
    bucket, source, content, source_key = await copied_object(
        ctx, parse_source(request["CopySource"]), request
    )
    check_read(request, source, "CopySource")
    start, end = _source_range(request, source)
    members = (f"Checksum{upload.algorithm}",) if upload.algorithm else ()
    found = give_out(ctx, source, content, start, end, source_key)
    part = await _keep(ctx, request, upload, await take_pieces(ctx, pieces_of(found), members, key))
    answer: Request = {
        "CopyPartResult": {
            "ETag": f'"{part.etag}"',
            "LastModified": part.modified_ms / 1000,
            **part.checksums,
        },
        **told(upload.draft),
    }
    if bucket.versioning:
        answer["CopySourceVersionId"] = source.version_id
    return answer


def _source_range(request: Request, source: Stored) -> tuple[int, int]:
    """The range of the source that becomes a part. Raises InvalidArgument, InvalidRange."""
    header = request.get("CopySourceRange")
    if header and _SOURCE_RANGE.match(header) is None:
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    if header and int(header.rpartition("-")[2]) >= source.size:
        raise InvalidRange(
            f"Range specified is not valid for source object of size: {source.size}",
            http_status=416,
        )
    start, end = evaluate_range(header, source.size) or (0, source.size)
    if end - start > OBJECT_PUT_BYTES_MAX:
        raise EntityTooLarge("Your proposed upload exceeds the maximum allowed size")
    return start, end


@operation(
    "CompleteMultipartUpload",
    action="s3:PutObject",
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def complete_multipart_upload(ctx: Context, request: Request) -> Request:
    """Make the object of its parts, without copying a byte."""
    listed = (request.get("MultipartUpload") or {}).get("Parts") or []
    try:
        upload = await find_upload(ctx, request)
    except NoSuchUpload:
        # Who did not get the answer asks again.
        made = await _completed(ctx, request, listed)
        if made is None:
            raise
        return await _told_completed(ctx, made)
    if not listed:
        raise malformed_xml()
    if (key := customer_key(request)) is not None:
        _key_of(ctx, key, upload)
    numbers = [entry.get("PartNumber", 0) for entry in listed]
    if numbers != sorted(set(numbers)):
        raise InvalidPartOrder(
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            UploadId=upload.upload_id,
        )
    stored = assemble(upload, listed, await _parts(ctx, upload))
    check_whole(request, upload, stored)
    stored = msgspec.structs.replace(stored, modified_ms=int(ctx.clock.now() * 1000))
    return await _told_completed(ctx, await _commit(ctx, request, upload, stored))


async def _completed(ctx: Context, request: Request, listed: list[Request]) -> Stored | None:
    """The current version, if it was made of this upload and these parts."""
    made = await ctx.transact(store.load_object, request["Bucket"], request["Key"], None)
    if made is None or made.upload_id != request["UploadId"]:
        return None
    given = [(entry.get("PartNumber"), (entry.get("ETag") or "").strip('"')) for entry in listed]
    return made if given == [(part.number, part.etag) for part in made.parts] else None


async def _told_completed(ctx: Context, made: Stored) -> Request:
    bucket = await find_bucket(ctx, made.bucket)
    answer: Request = {
        "Location": f"{ctx.endpoint}/{made.bucket}/{made.key}",
        "Bucket": made.bucket,
        "Key": made.key,
        "ETag": f'"{made.etag}"',
        **made.checksums,
        **(told(made) if made.sealing is None else {}),
        **expiration_of(bucket, made),
    }
    if made.checksums:
        answer["ChecksumType"] = made.checksum_type
    if made.version_id != NULL_VERSION:
        answer["VersionId"] = made.version_id
    return answer


async def _parts(ctx: Context, upload: Upload) -> dict[int, Part]:
    found = await ctx.transact(store.load_parts, upload.upload_id)
    return {entry.part.number: entry.part for entry in found}


async def _commit(ctx: Context, request: Request, upload: Upload, stored: Stored) -> Stored:
    order = int(ctx.clock.now() * 1e6)
    fresh = new_label(ctx.clock, 21)
    happened = told_of(ctx, "ObjectCreated:CompleteMultipartUpload")

    async def write(tx: Transaction, scope: Scope) -> Stored | str | None:
        bucket = await store.BUCKETS.load(tx, scope, upload.bucket)
        if bucket is None or await store.UPLOADS.load(tx, scope, *store.UPLOADS.key_of(upload)) is (
            None
        ):
            return None
        current = await store.OBJECTS.load(tx, scope, upload.bucket, upload.key)
        failed = check_write(request, current)
        if failed is not None:
            return failed
        await store.drop_upload(tx, scope, upload, stored.modified_ms, stored)
        made = msgspec.structs.replace(stored, order=order)
        made = await store.put_object(tx, scope, made, None, current, bucket.versioning, fresh)
        happened.note(tx, scope, bucket, made)
        return made

    done = await ctx.transact(write)
    if done is None:
        raise no_upload(upload.upload_id)
    if isinstance(done, str):
        raise no_key(upload.key) if done == "missing" else failed_condition(done)
    return done


@operation(
    "AbortMultipartUpload", resource=object_resource, resource_policy=bucket_policy, access="anyone"
)
async def abort_multipart_upload(ctx: Context, request: Request) -> None:
    """Give an upload up; its parts are removed."""
    upload = await find_upload(ctx, request)
    await ctx.transact(store.drop_upload, upload, int(ctx.clock.now() * 1000))
