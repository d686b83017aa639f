"""The properties of an object as a request gives them, before its bytes are there; and tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cumulet.core.clock import iso_time
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.services.s3.content.keys import customer_key, new_sealed_key, seal_with
from cumulet.services.s3.content.sealed import CHUNK_BYTES
from cumulet.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    InvalidTag,
    KeyTooLongError,
    MetadataTooLarge,
)
from cumulet.services.s3.limits import KEY_BYTES_MAX, METADATA_BYTES_MAX, OBJECT_TAGS_MAX
from cumulet.services.s3.model import Bucket, Grant, Stored
from cumulet.services.s3.rules.acl import GRANTS, asks_for_acl, is_public_acl, read_acl
from cumulet.services.s3.rules.locks import lock_of
from cumulet.services.s3.store.known import Buckets

Request = dict[str, Any]

_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "WebsiteRedirectLocation",
)
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


def draft_of(ctx: Context, request: Request) -> Stored:
    """The object that a put or a multipart upload will make."""
    key = request["Key"]
    if len(key.encode()) > KEY_BYTES_MAX:
        raise KeyTooLongError(
            "Your key is too long", Size=len(key.encode()), MaxSizeAllowed=KEY_BYTES_MAX
        )
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


async def prepared(ctx: Context, request: Request, bucket: Bucket, draft: Stored) -> Stored:
    """The draft with its owner, its ACL, its lock, and how it will be encrypted.

    Raises AccessControlListNotSupported, InvalidRequest, AccessDenied.
    """
    key = customer_key(request)
    lock = lock_of(request, bucket, ctx.clock.now())
    changes: dict[str, Any] = {"lock": lock, "chunk_bytes": CHUNK_BYTES}
    if key is not None:
        changes["sealing"] = seal_with(ctx.clock, key)
    else:
        changes["sealed_key"] = new_sealed_key(ctx)
    if bucket.has_acls:
        owner = _owner_of_new(ctx, request, bucket)
        grants = await checked_acl(ctx, request, bucket, owner, of_object=True)
        changes |= {"owner": "" if owner == bucket.account else owner, "grants": grants}
    elif asks_for_acl(request):
        await checked_acl(ctx, request, bucket, bucket.account, of_object=True)
    return msgspec.structs.replace(draft, **changes)


def _owner_of_new(ctx: Context, request: Request, bucket: Bucket) -> str:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    given = request.get("ACL") == "bucket-owner-full-control"
    if bucket.ownership == "BucketOwnerPreferred" and given:
        return bucket.account
    return ctx.caller.account if ctx.caller.kind != "service" else bucket.account


async def checked_acl(
    ctx: Context, request: Request, bucket: Bucket, owner: str, *, of_object: bool
) -> list[Grant]:
    """The ACL of a request, if the bucket takes it. Raises AccessControlListNotSupported."""
    owner = owner or bucket.account
    canned = request.get("ACL") in (None, "", "private", "bucket-owner-full-control")
    may_be_owners = canned and not any(request.get(name) for name in GRANTS)
    grants = (
        read_acl(request, owner, bucket.account, of_object=of_object)
        if bucket.has_acls or may_be_owners
        else []
    )
    all_owners = all(grant == Grant(bucket.account, "FULL_CONTROL") for grant in grants)
    if not bucket.has_acls and not (may_be_owners and all_owners):
        raise InvalidRequest("The bucket does not allow ACLs", code="AccessControlListNotSupported")
    if is_public_acl(grants) and (await ctx.need(Buckets).blocks(bucket)).get("BlockPublicAcls"):
        raise AccessDenied(
            f"User: {ctx.caller.arn} is not authorized to set a public access control list "
            "because public access control lists (ACLs) are prevented by the BlockPublicAcls "
            "setting in S3 Block Public Access."
        )
    return grants


def redraft(ctx: Context, request: Request, source: Stored) -> Stored:
    """The object that a copy will make: the source's properties, or new ones where asked."""
    for member, kind in (("MetadataDirective", "metadata"), ("TaggingDirective", "tagging")):
        if request.get(member) not in (None, "COPY", "REPLACE"):
            raise InvalidArgument(
                f"Unknown {kind} directive.",
                ArgumentName=f"x-amz-{kind}-directive",
                ArgumentValue=request[member],
            )
    draft = draft_of(ctx, request)
    if request.get("MetadataDirective") != "REPLACE":
        # Where a website redirects to is not copied; it is said anew for each object.
        redirect = {k: v for k, v in draft.headers.items() if k == "WebsiteRedirectLocation"}
        kept = {k: v for k, v in source.headers.items() if k != "WebsiteRedirectLocation"}
        draft = msgspec.structs.replace(draft, headers=kept | redirect, metadata=source.metadata)
    if request.get("TaggingDirective") != "REPLACE":
        draft = msgspec.structs.replace(draft, tags=source.tags)
    return draft


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
    pairs = parse_qsl(header, keep_blank_values=True)
    if len({key for key, _ in pairs}) != len(pairs) or any(not key for key, _ in pairs):
        raise InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=header,
        )
    return read_tags([{"Key": key, "Value": value} for key, value in pairs], OBJECT_TAGS_MAX)


def read_tags(tag_set: list[Request], limit: int) -> dict[str, str]:
    """A tag set as a dictionary. Raises InvalidTag."""
    tags: dict[str, str] = {}
    for tag in tag_set:
        key, value = tag["Key"], tag["Value"]
        if key in tags:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        if not 0 < len(key) <= 128:
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256:
            raise InvalidTag("The TagValue you have provided is invalid", TagValue=value)
        if key.lower().startswith("aws:"):
            raise InvalidTag("System tags cannot be added/updated by requester", TagKey=key)
        tags[key] = value
    if len(tags) > limit:
        raise InvalidTag(f"Tags cannot be more than {limit}", code="BadRequest")
    return tags


def shown_headers(stored: Stored, request: Request) -> Request:
    """The headers to send back: those of the object, or what the request puts in their place."""
    shown: Request = dict(stored.headers)
    for member, name in _OVERRIDES.items():
        if (value := request.get(member)) is not None:
            shown[name] = iso_time(value) if isinstance(value, float) else value
    return shown
