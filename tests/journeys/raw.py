"""Requests byte by byte: signed by botocore's signers, sent on a plain connection."""

from __future__ import annotations

import http.client
import json
import socket
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.credentials import Credentials

ANSWER_SECONDS_MAX = 20
REGION = "us-east-1"


@dataclass(frozen=True)
class Call:
    """One request before it is signed."""

    service: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def but(self, **changes: Any) -> Call:
        return replace(self, **changes)


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)


class S3Signer(S3SigV4Auth):  # type: ignore[misc]
    """botocore's signer; a payload's digest that the call itself gives stays as it is."""

    def __init__(self, credentials: Credentials, service: str, region: str, given: str) -> None:
        super().__init__(credentials, service, region)
        self._given = given

    def payload(self, request: Any) -> Any:
        return self._given or super().payload(request)


def signed_headers(
    cloud: Any, call: Call, key: tuple[str, ...], *, late_by: timedelta | None = None
) -> dict[str, str]:
    """The call's headers with a signature, made at another time when `late_by` says so."""
    headers = {"Host": urlsplit(cloud.endpoint).netloc, **call.headers}
    request: Any = AWSRequest(call.method, cloud.endpoint + call.path, headers, call.body)
    auth: Any = SigV4Auth(Credentials(*key), call.service, REGION)
    if call.service == "s3":
        digest = call.headers.get("x-amz-content-sha256", "")
        auth = S3Signer(Credentials(*key), call.service, REGION, digest)
    if late_by is None:
        auth.add_auth(request)
        return dict(request.headers)
    now = get_current_datetime() - late_by
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    return dict(request.headers)


def send(cloud: Any, call: Call, headers: dict[str, str] | None = None) -> Answer:
    """Send a call as it is, with these headers."""
    where = urlsplit(cloud.endpoint)
    connection = http.client.HTTPConnection(
        where.hostname or "", where.port, timeout=ANSWER_SECONDS_MAX
    )
    try:
        connection.request(call.method, call.path, call.body, headers or call.headers)
        got = connection.getresponse()
        told = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, told, got.read())
    finally:
        connection.close()


def send_signed(
    cloud: Any, call: Call, key: tuple[str, ...] = (), *, late_by: timedelta | None = None
) -> Answer:
    return send(cloud, call, signed_headers(cloud, call, key or cloud.root_key, late_by=late_by))


def send_head_only(cloud: Any, call: Call, size_bytes: int) -> Answer:
    """Announce a body of that size, send none of it, and read the answer."""
    headers = signed_headers(cloud, call, cloud.root_key)
    headers["Content-Length"] = str(size_bytes)
    with connect(cloud) as sock:
        sock.sendall(head_of(call, headers))
        return read_answer(sock)


def send_and_hang_up(cloud: Any, call: Call, size_bytes: int) -> None:
    """Announce a body of that size, send the call's body, which is shorter, and go away."""
    headers = signed_headers(cloud, call, cloud.root_key)
    headers["Content-Length"] = str(size_bytes)
    with connect(cloud) as sock:
        sock.sendall(head_of(call, headers) + call.body)


def connect(cloud: Any) -> socket.socket:
    where = urlsplit(cloud.endpoint)
    return socket.create_connection((where.hostname or "", where.port or 0), ANSWER_SECONDS_MAX)


def head_of(call: Call, headers: dict[str, str]) -> bytes:
    lines = [f"{call.method} {call.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(sock: socket.socket) -> Answer:
    got = http.client.HTTPResponse(sock)
    got.begin()
    told = {name.lower(): value for name, value in got.getheaders()}
    return Answer(got.status, told, got.read())
