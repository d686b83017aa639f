"""Addresses in outputs: AWS's own, and the ones at which the same thing answers here. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_API = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com\Z")
_FUNCTION = re.compile(r"(?P<id>[a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.on\.aws\Z")
_BUCKET = re.compile(r"(?P<bucket>[a-z0-9.-]+)\.s3[.-](?:website[.-])?[a-z0-9-]+\.amazonaws\.com\Z")


def local_url(url: str, endpoint: str) -> str | None:
    """Where `url` is reached on the cloud at `endpoint`; None when it names nothing of ours.

    `https://{api}.execute-api.{region}.amazonaws.com/{stage}/…` becomes
    `{endpoint}/restapis/{api}/{stage}/_user_request_/…`, and a function URL
    `{endpoint}/_lambda-url/{id}/…`. Buckets and WebSocket APIs become hosts under `localhost`.
    """
    try:
        parts = urlsplit(url)
        here = urlsplit(endpoint)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "ws", "wss"):
        return None
    port = f":{here.port}" if here.port else ""
    path = parts.path.lstrip("/")
    base = f"{here.scheme}://{here.netloc}"
    query = f"?{parts.query}" if parts.query else ""
    if match := _FUNCTION.match(host):
        return f"{base}/_lambda-url/{match['id']}/{path}{query}"
    if match := _BUCKET.match(host):
        return f"{here.scheme}://{match['bucket']}.s3.localhost{port}/{path}{query}"
    match = _API.match(host)
    if match is None:
        return None
    stage, _, rest = path.partition("/")
    if stage and parts.scheme in ("http", "https"):
        return f"{base}/restapis/{match['id']}/{stage}/_user_request_/{rest}{query}"
    secure = "s" if here.scheme == "https" else ""
    scheme = f"{parts.scheme.removesuffix('s')}{secure}"
    return f"{scheme}://{match['id']}.execute-api.localhost{port}/{path}{query}"
