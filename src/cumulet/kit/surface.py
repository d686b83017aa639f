"""Fronts that are not the AWS API: deployed REST APIs, function URLs, websites, pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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

    def offer(self, message: str | bytes) -> bool:
        """Send a message at once, unless too much waits for the client already; tells whether.

        Raises ConnectionError when closed.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a WebSocket status code."""
        ...

    @property
    def close_code(self) -> int:
        """How it ended, once `receive` has answered None; 1006 when the peer just went."""
        ...

    @property
    def close_reason(self) -> str:
        """The reason that came with the code, or ""."""
        ...


@dataclass(frozen=True, slots=True)
class Welcome:
    """A WebSocket is accepted.

    `converse` has it until it closes, and is called even when the client has gone meanwhile.
    `headers` come with the handshake's answer, such as `sec-websocket-protocol`.
    """

    converse: Callable[[Socket], Awaitable[None]]
    headers: list[tuple[str, str]] = field(default_factory=list)


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

    async def admit(self, platform: Platform, request: Request) -> Response | Welcome:
        """Accept the upgrade and say who talks on it, or refuse it with an HTTP response."""
        ...
