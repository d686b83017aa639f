"""HTTP backends of HTTP APIs: the request passed on, the answer passed back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import lru_cache

from cumulet.core.context import Context
from cumulet.core.http import Request
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.pipeline.integrations.addresses import target_of
from cumulet.services.apigateway.pipeline.integrations.connections import Connections
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError, Target
from cumulet.services.apigateway.rules.names import ANY
from cumulet.services.apigateway.v2.http.arrival import Arrival, Authorized, Exchange
from cumulet.services.apigateway.v2.http.changes import changed_request
from cumulet.services.apigateway.v2.http.prepared.served import ServedIntegration
from cumulet.services.apigateway.v2.http.refusals import Refusal, bad_request, failed, unavailable
from cumulet.services.apigateway.v2.limits import BODY_BYTES_MAX

_NOT_PASSED = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer"),
        *("upgrade", "expect", "host", "content-length", "via", "forwarded", "x-amzn-trace-id"),
    }
)
_NOT_PASSED_BACK = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "trailer"),
        *("upgrade", "content-length", "date"),
    }
)


async def pass_on(ctx: Context, who: Authorized, served: ServedIntegration) -> Exchange:
    """Send the request on and its answer back. Raises Refusal."""
    arrival, path = changed_request(who, served.changes)
    target = _target(who, served, arrival, path)
    request = arrival.request
    headers = _headers(who, request, target)
    method = served.integration.integration_method or ANY
    verb = request.method if method == ANY else method
    try:
        async with asyncio.timeout(served.timeout_seconds):
            answer = await ctx.need(Connections).send(
                target, verb, headers, arrival.body, _tls() if target.is_tls else None
            )
            body = await _whole(answer.body)
    except TimeoutError as cause:
        raise unavailable("the backend took longer than the integration's timeout") from cause
    except OutboundError as cause:
        raise unavailable(str(cause)) from cause
    who.matched.arrival.notes.integration_status = answer.status
    kept = [(name, v) for name, v in answer.headers if name.lower() not in _NOT_PASSED_BACK]
    return Exchange(answer.status, kept, body)


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > BODY_BYTES_MAX:
            raise OutboundError("the answer is longer than 10 MB")
        parts.append(piece)
    return b"".join(parts)


def _target(
    who: Authorized, served: ServedIntegration, arrival: Arrival, path: str | None
) -> Target:
    """Where the request goes: the URI with its path variables, or with the mapped path."""
    try:
        target = target_of(served.uri, who.matched.parameters, [])
    except GatewayFault as fault:
        raise _refusal_of(fault) from fault
    place, _, own = target.address.partition("?")
    query = "&".join(part for part in (own, arrival.request.query) if part)
    place = place if path is None else path
    return Target(
        host=target.host,
        port=target.port,
        authority=target.authority,
        is_tls=target.is_tls,
        address=place + (f"?{query}" if query else ""),
    )


def _refusal_of(fault: GatewayFault) -> Refusal:
    cause = fault.cause or fault.message or ""
    return bad_request(cause) if fault.status == 400 else failed(cause)


def _headers(who: Authorized, request: Request, target: Target) -> list[tuple[str, str]]:
    """The client's headers, and where the request came from as `Forwarded` says it (RFC 7239)."""
    arrival = who.matched.arrival
    headers = [
        (name, value) for name, value in request.headers.spelt() if name.lower() not in _NOT_PASSED
    ]
    peer = f'"[{request.peer}]"' if ":" in request.peer else request.peer
    told = f"for={peer};host={arrival.domain};proto={request.scheme}"
    before = arrival.request.headers.get("forwarded")
    headers.append(("Forwarded", f"{before}, {told}" if before else told))
    headers.append(("Via", "HTTP/1.1 AmazonAPIGateway"))
    headers.append(("X-Amzn-Trace-Id", arrival.trace_header))
    headers.append(("Host", target.authority))
    return headers


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    return ssl.create_default_context()
