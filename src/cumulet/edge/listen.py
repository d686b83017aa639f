"""The server: sockets, TLS, the sweep that ends slow connections, and the drain at the end."""

from __future__ import annotations

import asyncio
import socket
import ssl

from cumulet.core.clock import Clock
from cumulet.edge.http1.answer import HeadWriter
from cumulet.edge.http1.connection import Connection
from cumulet.edge.http1.hall import Application
from cumulet.edge.http1.head import HeadReader
from cumulet.edge.http1.outbox import Outbox
from cumulet.edge.limits import Limits
from cumulet.edge.tls.greet import ChooseContext, TlsListener

_BACKLOG = 1_024


class Server:
    """Listens and serves until it is drained."""

    def __init__(
        self, application: Application, clock: Clock, limits: Limits | None = None
    ) -> None:
        self.application = application
        self.limits = limits if limits is not None else Limits()
        self.reader = HeadReader(self.limits)
        self.writer = HeadWriter(clock)
        self.draining = False
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.outbox = Outbox(self.loop)
        self._clock = clock
        self._empty = asyncio.Event()
        self._listeners: list[asyncio.Server | TlsListener] = []
        self._sweeper: asyncio.Task[None] | None = None

    async def listen(
        self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> int:
        """Accept connections on an address; may be called for several. Returns the port."""
        # A TLS handshake has the time of a head: until it ends, no connection is there to sweep.
        listener = await self.loop.create_server(
            lambda: Connection(self),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=self.limits.head_seconds if tls is not None else None,
            backlog=_BACKLOG,
        )
        return self._opened(listener)

    async def listen_by_name(self, host: str, port: int, choose: ChooseContext) -> int:
        """Accept TLS connections, each by the context that `choose` gives for the name that the
        client asks for (empty for none). Returns the port."""
        listener = TlsListener(
            lambda: Connection(self),
            choose,
            self.limits.head_seconds,
            self.limits.connections_max,
        )
        await listener.open(host, port)
        return self._opened(listener)

    def _opened(self, listener: asyncio.Server | TlsListener) -> int:
        self._listeners.append(listener)
        if self._sweeper is None:
            self._sweeper = self.loop.create_task(self._sweep(), name="sweep connections")
        return _port_of(listener.sockets[0])

    async def drain(self, deadline_seconds: float) -> bool:
        """Stop accepting, finish what is in hand, and end what is not done by the deadline.

        Returns whether everything could be finished.
        """
        self.draining = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections):
            connection.drain()
        finished = await self._wait_empty(deadline_seconds)
        for connection in list(self.connections):
            connection.abort()
        if not finished:
            await self._wait_empty(self.limits.linger_seconds)
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        return finished

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    async def _wait_empty(self, deadline_seconds: float) -> bool:
        self._empty.clear()
        if not self.connections:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), deadline_seconds)
        except TimeoutError:
            return False
        return True

    async def _sweep(self) -> None:
        seconds = self.limits.sweep_seconds
        while True:
            await self._clock.sleep(seconds)
            for connection in list(self.connections):
                connection.tick(seconds)


def _port_of(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port
