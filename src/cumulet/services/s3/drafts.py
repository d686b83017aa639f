"""The properties of an object as a request gives them, before its bytes are there."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cumulet.core.clock import iso_time
from cumulet.core.context import Context
from cumulet.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    KeyTooLongError,
    MetadataTooLarge,
    NotImplementedHere,
)
from cumulet.services.s3.limits import KEY_BYTES_MAX, METADATA_BYTES_MAX, OBJECT_TAGS_MAX
from cumulet.services.s3.model import Stored
from cumulet.services.s3.operations.setting import read_tags

Request = dict[str, Any]

_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "WebsiteRedirectLocation",
)
_STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
)
_REFUSED = {
    "SSECustomerAlgorithm": "Encryption with customer keys (SSE-C)",
    "SSEKMSKeyId": "Encryption with KMS keys",
    "ObjectLockMode": "Object lock",
    "ObjectLockRetainUntilDate": "Object lock",
    "ObjectLockLegalHoldStatus": "Legal hold",
    "GrantRead": "Access control lists",
    "GrantFullControl": "Access control lists",
    "GrantReadACP": "Access control lists",
    "GrantWriteACP": "Access control lists",
    "WriteOffsetBytes": "Appending to objects",
}
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


def draft_of(ctx: Context, request: Request) -> Stored:
    """The object that a put or a multipart upload will make. Refuses what is not honoured."""
    key = request["Key"]
    if len(key.encode()) > KEY_BYTES_MAX:
        raise KeyTooLongError(
            "Your key is too long", Size=len(key.encode()), MaxSizeAllowed=KEY_BYTES_MAX
        )
    refuse_unsupported(request)
    headers = {name: str(request[name]) for name in _HEADERS if request.get(name)}
    # What is stored is the content: `aws-chunked` was only its way here.
    if coding := headers.pop("ContentEncoding", ""):
        kept = [part for part in coding.split(",") if part.strip() != "aws-chunked"]
        if kept:
            headers["ContentEncoding"] = ",".join(kept)
    headers.setdefault("ContentType", "binary/octet-stream")
    if request.get("Expires") is not None:
        headers["Expires"] = str(request["Expires"])
    return Stored(
        request["Bucket"],
        key,
        "",
        0,
        int(ctx.clock.now() * 1000),
        headers=headers,
        metadata=_metadata(request.get("Metadata") or {}),
        tags=parse_tagging(request.get("Tagging")),
        storage_class=request.get("StorageClass") or "STANDARD",
    )


def redraft(ctx: Context, request: Request, source: Stored) -> Stored:
    """The object that a copy will make: the source's properties, or new ones where asked."""
    draft = draft_of(ctx, request)
    if request.get("MetadataDirective") != "REPLACE":
        draft = msgspec.structs.replace(draft, headers=source.headers, metadata=source.metadata)
    if request.get("TaggingDirective") != "REPLACE":
        draft = msgspec.structs.replace(draft, tags=source.tags)
    return draft


def refuse_unsupported(request: Request) -> None:
    """Raise S3's NotImplemented for a header that would be ignored."""
    for name, what in _REFUSED.items():
        if request.get(name):
            raise NotImplementedHere(what)
    if request.get("ServerSideEncryption") not in (None, "AES256"):
        raise NotImplementedHere("Encryption other than AES256")
    if request.get("ACL") not in (None, "private", "bucket-owner-full-control"):
        raise InvalidRequest("The bucket does not allow ACLs", code="AccessControlListNotSupported")
    storage_class = request.get("StorageClass")
    if storage_class and storage_class not in _STORAGE_CLASSES:
        raise InvalidRequest(
            "The storage class you specified is not valid", code="InvalidStorageClass"
        )


def _metadata(given: dict[str, str]) -> dict[str, str]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > METADATA_BYTES_MAX:
        raise MetadataTooLarge(
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=METADATA_BYTES_MAX,
        )
    return {name.lower(): value for name, value in given.items()}


def parse_tagging(header: str | None) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header, which is a query string."""
    if not header:
        return {}
    try:
        pairs = parse_qsl(header, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=header,
        ) from None
    return read_tags([{"Key": key, "Value": value} for key, value in pairs], OBJECT_TAGS_MAX)


def shown_headers(stored: Stored, request: Request) -> Request:
    """The headers to send back: those of the object, or what the request puts in their place."""
    shown: Request = dict(stored.headers)
    for member, name in _OVERRIDES.items():
        if (value := request.get(member)) is not None:
            shown[name] = iso_time(value) if isinstance(value, float) else value
    return shown
