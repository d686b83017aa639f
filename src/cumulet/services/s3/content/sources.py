"""The source of a copy: where it is, and whether the caller may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from cumulet.core.context import Context
from cumulet.services.s3 import store
from cumulet.services.s3.content.keys import ObjectKey, customer_key, key_of
from cumulet.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    NotFound,
    no_key,
    no_version,
)
from cumulet.services.s3.model import Bucket, Stored
from cumulet.services.s3.operations.bucket import find_bucket


@dataclass(frozen=True, slots=True)
class Source:
    """Bucket, key and version of an `x-amz-copy-source` header."""

    bucket: str
    key: str
    version_id: str | None


def parse_source(header: str) -> Source:
    """The parts of `/bucket/key?versionId=…`, percent-decoded. Raises InvalidArgument."""
    path, _, query = header.partition("?versionId=")
    bucket, separator, key = unquote(path.removeprefix("/")).partition("/")
    if not separator or not bucket or not key or bucket.startswith("arn:"):
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=header,
        )
    return Source(bucket, key, query or None)


class Found(NamedTuple):
    """A source that may be read: bucket, record, bytes if few and as stored, and key."""

    bucket: Bucket
    stored: Stored
    content: bytes | None
    key: ObjectKey


async def copied_object(ctx: Context, source: Source, request: Mapping[str, Any]) -> Found:
    """The object to be copied, read with the caller's own permission."""
    expected_owner = request.get("ExpectedSourceBucketOwner")
    bucket = await find_bucket(ctx, source.bucket)
    named: dict[str, Any] = {"VersionId": source.version_id} if source.version_id else {}
    for part in ("Algorithm", "Key", "KeyMD5"):
        if request.get(f"CopySourceSSECustomer{part}"):
            named[f"SSECustomer{part}"] = request[f"CopySourceSSECustomer{part}"]
    if expected_owner:
        named["ExpectedBucketOwner"] = expected_owner
    # HeadObject asks for s3:GetObject through the one path, bucket policy included; the source may
    # be in another region than the copy.
    here = ctx.acting_as(ctx.caller, region=bucket.region)
    try:
        await here.call("s3", "HeadObject", Bucket=source.bucket, Key=source.key, **named)
    except NotFound:
        raise no_key(source.key) from None
    stored, content = await ctx.transact(
        store.read_object, source.bucket, source.key, source.version_id
    )
    if stored is None:
        raise (
            no_version(source.key, source.version_id) if source.version_id else no_key(source.key)
        )
    if stored.is_marker:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by version "
            "id."
        )
    key = key_of(ctx, stored, customer_key(request, "CopySource"))
    return Found(bucket, stored, content, key)
