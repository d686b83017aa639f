"""Websites of buckets: index and error documents, redirects; at `{bucket}.s3-website…`.

Without a name that resolves, the same is at a path of the cloud's own address.
Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from html import escape
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cumulet.core import trace as tracing
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import ANONYMOUS, Scope
from cumulet.services.s3.front.documents import told_error
from cumulet.services.s3.rules.cors import rule_for
from cumulet.services.s3.rules.website import index_key, location_of, redirect_for
from cumulet.services.s3.store.known import Buckets, Known

WEBSITE_PATH = "/_s3-website/"

_CONDITIONS = {
    "if-match": "IfMatch",
    "if-none-match": "IfNoneMatch",
    "range": "Range",
}
_HEADERS = {
    "AcceptRanges": "accept-ranges",
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentRange": "content-range",
    "ContentType": "content-type",
    "ETag": "etag",
    "Expires": "expires",
    "VersionId": "x-amz-version-id",
}


async def serve_website(platform: Platform, request: Request, bucket: str) -> Response:
    """The page of a path, as anybody may read it."""
    base, path = "", request.path
    if not bucket:
        bucket, _, rest = path[len(WEBSITE_PATH) :].partition("/")
        base, path = f"{WEBSITE_PATH}{bucket}", f"/{rest}"
    trace = tracing.current.get()
    request_id = trace.request_id if trace is not None else ""
    if request.method not in ("GET", "HEAD"):
        message = "The specified method is not allowed against this resource."
        return _page(request, 405, "MethodNotAllowed", message, request_id)
    known = await platform.need(Buckets).get(bucket)
    if known is None:
        message = "The specified bucket does not exist"
        return _page(request, 404, "NoSuchBucket", message, request_id)
    website = known.bucket.settings.get("Website")
    if website is None:
        message = "The specified bucket does not have a website configuration"
        return _page(request, 404, "NoSuchWebsiteConfiguration", message, request_id)
    scope = Scope(known.bucket.account, known.bucket.region)
    ctx = platform.context(scope, ANONYMOUS, request=request, request_id=request_id)
    site = _Site(ctx, known, website, base)
    response = await site.answer(unquote(path[1:]))
    origin = request.headers.get("origin")
    rule = rule_for(known.cors, origin, request.method) if origin else None
    if rule is not None:
        response.headers += rule.answer(origin)
    return response


class _Site:
    """One request to one website."""

    def __init__(self, ctx: Context, known: Known, website: Mapping[str, Any], base: str) -> None:
        assert ctx.request is not None
        self._ctx = ctx
        self._request = ctx.request
        self._bucket = known.bucket.name
        self._website = website
        self._base = base

    async def answer(self, path: str) -> Response:
        """The answer for a path without its first slash."""
        everything = self._website.get("RedirectAllRequestsTo")
        if everything is not None:
            return self._redirect(everything, path)
        key = index_key(self._website, path)
        redirect = redirect_for(self._website, path, None)
        if redirect is not None:
            return self._redirect(redirect, path)
        try:
            return self._found(await self._read(key, with_conditions=True), 200)
        except AwsError as error:
            return await self._failed(path, key, error)

    async def _read(self, key: str, *, with_conditions: bool = False) -> dict[str, Any]:
        members: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        if with_conditions:
            headers = self._request.headers.first
            members |= {m: headers[name] for name, m in _CONDITIONS.items() if name in headers}
        found: dict[str, Any] = await self._ctx.call("s3", "GetObject", **members)
        return found

    def _found(self, found: dict[str, Any], status: int) -> Response:
        target = found.get("WebsiteRedirectLocation")
        if target and status == 200:
            location = self._base + target if target.startswith("/") else target
            return Response(301, [("location", location)])
        headers = [(_HEADERS[name], str(found[name])) for name in _HEADERS if found.get(name)]
        headers.append(("last-modified", formatdate(found["LastModified"], usegmt=True)))
        headers += [(f"x-amz-meta-{n}", v) for n, v in found.get("Metadata", {}).items()]
        if status == 200:
            status = found.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        body = found["Body"]
        if self._request.method == "HEAD" or not isinstance(body, bytes):
            headers.append(("content-length", str(found["ContentLength"])))
        return Response(status, headers, b"" if self._request.method == "HEAD" else body)

    async def _failed(self, path: str, key: str, error: AwsError) -> Response:
        status, code, message = told_error(error, "")
        if status == 304 or status == 412:
            return Response(status, list(error.headers.items()))
        if status == 404 and path and not path.endswith("/"):
            folder = index_key(self._website, f"{path}/")
            if await self._is_there(folder):
                location = f"{self._base}/{quote(path, safe='/-_.~')}/"
                return Response(302, [("location", location)])
        redirect = redirect_for(self._website, path, status)
        if redirect is not None:
            return self._redirect(redirect, path)
        document = (self._website.get("ErrorDocument") or {}).get("Key")
        if document and 400 <= status < 500:
            try:
                return self._found(await self._read(document), status)
            except AwsError:
                pass  # Then the plain page tells both, as S3's does.
        return _page(self._request, status, code, message, self._ctx.request_id)

    async def _is_there(self, key: str) -> bool:
        try:
            await self._ctx.call("s3", "HeadObject", Bucket=self._bucket, Key=key)
        except AwsError:
            return False
        return True

    def _redirect(self, redirect: Mapping[str, Any], key: str) -> Response:
        location = location_of(redirect, key, self._request.scheme, self._request.host)
        if self._base and not redirect.get("HostName"):
            parts = urlsplit(location)
            location = f"{parts.scheme}://{parts.netloc}{self._base}{parts.path}"
        return Response(int(redirect.get("HttpRedirectCode") or 301), [("location", location)])


def _page(request: Request, status: int, code: str, message: str, request_id: str) -> Response:
    title = f"{status} {escape(code)}"
    text = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><ul>"
        f"<li>Code: {escape(code)}</li><li>Message: {escape(message)}</li>"
        f"<li>RequestId: {escape(request_id)}</li></ul></body></html>\n"
    )
    headers = [("content-type", "text/html; charset=utf-8"), ("x-amz-error-code", code)]
    return Response(status, headers, b"" if request.method == "HEAD" else text.encode())
