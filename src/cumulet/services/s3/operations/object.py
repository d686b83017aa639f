"""Objects: put, get, head."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import msgspec

from cumulet.core.clock import new_hex, new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    object_resource,
    version_conditions,
    versioned,
    writing,
)
from cumulet.services.s3.conditions import check_read, check_write, evaluate_range
from cumulet.services.s3.content.intake import Taken, give_out, let_go, take_body
from cumulet.services.s3.drafts import draft_of, shown_headers
from cumulet.services.s3.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NoSuchKey,
    NotFound,
    failed_condition,
    no_bucket,
    no_key,
    no_version,
)
from cumulet.services.s3.model import Bucket, Stored, is_same_bucket
from cumulet.services.s3.operations.bucket import find_bucket

Request = dict[str, Any]


async def commit(
    ctx: Context, request: Request, into: Bucket, stored: Stored, content: bytes | None
) -> Stored:
    """Make a finished object current, if the conditions of the request hold.

    When it does not come to that, its blobs are removed again. Raises NoSuchBucket, NoSuchKey,
    PreconditionFailed.
    """
    order = int(ctx.clock.now() * 1e6)
    fresh = new_label(ctx.clock, 21)

    async def write(tx: Transaction, scope: Scope) -> Stored | str | None:
        bucket = await store.BUCKETS.load(tx, scope, stored.bucket)
        if bucket is None or not is_same_bucket(bucket, into):
            return None
        current = await store.OBJECTS.load(tx, scope, stored.bucket, stored.key)
        failed = check_write(request, current)
        if failed is not None:
            missing = failed == "If-Match" and (current is None or current.is_marker)
            return "missing" if missing else failed
        made = msgspec.structs.replace(stored, order=order)
        return await store.put_object(tx, scope, made, content, bucket.versioning, fresh)

    done = await ctx.transact(write)
    if isinstance(done, Stored):
        return done
    for segment in stored.segments:
        await let_go(ctx, segment)
    if done is None:
        raise no_bucket(stored.bucket)
    raise no_key(stored.key) if done == "missing" else failed_condition(done)


@operation(
    "PutObject",
    action=writing,
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def put_object(ctx: Context, request: Request) -> Request:
    """Store one object; it is durable when this answers."""
    bucket = await find_bucket(ctx, request["Bucket"])
    draft = draft_of(ctx, request)
    taken = await take_body(ctx, request)
    stored = finished(ctx, draft, taken)
    made = await commit(ctx, request, bucket, stored, taken.inline)
    return {
        "ETag": f'"{made.etag}"',
        "ServerSideEncryption": made.encryption,
        **made.checksums,
        **({"ChecksumType": made.checksum_type} if made.checksums else {}),
        **_version(bucket, made),
    }


def finished(ctx: Context, draft: Stored, taken: Taken) -> Stored:
    """A draft with its bytes."""
    return msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=taken.size,
        etag=taken.etag,
        content=new_hex(ctx.clock, 24) if taken.inline is not None else "",
        segments=[taken.segment] if taken.segment is not None else [],
        checksums=taken.checksums,
        checksum_type="FULL_OBJECT" if taken.checksums else "",
    )


def _version(bucket: Bucket, stored: Stored) -> Request:
    return {"VersionId": stored.version_id} if bucket.versioning else {}


async def find_object(ctx: Context, request: Request) -> tuple[Bucket, Stored, bytes | None]:
    """The version that a read asks for, and its bytes if few.

    Raises NoSuchKey, NoSuchVersion, MethodNotAllowed; and AccessDenied instead of the first two to
    who may not list the bucket, for whom what is not there is as what is forbidden.
    """
    bucket = await find_bucket(ctx, request["Bucket"])
    key, version_id = request["Key"], request.get("VersionId")
    stored, content = await ctx.transact(store.read_object, bucket.name, key, version_id)
    if stored is None:
        await ctx.call("s3", "HeadBucket", Bucket=bucket.name)
        raise no_version(key, version_id) if version_id else no_key(key)
    if stored.is_marker:
        marked = {"x-amz-delete-marker": "true", "x-amz-version-id": stored.version_id}
        if version_id:
            raise MethodNotAllowed(
                "The specified method is not allowed against this resource.",
                headers=marked
                | {"last-modified": formatdate(stored.modified_ms / 1000, usegmt=True)},
                Method="GET",
                ResourceType="DeleteMarker",
            )
        await ctx.call("s3", "HeadBucket", Bucket=bucket.name)
        raise NoSuchKey("The specified key does not exist.", headers=marked, Key=key)
    return bucket, stored, content


@operation(
    "GetObject",
    action=versioned("GetObject"),
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
    access="anyone",
)
async def get_object(ctx: Context, request: Request) -> Request:
    """One object, a range of it, or one of its parts."""
    bucket, stored, content = await find_object(ctx, request)
    answer, start, end = _answer(bucket, stored, request)
    answer["Body"] = give_out(ctx, stored, content, start, end)
    return answer


@operation(
    "HeadObject",
    action=versioned("GetObject"),
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
    access="anyone",
)
async def head_object(ctx: Context, request: Request) -> Request:
    """What GetObject would say of the object."""
    try:
        bucket, stored, _ = await find_object(ctx, request)
    except NoSuchKey as error:
        raise NotFound("Not Found", headers=error.headers) from None
    return _answer(bucket, stored, request)[0]


def _answer(bucket: Bucket, stored: Stored, request: Request) -> tuple[Request, int, int]:
    """The members of the answer, and the range of bytes that goes with it."""
    check_read(request, stored)
    span = evaluate_range(request.get("Range"), stored.size)
    if number := request.get("PartNumber"):
        if span is not None:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        span = _part_span(stored, number)
    start, end = span or (0, stored.size)
    answer: Request = {
        "AcceptRanges": "bytes",
        "LastModified": stored.modified_ms // 1000,
        "ContentLength": end - start,
        "ETag": f'"{stored.etag}"',
        "ServerSideEncryption": stored.encryption,
        "Metadata": stored.metadata,
        **shown_headers(stored, request),
        **_version(bucket, stored),
    }
    if stored.storage_class != "STANDARD":
        answer["StorageClass"] = stored.storage_class
    if stored.tags:
        answer["TagCount"] = len(stored.tags)
    if stored.parts and number:
        answer["PartsCount"] = len(stored.parts)
    if request.get("ChecksumMode") == "ENABLED" and span is None:
        answer |= stored.checksums
        if stored.checksums:
            answer["ChecksumType"] = stored.checksum_type
    if span is not None:
        answer["ContentRange"] = f"bytes {start}-{end - 1}/{stored.size}"
        answer["ResponseMetadata"] = {"HTTPStatusCode": 206}
    return answer, start, end


def _part_span(stored: Stored, number: int) -> tuple[int, int]:
    start = 0
    for part in stored.parts:
        if part.number == number:
            return start, start + part.size
        start += part.size
    if not stored.parts and number == 1:
        return 0, stored.size
    raise InvalidRequest(
        "The requested partnumber is not satisfiable", code="InvalidPartNumber", http_status=416
    )
