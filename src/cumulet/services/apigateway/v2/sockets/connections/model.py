"""A connection as it is kept: which client is where, so that its end is never forgotten."""

from __future__ import annotations

from typing import Any

import msgspec


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One open WebSocket of an API, from before its `$connect` until after its `$disconnect`.

    `node` is the process that holds it. `identity` and `authorizer` are those of the handshake, as
    events show them. Times are in epoch milliseconds.
    """

    id: str
    node: str
    account: str
    region: str
    api_id: str
    stage: str
    domain: str
    connected_at_ms: int
    identity: dict[str, Any]
    authorizer: dict[str, Any] | None = None
    api_key: str | None = None
