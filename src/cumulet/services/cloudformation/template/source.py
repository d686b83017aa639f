"""Where a template comes from: the request, or an object in S3 named by a URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import TEMPLATE_BYTES_MAX, TEMPLATE_INLINE_BYTES_MAX

_AWS_PATH_STYLE = re.compile(r"s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com\Z")
_AWS_HOST_STYLE = re.compile(
    r"(?P<bucket>[a-z0-9.-]+?)\.s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com\Z"
)
_OWN_HOST_STYLE = re.compile(
    r"(?P<bucket>[a-z0-9.-]+?)\.s3\.(?:[a-z]{2}(?:-[a-z]+)+-\d\.)?(?P<host>.+)\Z"
)
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[?::1\]?)\Z")


class S3Place(NamedTuple):
    """An object in S3."""

    bucket: str
    key: str
    version: str = ""


def parse_template_url(url: str, own_hosts: frozenset[str]) -> S3Place | None:
    """The object that a template URL names, or None when it names no object of ours. Pure.

    Path style and host style are read for AWS's host names and for this cloud's own (`own_hosts`,
    without port, and loopback names).
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    path = unquote(parts.path.lstrip("/"))
    version = parse_qs(parts.query).get("versionId", [""])[0]
    if match := _AWS_HOST_STYLE.match(host):
        return S3Place(match["bucket"], path, version) if path else None
    own = host in own_hosts or _LOOPBACK.match(host)
    if own or _AWS_PATH_STYLE.match(host):
        bucket, _, key = path.partition("/")
        return S3Place(bucket, key, version) if bucket and key else None
    match = _OWN_HOST_STYLE.match(host)
    if match and path and (match["host"] in own_hosts or _LOOPBACK.match(match["host"])):
        return S3Place(match["bucket"], path, version)
    return None


def own_hosts(ctx: Context) -> frozenset[str]:
    """The names by which this cloud is reached: its own, and the one the caller used."""
    hosts = {urlsplit(ctx.endpoint).hostname or ""}
    if ctx.request is not None:
        hosts.add(urlsplit(f"//{ctx.request.host}").hostname or "")
    return frozenset(host.lower() for host in hosts if host)


async def template_text(ctx: Context, request: Mapping[str, Any]) -> str | None:
    """The template that a request gives; None when it gives none. Raises ValidationError."""
    body, url = request.get("TemplateBody"), request.get("TemplateURL")
    if body is not None and url is not None:
        raise ValidationError(
            "Cannot specify both TemplateBody and TemplateURL; use one of them to give the template"
        )
    if url is not None:
        return await fetch_text(ctx, url)
    if body is None:
        return None
    size = len(body.encode())
    if size > TEMPLATE_INLINE_BYTES_MAX:
        raise ValidationError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {TEMPLATE_INLINE_BYTES_MAX}"
        )
    return str(body)


async def fetch_text(ctx: Context, url: str, *, what: str = "TemplateURL") -> str:
    """The text of an object in S3, read as the caller. Raises ValidationError."""
    place = parse_template_url(url, own_hosts(ctx))
    if place is None:
        raise ValidationError(f"{what} must be a supported URL.")
    return await read_object(ctx, place, what)


async def read_object(ctx: Context, place: S3Place, what: str) -> str:
    """The text of an object, at most as long as a template may be."""
    request: dict[str, Any] = {"Bucket": place.bucket, "Key": place.key}
    if place.version:
        request["VersionId"] = place.version
    try:
        answer = await ctx.call("s3", "GetObject", **request)
    except AwsError as cause:
        if cause.code in ("NoSuchKey", "NoSuchBucket", "NoSuchVersion"):
            raise ValidationError(f"S3 error: {cause.message}") from cause
        raise ValidationError(
            f"{what} must reference a valid S3 object to which you have access."
        ) from cause
    data = await _bounded(answer["Body"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("Template format error: the template is not UTF-8 text.") from None


async def _bounded(body: Any) -> bytes:
    if isinstance(body, bytes):
        parts = [body]
    else:
        parts, size = [], 0
        async for part in body:
            size += len(part)
            parts.append(part)
            if size > TEMPLATE_BYTES_MAX:
                break
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
    data = b"".join(parts)
    if len(data) > TEMPLATE_BYTES_MAX:
        raise ValidationError(f"Template may not exceed {TEMPLATE_BYTES_MAX} bytes in size.")
    return data
