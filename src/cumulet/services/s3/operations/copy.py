"""Copies of objects, made here without the bytes passing through the client."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from cumulet.blobs.contract import Blobs
from cumulet.blobs.segments import Segment, open_segments
from cumulet.core.clock import new_hex
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, object_resource, writing
from cumulet.services.s3.conditions import check_read
from cumulet.services.s3.content.intake import ALGORITHMS, algorithm_of, digest_all
from cumulet.services.s3.content.sources import Source, copied_object, parse_source
from cumulet.services.s3.drafts import redraft
from cumulet.services.s3.errors import InvalidRequest
from cumulet.services.s3.limits import OBJECT_PUT_BYTES_MAX
from cumulet.services.s3.model import Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.object import commit

Request = dict[str, Any]

_CHANGES = (
    "StorageClass",
    "WebsiteRedirectLocation",
    "ServerSideEncryption",
    "ChecksumAlgorithm",
)
"""What makes it legal to copy an object onto itself, apart from new metadata."""


@operation("CopyObject", action=writing, resource=object_resource, resource_policy=bucket_policy)
async def copy_object(ctx: Context, request: Request) -> Request:
    """Store a copy of an object."""
    bucket = await find_bucket(ctx, request["Bucket"])
    place = parse_source(request["CopySource"])
    _check_onto_itself(request, place)
    source_bucket, source, content = await copied_object(
        ctx, place, request.get("ExpectedSourceBucketOwner")
    )
    check_read(request, source, "CopySource")
    if source.size > OBJECT_PUT_BYTES_MAX:
        raise InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {OBJECT_PUT_BYTES_MAX}"
        )
    draft = redraft(ctx, request, source)
    if request.get("TaggingDirective") != "REPLACE" and source.tags:
        here = ctx.acting_as(ctx.caller, region=source_bucket.region)
        named = {"VersionId": place.version_id} if place.version_id else {}
        await here.call("s3", "GetObjectTagging", Bucket=place.bucket, Key=place.key, **named)
    stored = await _copied(ctx, request, draft, source, content)
    made = await commit(ctx, request, bucket, stored, content)
    result: Request = {
        "ETag": f'"{made.etag}"',
        "LastModified": made.modified_ms / 1000,
        **made.checksums,
        **({"ChecksumType": made.checksum_type} if made.checksums else {}),
    }
    answer: Request = {"CopyObjectResult": result, "ServerSideEncryption": made.encryption}
    if bucket.versioning:
        answer["VersionId"] = made.version_id
    if source_bucket.versioning:
        answer["CopySourceVersionId"] = source.version_id
    return answer


def _check_onto_itself(request: Request, place: Source) -> None:
    same = (place.bucket, place.key) == (request["Bucket"], request["Key"])
    changes = request.get("MetadataDirective") == "REPLACE" or any(
        request.get(name) for name in _CHANGES
    )
    if same and not changes and not place.version_id:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes."
        )


async def _copied(
    ctx: Context, request: Request, draft: Stored, source: Stored, content: bytes | None
) -> Stored:
    """The draft with the bytes of `source`, under an id of its own."""
    asked = algorithm_of(request)
    names = (asked,) if asked else tuple(source.checksums)
    etag, checksums, segments = source.etag, source.checksums, list(source.segments)
    known = source.checksum_type != "COMPOSITE" and set(names) <= set(checksums)
    if known and not source.parts:
        checksums = {name: checksums[name] for name in names}
        blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
        # Links: nothing is copied on the disk.
        segments = [Segment(await blobs.copy(one.id), one.size_bytes) for one in segments]
    else:
        etag, checksums, segments = await _joined(ctx, source, content, names)
    return msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=source.size,
        etag=etag,
        content=new_hex(ctx.clock, 24) if content is not None else "",
        segments=segments,
        checksums=checksums,
        checksum_type="FULL_OBJECT" if checksums else "",
    )


async def _joined(
    ctx: Context, source: Stored, content: bytes | None, names: tuple[str, ...]
) -> tuple[str, dict[str, str], list[Segment]]:
    """Entity tag, checksums and blobs of the source as one whole, which a copy always is."""
    digests = ("md5", *(ALGORITHMS[name] for name in names))
    segments: list[Segment] = []
    if content is not None:
        found = digest_all(content, digests)
    else:
        blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
        blob = await blobs.put(open_segments(blobs, source.segments), digests=digests)
        segments = [Segment(blob.id, blob.size_bytes)]
        found = dict(blob.digests)
    checksums = {name: base64.b64encode(found[ALGORITHMS[name]]).decode() for name in names}
    return found["md5"].hex(), checksums, segments
