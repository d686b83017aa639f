"""What a backend answered, as it goes to the last step."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from cumulet.services.apigateway.pipeline.match import Matched


class Exchange(msgspec.Struct, frozen=True):
    """A request with the answer of its backend. `shows_trace`: AWS tells the trace id with it."""

    matched: Matched
    status: int
    headers: list[tuple[str, str]]
    body: bytes | AsyncIterator[bytes]
    shows_trace: bool
