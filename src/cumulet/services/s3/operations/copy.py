"""Copies of objects, made here without the bytes passing through the client."""

from __future__ import annotations

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
    algorithm_of,
    give_out,
    take_bytes,
    take_pieces,
)
from cumulet.services.s3.content.keys import customer_key, key_of, told
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
    stored, inline = await _copied(ctx, request, draft, found)
    made = await commit(ctx, request, bucket, stored, inline, "ObjectCreated:Copy")
    result: Request = {
        "ETag": f'"{made.etag}"',
        "LastModified": made.modified_ms / 1000,
        **made.checksums,
        **({"ChecksumType": made.checksum_type} if made.checksums else {}),
    }
    answer: Request = {
        "CopyObjectResult": result,
        **told(made),
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


async def _copied(
    ctx: Context, request: Request, draft: Stored, found: Found
) -> tuple[Stored, bytes | None]:
    """The draft with the bytes of the source, under an id of its own; and those for the store."""
    source = found.stored
    asked = algorithm_of(request)
    names = (asked,) if asked else tuple(source.checksums)
    known = source.checksum_type != "COMPOSITE" and set(names) <= set(source.checksums)
    if known and not source.parts and source.sealed_key and draft.sealed_key:
        changes, inline = await _shared(ctx, found, names), found.content
    else:
        changes, inline = await _again(ctx, request, draft, found, names)
    made = msgspec.structs.replace(
        draft,
        modified_ms=int(ctx.clock.now() * 1000),
        size=source.size,
        checksum_type="FULL_OBJECT" if changes["checksums"] else "",
        content=new_hex(ctx.clock, 24) if inline is not None else "",
        **changes,
    )
    return made, inline


async def _shared(ctx: Context, found: Found, names: tuple[str, ...]) -> Request:
    """The same encrypted bytes under the same key: links, nothing is copied on the disk."""
    source = found.stored
    blobs = ctx.need(Blobs)
    return {
        "etag": source.etag,
        "checksums": {name: source.checksums[name] for name in names},
        "segments": [Segment(await blobs.copy(one.id), one.size_bytes) for one in source.segments],
        "sealed_key": source.sealed_key,
        "salts": source.salts,
        "chunk_bytes": source.chunk_bytes,
    }


async def _again(
    ctx: Context, request: Request, draft: Stored, found: Found, names: tuple[str, ...]
) -> tuple[Request, bytes | None]:
    """Entity tag, checksums and bytes of the source as one whole, under the key of the draft."""
    source = found.stored
    key = key_of(ctx, draft, customer_key(request))
    plain = give_out(ctx, source, found.content, 0, source.size, found.key)
    taken = (
        take_bytes(ctx, plain, names, key)
        if isinstance(plain, bytes)
        else await take_pieces(ctx, plain, names, key)
    )
    changes: Request = {
        "etag": taken.etag,
        "checksums": taken.checksums,
        "segments": [taken.segment] if taken.segment is not None else [],
        "salts": [taken.salt] if taken.salt else [],
    }
    return changes, taken.inline


async def pieces_of(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What `give_out` gave, always in pieces."""
    if isinstance(data, bytes):
        yield data
        return
    async for piece in data:
        yield piece
