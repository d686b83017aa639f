"""Listings of multipart uploads and of their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import bucket_policy, bucket_resource, object_resource
from cumulet.services.s3.limits import LIST_KEYS_MAX, PAGE_KEYS_MIN
from cumulet.services.s3.model import Upload, UploadPart
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.listing import (
    AFTER_ANY_KEY,
    echoed,
    encoder_of,
    number_of,
    rolled_up,
)
from cumulet.services.s3.operations.multipart import find_upload
from cumulet.services.s3.rules.acl import shown_user

Request = dict[str, Any]


@operation(
    "ListParts",
    action="s3:ListMultipartUploadParts",
    resource=object_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def list_parts(ctx: Context, request: Request) -> Request:
    """The parts that have arrived."""
    upload = await find_upload(ctx, request)
    bucket = await find_bucket(ctx, upload.bucket)
    marker = number_of(request, "PartNumberMarker", "part-number-marker", 0)
    limit = min(number_of(request, "MaxParts", "max-parts", LIST_KEYS_MAX), LIST_KEYS_MAX)

    async def read(tx: Transaction, scope: Scope) -> list[UploadPart]:
        after = (upload.upload_id, marker) if marker else None
        return await store.PARTS.scan(tx, scope, upload.upload_id, after=after, limit=limit + 1)

    found = await ctx.transact(read)
    shown = [
        {
            "PartNumber": entry.part.number,
            "LastModified": entry.part.modified_ms / 1000,
            "ETag": f'"{entry.part.etag}"',
            "Size": entry.part.size,
            **entry.part.checksums,
        }
        for entry in found[:limit]
    ]
    answer: Request = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "PartNumberMarker": str(marker),
        "MaxParts": limit,
        "IsTruncated": len(found) > limit,
        "Parts": shown,
        "Initiator": shown_user(upload.initiator or bucket.account),
        "Owner": shown_user(upload.draft.owner or bucket.account),
        "StorageClass": upload.draft.storage_class,
    }
    if shown:
        answer["NextPartNumberMarker"] = str(shown[-1]["PartNumber"])
    if upload.algorithm:
        answer |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
    return answer


@operation(
    "ListMultipartUploads",
    action="s3:ListBucketMultipartUploads",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def list_multipart_uploads(ctx: Context, request: Request) -> Request:
    """The uploads that have begun and not ended, by key."""
    bucket = await find_bucket(ctx, request["Bucket"])
    encode = encoder_of(request)
    limit = min(number_of(request, "MaxUploads", "max-uploads", LIST_KEYS_MAX), LIST_KEYS_MAX)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    key_marker = request.get("KeyMarker") or ""
    # Without a key marker S3 does not look at the other.
    id_marker = (request.get("UploadIdMarker") or "") if key_marker else ""
    after = (bucket.name, key_marker, *((id_marker,) if id_marker else ()))
    found: list[Upload | str] = []
    if limit:
        found = await ctx.transact(_list, prefix, delimiter, after, limit + 1)
    shown = found[:limit]
    answer: Request = {
        "Bucket": bucket.name,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "MaxUploads": limit,
        "IsTruncated": len(found) > limit,
        "CommonPrefixes": [{"Prefix": encode(one)} for one in shown if isinstance(one, str)],
        "Uploads": [
            _shown(one, bucket.account, encode) for one in shown if isinstance(one, Upload)
        ],
    }
    if len(found) > limit and shown:
        last = shown[-1]
        if isinstance(last, str):
            answer |= {"NextKeyMarker": encode(last), "NextUploadIdMarker": ""}
        else:
            answer |= {"NextKeyMarker": encode(last.key), "NextUploadIdMarker": last.upload_id}
    return echoed(answer, request, encode, prefix, delimiter)


def _shown(upload: Upload, account: str, encode: Callable[[str], str]) -> Request:
    shown: Request = {
        "UploadId": upload.upload_id,
        "Key": encode(upload.key),
        "Initiated": upload.started_ms / 1000,
        "StorageClass": upload.draft.storage_class,
        "Owner": shown_user(upload.draft.owner or account),
        "Initiator": shown_user(upload.initiator or account),
    }
    if upload.algorithm:
        shown |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
    return shown


async def _list(
    tx: Transaction, scope: Scope, prefix: str, delimiter: str, after: tuple[str, ...], limit: int
) -> list[Upload | str]:
    """At most `limit` uploads and common prefixes behind a bucket's key and upload."""
    found: list[Upload | str] = []
    bucket, key = after[:2]
    rolled = rolled_up(key, prefix, delimiter)
    place: tuple[Any, ...] | None = after if key else None
    if rolled:
        place = (bucket, rolled + AFTER_ANY_KEY)
    while len(found) < limit:
        at_once = max(limit - len(found), PAGE_KEYS_MIN)
        page = await store.UPLOADS.scan(
            tx, scope, bucket, starts=prefix or None, after=place, limit=at_once
        )
        for upload in page:
            if rolled and upload.key.startswith(rolled):
                continue
            rolled = rolled_up(upload.key, prefix, delimiter)
            found.append(rolled or upload)
            if len(found) == limit:
                return found
        if len(page) < at_once:
            break
        place = store.UPLOADS.key_of(page[-1])
        if rolled:
            place = (bucket, rolled + AFTER_ANY_KEY)
    return found
