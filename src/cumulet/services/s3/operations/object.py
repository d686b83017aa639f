"""Objects: put, get, head, copy, delete."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.blobs.contract import Blobs
from cumulet.blobs.segments import Segment
from cumulet.core.clock import new_hex, new_label
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    bucket_resource,
    object_resource,
    version_conditions,
    versioned,
)
from cumulet.services.s3.conditions import check_read, check_write, evaluate_range
from cumulet.services.s3.drafts import draft_of, redraft, shown_headers
from cumulet.services.s3.errors import (
    InvalidRequest,
    MalformedXML,
    MethodNotAllowed,
    NoSuchKey,
    NotFound,
    failed_condition,
    no_key,
    no_version,
)
from cumulet.services.s3.limits import INLINE_BYTES_MAX, LIST_KEYS_MAX
from cumulet.services.s3.model import NULL_VERSION, Bucket, Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.sources import copied_object, parse_source
from cumulet.services.s3.upload import Taken, give_out, take_body

Request = dict[str, Any]


async def commit(ctx: Context, request: Request, stored: Stored, content: bytes | None) -> Stored:
    """Make a finished object current, if the conditions of the request hold."""
    order = int(ctx.clock.now() * 1e6)
    fresh = new_label(ctx.clock, 32)

    async def write(tx: Transaction, scope: Scope) -> Stored | str | None:
        bucket = await store.BUCKETS.load(tx, scope, stored.bucket)
        if bucket is None:
            return None
        current = await store.OBJECTS.load(tx, scope, stored.bucket, stored.key)
        failed = check_write(request, current)
        if failed is not None:
            missing = failed == "If-Match" and (current is None or current.is_marker)
            return "missing" if missing else failed
        version = fresh if bucket.versioning == "Enabled" else NULL_VERSION
        made = msgspec.structs.replace(stored, version_id=version, order=order)
        await store.put_object(tx, scope, made, content, bucket.versioning)
        return made

    done = await ctx.transact(write)
    if done is None:
        # The bucket went while the body came: nothing refers to the bytes, and they are swept.
        await find_bucket(ctx, stored.bucket)
        raise no_key(stored.key)
    if done == "missing":
        raise no_key(stored.key)
    if isinstance(done, str):
        raise failed_condition(done)
    return done


@operation("PutObject", resource=object_resource, resource_policy=bucket_policy, access="anyone")
async def put_object(ctx: Context, request: Request) -> Request:
    """Store one object; it is durable when this answers."""
    bucket = await find_bucket(ctx, request["Bucket"])
    draft = draft_of(ctx, request)
    taken = await take_body(ctx, request)
    stored = finished(ctx, draft, taken)
    made = await commit(ctx, request, stored, taken.inline)
    return {
        "ETag": f'"{made.etag}"',
        "ServerSideEncryption": made.encryption,
        "Size": made.size,
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


async def find_object(ctx: Context, request: Request) -> tuple[Bucket, Stored]:
    """The version that a read asks for. Raises NoSuchKey, NoSuchVersion, MethodNotAllowed."""
    bucket = await find_bucket(ctx, request["Bucket"])
    key, version_id = request["Key"], request.get("VersionId")
    stored = await ctx.transact(store.load_object, bucket.name, key, version_id)
    if stored is None:
        raise no_version(key, version_id) if version_id else no_key(key)
    if stored.is_marker:
        marked = {"x-amz-delete-marker": "true", "x-amz-version-id": stored.version_id}
        if version_id:
            raise MethodNotAllowed(
                "The specified method is not allowed against this resource.", headers=marked
            )
        raise NoSuchKey("The specified key does not exist.", headers=marked, Key=key)
    return bucket, stored


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
    bucket, stored = await find_object(ctx, request)
    answer, start, end = _answer(bucket, stored, request)
    answer["Body"] = await give_out(ctx, stored, start, end)
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
        bucket, stored = await find_object(ctx, request)
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


@operation(
    "CopyObject", action="s3:PutObject", resource=object_resource, resource_policy=bucket_policy
)
async def copy_object(ctx: Context, request: Request) -> Request:
    """Store a copy of an object without the bytes passing through the client."""
    bucket = await find_bucket(ctx, request["Bucket"])
    place = parse_source(request["CopySource"])
    source_bucket, source = await copied_object(ctx, place)
    check_read(request, source, "CopySource")
    replace = request.get("MetadataDirective") == "REPLACE"
    same = (place.bucket, place.key) == (request["Bucket"], request["Key"])
    if same and not replace and not place.version_id and not request.get("StorageClass"):
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes."
        )
    stored, content = await _copied(ctx, redraft(ctx, request, source), source)
    made = await commit(ctx, request, stored, content)
    result: Request = {
        "ETag": f'"{made.etag}"',
        "LastModified": made.modified_ms / 1000,
        **made.checksums,
    }
    answer: Request = {
        "CopyObjectResult": result,
        "ServerSideEncryption": made.encryption,
        **_version(bucket, made),
    }
    if source_bucket.versioning:
        answer["CopySourceVersionId"] = source.version_id
    return answer


async def _copied(ctx: Context, draft: Stored, source: Stored) -> tuple[Stored, bytes | None]:
    """The bytes of `source` under ids of their own: links, so that nothing is copied on disk."""
    content = None
    segments: list[Segment] = []
    if source.content:
        found = await give_out(ctx, source, 0, INLINE_BYTES_MAX)
        content = found if isinstance(found, bytes) else b""
    else:
        blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
        for segment in source.segments:
            segments.append(Segment(await blobs.copy(segment.id), segment.size_bytes))
    stored = msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=source.size,
        etag=source.etag,
        content=new_hex(ctx.clock, 24) if content is not None else "",
        segments=segments,
        parts=[],
        checksums=source.checksums,
        checksum_type=source.checksum_type,
    )
    return stored, content


@operation(
    "DeleteObject",
    action=versioned("DeleteObject"),
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
    access="anyone",
)
async def delete_object(ctx: Context, request: Request) -> Request:
    """Remove an object, put a delete marker, or remove one version for good."""
    await find_bucket(ctx, request["Bucket"])
    return await delete_one(ctx, request["Bucket"], request["Key"], request.get("VersionId"))


async def delete_one(ctx: Context, bucket_name: str, key: str, version_id: str | None) -> Request:
    """What DeleteObject does, and what DeleteObjects does for each of its keys."""
    now = ctx.clock.now()
    fresh = new_label(ctx.clock, 32)

    async def drop(tx: Transaction, scope: Scope) -> Request:
        bucket = await store.BUCKETS.load(tx, scope, bucket_name)
        if bucket is None:
            return {}
        if version_id:
            gone = await store.drop_version(tx, scope, bucket_name, key, version_id)
            marker = {"DeleteMarker": True} if gone is not None and gone.is_marker else {}
            return {"VersionId": version_id, **marker}
        if not bucket.versioning:
            await store.drop_object(tx, scope, bucket_name, key)
            return {}
        marker_id = fresh if bucket.versioning == "Enabled" else NULL_VERSION
        marker_record = Stored(
            bucket_name, key, marker_id, int(now * 1e6), int(now * 1000), is_marker=True
        )
        await store.put_object(tx, scope, marker_record, None, bucket.versioning)
        return {"DeleteMarker": True, "VersionId": marker_id}

    return await ctx.transact(drop)


@operation(
    "DeleteObjects",
    action="s3:DeleteObject",
    resource=lambda ctx, r: bucket_resource(ctx, r) + "/*",
    access="open",
)
async def delete_objects(ctx: Context, request: Request) -> Request:
    """Remove up to a thousand objects; each is permitted or refused by itself."""
    wanted = request["Delete"].get("Objects") or []
    if not 0 < len(wanted) <= LIST_KEYS_MAX:
        raise MalformedXML(
            "The XML you provided was not well-formed or did not validate against our published "
            "schema"
        )
    deleted: list[Request] = []
    errors: list[Request] = []
    for entry in wanted:
        key, version_id = entry["Key"], entry.get("VersionId")
        named = {"Key": key, **({"VersionId": version_id} if version_id else {})}
        try:
            found = await ctx.call("s3", "DeleteObject", Bucket=request["Bucket"], **named)
        except AccessDenied as error:
            errors.append({**named, "Code": "AccessDenied", "Message": error.message})
            continue
        done = dict(named)
        if found.get("DeleteMarker"):
            done |= {"DeleteMarker": True, "DeleteMarkerVersionId": found["VersionId"]}
        deleted.append(done)
    quiet = bool(request["Delete"].get("Quiet"))
    return {"Deleted": [] if quiet else deleted, "Errors": errors}
