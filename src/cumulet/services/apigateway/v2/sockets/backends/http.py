"""HTTP backends of WebSocket routes: one request for each message."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.faults import configuration_error, timed_out, unreachable
from cumulet.services.apigateway.pipeline.integrations.outbound import (
    OutboundError,
    Target,
    exchange,
)
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer
from cumulet.services.apigateway.v2.sockets.backends.outgoing import Outgoing
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration
from cumulet.services.apigateway.v2.sockets.event import Happening

_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})
_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
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
    target = _target(integration.uri, outgoing.path, query)
    names = {name.lower() for name in headers}
    for name, value in (
        ("User-Agent", f"AmazonAPIGateway_{happening.connection.api_id}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
    ):
        if name.lower() not in names:
            headers[name] = value
    pairs = [(name, value) for name, value in headers.items() if name.lower() not in _OURS]
    method = "POST" if integration.method == "ANY" else integration.method
    tls = _tls() if target.is_tls else None
    try:
        async with asyncio.timeout(integration.timeout_seconds):
            answer = await exchange(
                target, method, [*pairs, ("Host", target.authority)], outgoing.body, tls
            )
    except TimeoutError as cause:
        raise timed_out() from cause
    except OutboundError as cause:
        ctx.trace.note(integration_error=str(cause))
        raise unreachable(str(cause)) from cause
    return Answer(answer.status, answer.headers, answer.body)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    return ssl.create_default_context()


def _target(uri: str, path: Mapping[str, str], query: Mapping[str, str]) -> Target:
    """Where the request goes. What is filled in may not climb out of its place."""
    for name, value in path.items():
        for mark in (f"{{{name}}}", f"{{{name}+}}"):
            if mark not in uri:
                continue
            if any(part.lower().replace("%2e", ".") in (".", "..") for part in value.split("/")):
                raise configuration_error("a path parameter has dot segments")
            uri = uri.replace(mark, quote(value, safe=_PATH_SAFE))
    parts = urlsplit(uri)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as cause:
        raise configuration_error(f"{uri!r} has no valid port") from cause
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise configuration_error(f"{uri!r} is no HTTP address")
    text = "&".join(piece for piece in (parts.query, urlencode(query)) if piece)
    return Target(
        host=parts.hostname,
        port=port,
        authority=parts.netloc.rpartition("@")[2],
        is_tls=parts.scheme == "https",
        address=(parts.path or "/") + (f"?{text}" if text else ""),
    )
