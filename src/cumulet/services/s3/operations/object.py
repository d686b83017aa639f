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
    object_policy,
    object_resource,
    version_conditions,
    versioned,
    write_conditions,
    write_policy,
    writing,
)
from cumulet.services.s3.content.intake import ALGORITHMS, Taken, give_out, let_go, take_body
from cumulet.services.s3.content.keys import check_key, customer_key, key_of, told
from cumulet.services.s3.drafts import draft_of, prepared, shown_headers
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
from cumulet.services.s3.rules.conditions import check_read, check_write, evaluate_range
from cumulet.services.s3.rules.lifecycle import expiration_of
from cumulet.services.s3.rules.locks import shown_lock
from cumulet.services.s3.store.events import told_of

Request = dict[str, Any]


async def commit(
    ctx: Context,
    request: Request,
    into: Bucket,
    stored: Stored,
    content: bytes | None,
    event: str = "ObjectCreated:Put",
) -> Stored:
    """Make a finished object current, if the conditions of the request hold.

    When it does not come to that, its blobs are removed again. Raises NoSuchBucket, NoSuchKey,
    PreconditionFailed.
    """
    order = int(ctx.clock.now() * 1e6)
    fresh = new_label(ctx.clock, 21)
    happened = told_of(ctx, event)

    async def write(tx: Transaction, scope: Scope) -> Stored | str | None:
        bucket = await store.BUCKETS.load(tx, scope, stored.bucket)
        if bucket is None or not is_same_bucket(bucket, into):
            return None
        current = await store.OBJECTS.load(tx, scope, stored.bucket, stored.key)
        failed = check_write(request, current)
        if failed is not None:
            return failed
        made = msgspec.structs.replace(stored, order=order)
        made = await store.put_object(tx, scope, made, content, current, bucket.versioning, fresh)
        happened.note(tx, scope, bucket, made)
        return made

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
    resource_policy=write_policy,
    conditions=write_conditions,
    access="anyone",
)
async def put_object(ctx: Context, request: Request) -> Request:
    """Store one object; it is durable when this answers."""
    bucket = await find_bucket(ctx, request["Bucket"])
    draft = await prepared(ctx, request, bucket, draft_of(ctx, request))
    is_form = ctx.request is not None and ctx.request.method == "POST"
    event = "ObjectCreated:Post" if is_form else "ObjectCreated:Put"
    return await store_body(ctx, request, bucket, draft, event)


async def store_body(
    ctx: Context, request: Request, bucket: Bucket, draft: Stored, event: str
) -> Request:
    """Take in the body of a request and make the draft an object."""
    key = key_of(ctx, draft, customer_key(request))
    if draft.lock is not None and not request.get("ContentMD5"):
        check_has_checksum(request)
    taken = await take_body(ctx, request, key)
    stored = finished(ctx, draft, taken)
    made = await commit(ctx, request, bucket, stored, taken.inline, event)
    answer: Request = {
        "ETag": f'"{made.etag}"',
        **told(made),
        **made.checksums,
        **_version(bucket, made),
        **expiration_of(bucket, made),
    }
    if made.checksums:
        answer["ChecksumType"] = made.checksum_type
    return answer


def check_has_checksum(request: Request) -> None:
    """A version that will be locked must come with a checksum. Raises InvalidRequest.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    has = any(request.get(name) for name in ALGORITHMS) or request.get("ChecksumAlgorithm")
    if not has and not getattr(request["Body"], "declared", ()):
        raise InvalidRequest(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with "
            "Object Lock parameters"
        )


def finished(ctx: Context, draft: Stored, taken: Taken) -> Stored:
    """A draft with its bytes."""
    return msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=taken.size,
        etag=taken.etag,
        content=new_hex(ctx.clock, 24) if taken.inline is not None else "",
        segments=[taken.segment] if taken.segment is not None else [],
        salts=[taken.salt] if taken.salt else [],
        checksums=taken.checksums,
        checksum_type="FULL_OBJECT" if taken.checksums else "",
    )


def _version(bucket: Bucket, stored: Stored) -> Request:
    return {"VersionId": stored.version_id} if bucket.versioning else {}


async def find_object(ctx: Context, request: Request) -> tuple[Bucket, Stored, bytes | None]:
    """The version that a read asks for, and its bytes if few, as they are stored.

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
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def get_object(ctx: Context, request: Request) -> Request:
    """One object, a range of it, or one of its parts."""
    bucket, stored, content = await find_object(ctx, request)
    answer, start, end = _answer(bucket, stored, request)
    key = key_of(ctx, stored, customer_key(request))
    answer["Body"] = give_out(ctx, stored, content, start, end, key)
    return answer


@operation(
    "HeadObject",
    action=versioned("GetObject"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def head_object(ctx: Context, request: Request) -> Request:
    """What GetObject would say of the object."""
    try:
        bucket, stored, _ = await find_object(ctx, request)
    except NoSuchKey as error:
        raise NotFound("Not Found", headers=error.headers) from None
    check_key(customer_key(request), stored.sealing)
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
        "Metadata": stored.metadata,
        **told(stored),
        **shown_headers(stored, request),
        **shown_lock(stored.lock),
        **_version(bucket, stored),
        **expiration_of(bucket, stored),
    }
    if stored.storage_class != "STANDARD":
        answer["StorageClass"] = stored.storage_class
    if stored.tags:
        answer["TagCount"] = len(stored.tags)
    if stored.parts and number:
        answer["PartsCount"] = len(stored.parts)
    if request.get("ChecksumMode") == "ENABLED":
        told_sums = stored.checksums if span is None else _part_checksums(stored, number)
        answer |= told_sums
        if told_sums:
            answer["ChecksumType"] = stored.checksum_type
    if span is not None:
        answer["ContentRange"] = f"bytes {start}-{end - 1}/{stored.size}"
        answer["ResponseMetadata"] = {"HTTPStatusCode": 206}
    return answer, start, end


def _part_checksums(stored: Stored, number: int | None) -> dict[str, str]:
    parts = (part.checksums for part in stored.parts if part.number == number)
    return next(parts, stored.checksums if number else {})


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
