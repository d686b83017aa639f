"""Last step: the answer as the client gets it, with the gateway's own headers."""

from __future__ import annotations

import re

from cumulet.core.http import Response
from cumulet.services.apigateway.v2.http.arrival import Arrival, Exchange
from cumulet.services.apigateway.v2.http.prepared.cors import CorsRules
from cumulet.services.apigateway.v2.http.refusals import Refusal, failed
from cumulet.services.apigateway.v2.limits import BODY_BYTES_MAX

REQUEST_ID = "apigw-requestid"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DROPPED = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "trailer"),
        *("upgrade", "content-length", "date", REQUEST_ID),
    }
)
_CORS = "access-control-"


def respond(arrival: Arrival, cors: CorsRules | None, exchange: Exchange) -> Response:
    """The backend's answer. Raises Refusal for one that cannot be sent.

    With a CORS configuration the backend's own headers for it are left out.
    """
    headers: list[tuple[str, str]] = []
    for name, value in exchange.headers:
        lowered = name.lower()
        if not _NAME.match(name) or _BAD_VALUE.search(value):
            raise failed(f"the header {name!r} cannot be sent")
        if lowered in _DROPPED or (cors is not None and lowered.startswith(_CORS)):
            continue
        headers.append((name, value))
    if len(exchange.body) > BODY_BYTES_MAX:
        raise failed("the answer is longer than 10 MB")
    if cors is not None:
        headers += cors.headers(arrival.request)
    headers.append((REQUEST_ID, arrival.request_id))
    body = b"" if exchange.status in (204, 304) else exchange.body
    return Response(exchange.status, headers, body)


def respond_refusal(arrival: Arrival, cors: CorsRules | None, refusal: Refusal) -> Response:
    """The gateway's own answer."""
    headers = [("Content-Type", "application/json"), *refusal.headers]
    if cors is not None:
        headers += cors.headers(arrival.request)
    headers.append((REQUEST_ID, arrival.request_id))
    return Response(refusal.status, headers, refusal.body)


def respond_preflight(arrival: Arrival, headers: list[tuple[str, str]]) -> Response:
    """The answer to a preflight request; without headers the browser goes no further."""
    return Response(204, [*headers, (REQUEST_ID, arrival.request_id)])
