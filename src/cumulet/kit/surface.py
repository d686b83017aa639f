"""Fronts that are not the AWS API: deployed REST APIs, function URLs, websites, pages."""

from __future__ import annotations

from typing import Protocol

from cumulet.core.context import Platform
from cumulet.core.http import Request, Response


class Socket(Protocol):
    """One accepted WebSocket. Messages are whole; both directions are bounded."""

    async def receive(self) -> str | bytes | None:
        """The next message, or None when the peer has closed or gone."""
        ...

    async def send(self, message: str | bytes) -> None:
        """Queue a message; waits while the queue is full. Raises ConnectionError when closed."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a WebSocket status code."""
        ...


class Surface(Protocol):
    """A front that answers HTTP requests which are not AWS operations."""

    @property
    def name(self) -> str:
        """Its name in traces."""
        ...

    def match(self, request: Request) -> bool:
        """Whether this front answers the request; from host and path alone, and cheaply."""
        ...

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer. Errors of ours may be raised; the edge answers them as 500."""
        ...


class SocketSurface(Surface, Protocol):
    """A front that also takes WebSockets."""

    async def admit(self, platform: Platform, request: Request) -> Response | None:
        """None to accept the upgrade, or the HTTP response that refuses it."""
        ...

    async def converse(self, platform: Platform, request: Request, socket: Socket) -> None:
        """Serve the accepted socket until it closes."""
        ...
