"""Fronts of S3 that are not its API: preflights of browsers, forms, and websites of buckets."""

from __future__ import annotations

import re
from urllib.parse import unquote

from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.services.s3.front.forms import take_form
from cumulet.services.s3.front.preflight import answer_preflight
from cumulet.services.s3.front.websites import WEBSITE_PATH, serve_website
from cumulet.services.s3.store.known import Buckets, Known

_WEBSITE_HOST = re.compile(r"(?P<bucket>.+)\.s3-website(?:[.-][^:]*)?(?::\d+)?\Z", re.IGNORECASE)
_BUCKET_HOST = re.compile(r"(?P<bucket>.+)\.s3(?:[.-][^:]+)?(?::\d+)?\Z", re.IGNORECASE)


def website_host(host: str) -> str:
    """The bucket of a website's address, or ""."""
    found = _WEBSITE_HOST.match(host) if ".s3-website" in host else None
    return found["bucket"] if found is not None else ""


def bucket_of(request: Request) -> str:
    """The bucket that a request's host or path names, or ""."""
    host = request.host
    if ".s3" in host and (found := _BUCKET_HOST.match(host)) is not None:
        return found["bucket"]
    return unquote(request.path[1:].partition("/")[0])


class S3Front:
    """See `kit.tls.hosts.HostSurface`."""

    @property
    def name(self) -> str:
        """Its name in traces."""
        return "s3"

    def match(self, request: Request) -> bool:
        """Websites, by host or by path; what `claims` says depends on the bucket."""
        return request.path.startswith(WEBSITE_PATH) or bool(website_host(request.host))

    async def claims(self, platform: Platform, request: Request) -> bool:
        """Preflights for buckets that exist, forms sent to them, and names that are websites."""
        if request.method == "OPTIONS":
            return await _known(platform, request) is not None
        if request.method == "POST":
            kind = request.headers.get("content-type")
            is_form = kind[:19].lower() == "multipart/form-data"
            return is_form and await _known(platform, request) is not None
        return False

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer in the way of each front."""
        bucket = website_host(request.host)
        if bucket or request.path.startswith(WEBSITE_PATH):
            return await serve_website(platform, request, bucket)
        known = await _known(platform, request)
        if request.method == "OPTIONS":
            return answer_preflight(request, known)
        return await take_form(platform, request, bucket_of(request))


async def _known(platform: Platform, request: Request) -> Known | None:
    name = bucket_of(request)
    return await platform.need(Buckets).get(name) if name else None
