"""Multipart uploads: begin, parts, complete, abort."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from cumulet.blobs.contract import Blobs
from cumulet.blobs.segments import Segment
from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import bucket_policy, object_resource, writing
from cumulet.services.s3.conditions import check_read, check_write, evaluate_range
from cumulet.services.s3.content.assembly import (
    assemble,
    check_part_checksum,
    check_whole,
    checksum_of_upload,
)
from cumulet.services.s3.content.intake import ALGORITHMS, give_out, let_go, take_body
from cumulet.services.s3.content.sources import copied_object, parse_source
from cumulet.services.s3.drafts import draft_of
from cumulet.services.s3.errors import (
    EntityTooLarge,
    InvalidArgument,
    InvalidPartOrder,
    failed_condition,
    malformed_xml,
    no_bucket,
    no_upload,
)
from cumulet.services.s3.limits import (
    OBJECT_PUT_BYTES_MAX,
    PART_NUMBER_MAX,
)
from cumulet.services.s3.model import NULL_VERSION, Part, Stored, Upload, UploadPart
from cumulet.services.s3.operations.bucket import find_bucket

Request = dict[str, Any]


@operation(
    "CreateMultipartUpload",
    action=writing,
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def create_multipart_upload(ctx: Context, request: Request) -> Request:
    """Begin an upload in parts."""
    await find_bucket(ctx, request["Bucket"])
    algorithm, kind = checksum_of_upload(request)
    upload = Upload(
        request["Bucket"],
        request["Key"],
        new_label(ctx.clock, 64),
        int(ctx.clock.now() * 1000),
        draft_of(ctx, request),
        algorithm,
        kind,
    )
    if not await ctx.transact(store.add_upload, upload):
        raise no_bucket(upload.bucket)
    answer: Request = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "ServerSideEncryption": upload.draft.encryption,
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


async def _keep(ctx: Context, upload: Upload, part: Part) -> None:
    if not await ctx.transact(store.add_part, upload, UploadPart(upload.upload_id, part)):
        await let_go(ctx, part.segment)
        raise no_upload(upload.upload_id)


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
    taken = await take_body(ctx, wanted, inline=False)
    now_ms = int(ctx.clock.now() * 1000)
    part = Part(
        request["PartNumber"], taken.size, taken.etag, now_ms, taken.segment, taken.checksums
    )
    await _keep(ctx, upload, part)
    return {
        "ETag": f'"{part.etag}"',
        "ServerSideEncryption": upload.draft.encryption,
        **part.checksums,
    }


@operation(
    "UploadPartCopy", action="s3:PutObject", resource=object_resource, resource_policy=bucket_policy
)
async def upload_part_copy(ctx: Context, request: Request) -> Request:
    """Make a part of a range of another object."""
    _check_number(request["PartNumber"])
    upload = await find_upload(ctx, request)
    bucket, source, content = await copied_object(
        ctx, parse_source(request["CopySource"]), request.get("ExpectedSourceBucketOwner")
    )
    check_read(request, source, "CopySource")
    header = request.get("CopySourceRange")
    start, end = evaluate_range(header, source.size) or (0, source.size)
    if end - start > OBJECT_PUT_BYTES_MAX:
        raise EntityTooLarge("Your proposed upload exceeds the maximum allowed size")
    blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
    found = give_out(ctx, source, content, start, end)
    digests = ("md5", *((upload.algorithm.lower(),) if upload.algorithm else ()))
    if isinstance(found, bytes):
        blob = await blobs.put_bytes(found, digests=digests)
    else:
        blob = await blobs.put(found, digests=digests)
    checksums = {
        f"Checksum{upload.algorithm}": base64.b64encode(blob.digests[digests[1]]).decode()
        for _ in digests[1:]
    }
    part = Part(
        request["PartNumber"],
        blob.size_bytes,
        blob.digests["md5"].hex(),
        int(ctx.clock.now() * 1000),
        Segment(blob.id, blob.size_bytes),
        checksums,
    )
    await _keep(ctx, upload, part)
    answer: Request = {
        "CopyPartResult": {
            "ETag": f'"{part.etag}"',
            "LastModified": part.modified_ms / 1000,
            **checksums,
        },
        "ServerSideEncryption": upload.draft.encryption,
    }
    if bucket.versioning:
        answer["CopySourceVersionId"] = source.version_id
    return answer


@operation(
    "CompleteMultipartUpload",
    action="s3:PutObject",
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def complete_multipart_upload(ctx: Context, request: Request) -> Request:
    """Make the object of its parts, without copying a byte."""
    upload = await find_upload(ctx, request)
    listed = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not listed:
        raise malformed_xml()
    numbers = [entry.get("PartNumber", 0) for entry in listed]
    if numbers != sorted(set(numbers)):
        raise InvalidPartOrder(
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            UploadId=upload.upload_id,
        )
    stored = assemble(upload, listed, await _parts(ctx, upload))
    check_whole(request, upload, stored)
    stored = msgspec.structs.replace(stored, modified_ms=int(ctx.clock.now() * 1000))
    made = await _commit(ctx, request, upload, stored)
    answer: Request = {
        "Location": f"{ctx.endpoint}/{upload.bucket}/{upload.key}",
        "Bucket": upload.bucket,
        "Key": upload.key,
        "ETag": f'"{made.etag}"',
        "ServerSideEncryption": made.encryption,
        **made.checksums,
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

    async def write(tx: Transaction, scope: Scope) -> Stored | str | None:
        bucket = await store.BUCKETS.load(tx, scope, upload.bucket)
        if bucket is None or await store.UPLOADS.load(tx, scope, *store.UPLOADS.key_of(upload)) is (
            None
        ):
            return None
        failed = check_write(
            request, await store.OBJECTS.load(tx, scope, upload.bucket, upload.key)
        )
        if failed is not None:
            return failed
        await store.drop_upload(tx, scope, upload, stored.modified_ms, stored)
        made = msgspec.structs.replace(stored, order=order)
        return await store.put_object(tx, scope, made, None, bucket.versioning, fresh)

    done = await ctx.transact(write)
    if done is None:
        raise no_upload(upload.upload_id)
    if isinstance(done, str):
        raise failed_condition(done)
    return done


@operation(
    "AbortMultipartUpload", resource=object_resource, resource_policy=bucket_policy, access="anyone"
)
async def abort_multipart_upload(ctx: Context, request: Request) -> None:
    """Give an upload up; its parts are removed."""
    upload = await find_upload(ctx, request)
    await ctx.transact(store.drop_upload, upload, int(ctx.clock.now() * 1000))
