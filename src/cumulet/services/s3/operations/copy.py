"""Copies of objects, made here without the bytes passing through the client."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from cumulet.blobs.contract import Blobs
from cumulet.blobs.segments import Segment
from cumulet.core.clock import new_hex
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import (
    object_resource,
    write_conditions,
    write_policy,
    writing,
)
from cumulet.services.s3.content.intake import (
    ALGORITHMS,
    algorithm_of,
    digest_all,
    give_out,
    take_again,
)
from cumulet.services.s3.content.sealed import customer_key, told
from cumulet.services.s3.content.sources import Found, Source, copied_object, parse_source
from cumulet.services.s3.drafts import prepared, redraft
from cumulet.services.s3.errors import InvalidRequest
from cumulet.services.s3.limits import OBJECT_PUT_BYTES_MAX
from cumulet.services.s3.model import Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.object import commit
from cumulet.services.s3.rules.conditions import check_read
from cumulet.services.s3.rules.lifecycle import expiration_of

Request = dict[str, Any]

_CHANGES = (
    "StorageClass",
    "WebsiteRedirectLocation",
    "ServerSideEncryption",
    "ChecksumAlgorithm",
    "SSECustomerAlgorithm",
)
"""What makes it legal to copy an object onto itself, apart from new metadata."""


@operation(
    "CopyObject",
    action=writing,
    resource=object_resource,
    resource_policy=write_policy,
    conditions=write_conditions,
)
async def copy_object(ctx: Context, request: Request) -> Request:
    """Store a copy of an object."""
    bucket = await find_bucket(ctx, request["Bucket"])
    place = parse_source(request["CopySource"])
    _check_onto_itself(request, place)
    found = await copied_object(ctx, place, request)
    source_bucket, source = found.bucket, found.stored
    check_read(request, source, "CopySource")
    if source.size > OBJECT_PUT_BYTES_MAX:
        raise InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {OBJECT_PUT_BYTES_MAX}"
        )
    draft = await prepared(ctx, request, bucket, redraft(ctx, request, source))
    if request.get("TaggingDirective") != "REPLACE" and source.tags:
        here = ctx.acting_as(ctx.caller, region=source_bucket.region)
        named = {"VersionId": place.version_id} if place.version_id else {}
        await here.call("s3", "GetObjectTagging", Bucket=place.bucket, Key=place.key, **named)
    stored = await _copied(ctx, request, draft, found)
    inline = found.content if stored.content else None
    made = await commit(ctx, request, bucket, stored, inline, "ObjectCreated:Copy")
    result: Request = {
        "ETag": f'"{made.etag}"',
        "LastModified": made.modified_ms / 1000,
        **made.checksums,
        **({"ChecksumType": made.checksum_type} if made.checksums else {}),
    }
    answer: Request = {
        "CopyObjectResult": result,
        **told(made.sealing, made.encryption),
        **expiration_of(bucket, made),
    }
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


async def _copied(ctx: Context, request: Request, draft: Stored, found: Found) -> Stored:
    """The draft with the bytes of the source, under an id of its own."""
    source = found.stored
    asked = algorithm_of(request)
    names = (asked,) if asked else tuple(source.checksums)
    key = customer_key(request)
    known = source.checksum_type != "COMPOSITE" and set(names) <= set(source.checksums)
    if known and not source.parts and key is None and source.sealing is None:
        blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
        changes: Request = {
            "etag": source.etag,
            "checksums": {name: source.checksums[name] for name in names},
            # Links: nothing is copied on the disk.
            "segments": [
                Segment(await blobs.copy(one.id), one.size_bytes) for one in source.segments
            ],
            "content": new_hex(ctx.clock, 24) if found.content is not None else "",
        }
    else:
        changes = await _joined(ctx, found, names, key.key if key is not None else b"")
    return msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=source.size,
        checksum_type="FULL_OBJECT" if changes["checksums"] else "",
        **changes,
    )


async def _joined(ctx: Context, found: Found, names: tuple[str, ...], key: bytes) -> Request:
    """Entity tag, checksums and bytes of the source as one whole, which a copy always is."""
    source, content = found.stored, found.content
    digests = ("md5", *(ALGORITHMS[name] for name in names))
    if content is not None and not key:
        digested = digest_all(content, digests)
        changes: Request = {"content": new_hex(ctx.clock, 24), "etag": digested["md5"].hex()}
    else:
        plain = give_out(ctx, source, content, 0, source.size, found.key)
        segment, salt, read = await take_again(ctx, pieces_of(plain), digests, key)
        digested = dict(read)
        etag = hashlib.md5(salt + read["md5"], usedforsecurity=False) if salt else None
        changes = {
            "segments": [segment],
            "salts": [salt] if salt else [],
            "etag": etag.hexdigest() if etag is not None else read["md5"].hex(),
        }
    changes["checksums"] = {
        name: base64.b64encode(digested[ALGORITHMS[name]]).decode() for name in names
    }
    return changes


async def pieces_of(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What `give_out` gave, always in pieces."""
    if isinstance(data, bytes):
        yield data
        return
    async for piece in data:
        yield piece
