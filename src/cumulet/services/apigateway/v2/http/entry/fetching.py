"""Fetching what issuers publish, with bounds: the one thing that the gateway reads by itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache

from cumulet.core.context import Platform
from cumulet.services.apigateway.admission.jwt.limits import (
    DOCUMENT_BYTES_MAX,
    FETCH_SECONDS_MAX,
)
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.pipeline.integrations.addresses import target_of
from cumulet.services.apigateway.pipeline.integrations.connections import Connections
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError


def fetcher(platform: Platform) -> Callable[[str], Awaitable[bytes]]:
    """A function that gets a document by its URL; it raises OSError."""

    async def fetch(url: str) -> bytes:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                return await _fetch(platform, url)
        except (OutboundError, GatewayFault) as cause:
            raise OSError(str(cause)) from cause

    return fetch


async def _fetch(platform: Platform, url: str) -> bytes:
    target = target_of(url, {}, [])
    headers = [("Host", target.authority), ("Accept", "application/json")]
    tls = _tls() if target.is_tls else None
    answer = await platform.need(Connections).send(target, "GET", headers, b"", tls)
    parts: list[bytes] = []
    size = 0
    async for piece in answer.body:
        size += len(piece)
        if size > DOCUMENT_BYTES_MAX:
            raise OSError("the document is too long")
        parts.append(piece)
    if answer.status != 200:
        raise OSError(f"the answer is {answer.status}")
    return b"".join(parts)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
