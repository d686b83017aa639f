"""HTTP backends of WebSocket routes: one request for each message."""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.faults import timed_out, unreachable
from cumulet.services.apigateway.pipeline.integrations.addresses import target_of
from cumulet.services.apigateway.pipeline.integrations.connections import Connections
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer
from cumulet.services.apigateway.v2.sockets.backends.outgoing import Outgoing
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration
from cumulet.services.apigateway.v2.sockets.event import Happening

_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})
_NOT_PASSED = _OURS | {"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"}


async def send(
    ctx: Context, integration: ServedIntegration, happening: Happening, outgoing: Outgoing
) -> Answer:
    """Ask the backend. Raises GatewayFault.

    A proxy integration of `$connect` passes the headers and the query of the handshake on.
    """
    headers = dict(outgoing.headers)
    query = dict(outgoing.query)
    if integration.kind == "HTTP_PROXY":
        query = {**happening.handshake.query, **query}
        given = {name.lower() for name in headers}
        for name, value in happening.handshake.headers.items():
            if name.lower() not in _NOT_PASSED and name.lower() not in given:
                headers[name] = value
    target = target_of(integration.uri, outgoing.path, list(query.items()))
    names = {name.lower() for name in headers}
    for name, value in (
        ("User-Agent", f"AmazonAPIGateway_{happening.connection.api_id}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
    ):
        if name.lower() not in names:
            headers[name] = value
    pairs = [(name, value) for name, value in headers.items() if name.lower() not in _OURS]
    pairs.append(("Host", target.authority))
    method = "POST" if integration.method == "ANY" else integration.method
    tls = _tls() if target.is_tls else None
    try:
        async with asyncio.timeout(integration.timeout_seconds):
            answer = await ctx.need(Connections).send(target, method, pairs, outgoing.body, tls)
            return Answer(answer.status, answer.headers, await answer.body.whole())
    except TimeoutError as cause:
        raise timed_out() from cause
    except OutboundError as cause:
        ctx.trace.note(integration_error=str(cause))
        raise unreachable(str(cause)) from cause


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    return ssl.create_default_context()
