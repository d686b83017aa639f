"""Last step: the answer as the client gets it, and the gateway's own answers."""

from __future__ import annotations

import gzip
import json
import re
import zlib

from cumulet.core.http import Request, Response
from cumulet.services.apigateway.limits import BODY_BYTES_MAX
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import GatewayFault, malformed_answer

_REMAPPED = frozenset({"connection", "content-length", "date", "server"})
_REMAPPED_UNLESS_PROXY = _REMAPPED | {
    *("authorization", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate"),
    *("trailer", "upgrade", "user-agent", "www-authenticate"),
}
"""Headers that a backend may not set itself: they come with `x-amzn-Remapped-` before them.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""

_DROPPED = frozenset({"transfer-encoding", "keep-alive"})
_DROPPED_HTTP_PROXY = _DROPPED | {"content-encoding", "via"}

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_GATEWAYS_OWN = frozenset({"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-errortype"})
_LEVEL = 6


def respond(exchange: Exchange) -> Response:
    """The answer with API Gateway's headers. Raises GatewayFault for one that cannot be sent."""
    matched = exchange.matched
    kind = matched.method.kind
    remapped = _REMAPPED if kind in ("AWS_PROXY", "HTTP_PROXY") else _REMAPPED_UNLESS_PROXY
    dropped = _DROPPED_HTTP_PROXY if kind == "HTTP_PROXY" else _DROPPED
    arrival = matched.arrival
    headers = [("x-amzn-RequestId", arrival.request_id), ("x-amz-apigw-id", arrival.extended_id)]
    has_type = False
    for name, value in exchange.headers:
        lowered = name.lower()
        if not _NAME.match(name) or _BAD_VALUE.search(value):
            raise malformed_answer(f"the header {name!r} cannot be sent")
        if lowered in dropped:
            continue
        if lowered in remapped or lowered in _GATEWAYS_OWN:
            name = f"x-amzn-Remapped-{name}"
        has_type = has_type or lowered == "content-type"
        headers.append((name, value))
    if exchange.shows_trace:
        headers.append(("X-Amzn-Trace-Id", arrival.trace_header))
    if not has_type:
        headers.append(("Content-Type", "application/json"))
    if len(exchange.body) > BODY_BYTES_MAX:
        raise malformed_answer("the answer is longer than 10 MB")
    if not 100 < exchange.status < 600:
        raise malformed_answer(f"{exchange.status} is no status code")
    body = exchange.body
    least = matched.stage.compression_bytes_min
    if least is not None and len(body) >= least:
        body = _compress(arrival.request, headers, body)
    return Response(exchange.status, headers, body)


def _compress(request: Request, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """The body as the client asks for it, when the API compresses and the backend has not.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
    """
    if not body or any(name.lower() == "content-encoding" for name, _ in headers):
        return body
    accepted = request.headers.get("accept-encoding").lower()
    if "gzip" in accepted:
        headers.append(("Content-Encoding", "gzip"))
        return gzip.compress(body, _LEVEL, mtime=0)
    if "deflate" in accepted:
        headers.append(("Content-Encoding", "deflate"))
        return zlib.compress(body, _LEVEL)
    return body


def respond_fault(fault: GatewayFault, request_id: str, extended_id: str) -> Response:
    """A gateway response, with AWS's headers."""
    headers = [
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", fault.error_type),
        ("x-amz-apigw-id", extended_id),
        ("Content-Type", "application/json"),
    ]
    body = json.dumps({fault.member: fault.message}, separators=(",", ":"), ensure_ascii=False)
    return Response(fault.status, headers, body.encode())
