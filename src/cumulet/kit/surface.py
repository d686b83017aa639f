"""Fronts that are not the AWS API: deployed REST APIs, function URLs, websites, pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.core.identity import Principal
from cumulet.core.trace import Trace


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
        """Whether this front answers the request; from host, path and `upgrade` alone, which is
        what the answer is remembered by, and cheaply."""
        ...

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer. Errors of ours may be raised; the edge answers them as 500."""
        ...


class SocketSurface(Surface, Protocol):
    """A front that also takes WebSockets."""

    async def admit(self, platform: Platform, request: Request) -> Response | Welcome:
        """Accept the upgrade and say who talks on it, or refuse it with an HTTP response."""
        ...


class Outlet(Protocol):
    """AWS's API for requests that a front makes in somebody's name, such as a gateway's to a queue.

    They are read, permitted and answered like those that come from outside; only the signature is
    missing, as the front has made sure of the principal itself.
    """

    async def carry_out(self, errand: Errand) -> Response:
        """The service's answer; a failure of the service is an answer too."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """One such request. `service` is the name that signatures have (`sqs`, `monitoring`).

    `action` names an operation of a service that has no paths for them; the request then gets what
    the service's protocol calls it by. Answers of the query protocol are JSON when the request's
    `Accept` begins so.
    """

    request: Request
    principal: Principal
    service: str
    region: str
    request_id: str
    trace: Trace
    action: str = ""
