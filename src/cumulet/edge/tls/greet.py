"""Accepts TLS connections: the name that a client asks for chooses the context of its handshake.

Python's `ssl` can change the certificate once the name is known, but not whether a client must
show one. So the client's first message is looked at before TLS begins, without taking it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable

from cumulet.core.errors import AwsError
from cumulet.core.trace import log_cause
from cumulet.edge.tls.hello import HELLO_BYTES_MAX, read_hello

ChooseContext = Callable[[str], Awaitable[ssl.SSLContext]]

_BACKLOG = 1_024
_ACCEPTS_MAX = 64
_FULL_SECONDS = 1.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FIRST_BYTES = 5


class TlsListener:
    """Listening sockets whose connections are greeted, each within `seconds`."""

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        choose: ChooseContext,
        seconds: float,
        greetings_max: int,
    ) -> None:
        self._make = make
        self._choose = choose
        self._seconds = seconds
        self._greetings_max = greetings_max
        self._loop = asyncio.get_running_loop()
        self._greetings: set[asyncio.Task[None]] = set()
        self.sockets: list[socket.socket] = []

    async def open(self, host: str, port: int) -> None:
        """Listen on every address of `host`. Raises OSError."""
        found = await self._loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for address in dict.fromkeys((family, place) for family, _, _, _, place in found):
            family, place = address
            listening = socket.create_server(
                (place[0], port), family=family, backlog=_BACKLOG, dualstack_ipv6=False
            )
            listening.setblocking(False)
            port = port or int(listening.getsockname()[1])
            self.sockets.append(listening)
            self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Accept no more; what is being greeted is let go."""
        for listening in self.sockets:
            self._loop.remove_reader(listening)
            listening.close()
        for greeting in self._greetings:
            greeting.cancel()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTS_MAX):
            try:
                client, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as cause:
                if cause.errno not in _EXHAUSTED:
                    raise
                self._loop.remove_reader(listening)
                self._loop.call_later(_FULL_SECONDS, self._resume, listening)
                return
            if len(self._greetings) >= self._greetings_max:
                client.close()
                continue
            client.setblocking(False)
            greeting = self._loop.create_task(self._greet(client), name="greet a TLS client")
            self._greetings.add(greeting)
            greeting.add_done_callback(self._greetings.discard)

    def _resume(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, listening)

    async def _greet(self, client: socket.socket) -> None:
        handed_over = False
        try:
            async with asyncio.timeout(self._seconds):
                name = await self._peek_name(client)
            context = await self._choose(name)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            handed_over = True
            # A failed handshake is the client's affair, and ends its connection.
            with contextlib.suppress(OSError, TimeoutError):
                await self._loop.connect_accepted_socket(
                    self._make, client, ssl=context, ssl_handshake_timeout=self._seconds
                )
        except (OSError, TimeoutError) as cause:
            if isinstance(cause, ssl.SSLError):
                log_cause("", "no certificate for a custom domain", cause)
        except (AwsError, ValueError) as cause:
            log_cause("", "no certificate for a custom domain", cause)
        finally:
            if not handed_over:
                client.close()

    async def _peek_name(self, client: socket.socket) -> str:
        """The server name that the client asks for; its bytes stay for TLS to read."""
        needed = _FIRST_BYTES
        while True:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, needed)
            await self._readable(client)
            data = client.recv(HELLO_BYTES_MAX, socket.MSG_PEEK)
            if len(data) < needed:
                raise ConnectionResetError("the client left before its hello was whole")
            hello = read_hello(data)
            if not hello.bytes_needed:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                return hello.server_name
            needed = hello.bytes_needed

    async def _readable(self, client: socket.socket) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(client, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_reader(client)
