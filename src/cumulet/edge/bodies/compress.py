"""Compresses answers for clients that ask for it."""

from __future__ import annotations

import asyncio
from zlib import crc32

from cumulet.core.http import Response
from cumulet.wire.protocols.coding import COMPRESSED_FROM_BYTES, encode

_IN_THREAD_FROM_BYTES = 65_536
"""Larger bodies would hold up all other requests while they are compressed."""


async def compress(response: Response, coding: str) -> None:
    """Compress an answer in place, when a coding is wanted and it is large enough.

    The CRC-32 that DynamoDB sends along is of the bytes on the wire: the SDK for Java checks
    those, before it decompresses.
    """
    body = response.body
    if not coding or not isinstance(body, bytes) or len(body) <= COMPRESSED_FROM_BYTES:
        return
    if len(body) < _IN_THREAD_FROM_BYTES:
        packed = encode(coding, body)
    else:
        packed = await asyncio.to_thread(encode, coding, body)
    response.body = packed
    response.headers = [pair for pair in response.headers if pair[0] != "x-amz-crc32"]
    response.headers.append(("content-encoding", coding))
    response.headers.append(("x-amz-crc32", str(crc32(packed))))
