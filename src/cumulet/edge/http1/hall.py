"""What connections need of the server they belong to, and the server of what it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cumulet.core.http import Request, Response
from cumulet.edge.http1.answer import HeadWriter
from cumulet.edge.http1.head import HeadReader
from cumulet.edge.http1.outbox import Outbox
from cumulet.edge.limits import Limits
from cumulet.kit.surface import Socket

Converse = Callable[[Socket], Awaitable[None]]


class Application(Protocol):
    """What the server serves."""

    async def answer(self, request: Request) -> Response:
        """Answer one request. What it raises becomes a 500 and a line in the log."""
        ...

    async def upgrade(self, request: Request) -> Response | tuple[Response, Converse]:
        """Refuse a WebSocket with a response; or accept with who talks on it.

        The response that comes with an acceptance gives further headers of the handshake's answer,
        such as `sec-websocket-protocol`.
        """
        ...


class Hall(Protocol):
    """What connections share; `listen.Server` is it."""

    application: Application
    limits: Limits
    reader: HeadReader
    writer: HeadWriter
    outbox: Outbox
    draining: bool
    connections: set[Any]
    loop: asyncio.AbstractEventLoop

    def left(self, connection: Any) -> None:
        """A connection is gone."""
        ...
