"""Requests as bytes, signed beforehand as a client signs them."""

from __future__ import annotations

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed(
    endpoint: str,
    key: tuple[str, str],
    service: str,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    """One HTTP/1.1 request with a SigV4 signature; it may be sent again for five minutes."""
    request = AWSRequest(method, endpoint + path, data=body, headers=headers or {})
    SigV4Auth(Credentials(*key), service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    return plain(endpoint, method, path, body, dict(prepared.headers))


def plain(
    endpoint: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """One HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {endpoint.removeprefix('http://')}"]
    given = {k: v for k, v in (headers or {}).items() if k.lower() not in ("host",)}
    if body or method in ("POST", "PUT"):
        given.setdefault("Content-Length", str(len(body)))
    lines += [
        f"{name}: {value.decode() if isinstance(value, bytes) else value}"
        for name, value in given.items()
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


CALLER_IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
