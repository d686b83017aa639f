"""The small HTTP server of one environment: its own processes call it, and nobody else.

A request is parsed by httptools; an answer is written head and body at once (two writes would
meet Nagle's algorithm and the delayed acknowledgement, 44 ms each). Who connects is asked of the
kernel: the other end of the connection must belong to a process of this environment.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httptools

HEAD_BYTES_MAX = 65_536
CONNECTIONS_MAX = 64
_WORDS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
          413: "Payload Too Large", 500: "Internal Server Error"}  # fmt: skip


@dataclass(slots=True)
class Call:
    """One request. `take` may be set by a route to receive the body piece by piece instead."""

    connection: Connection
    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    take: Callable[[bytes], None] | None = None
    too_large: bool = False
    answered: bool = False

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answer once; later answers are ignored."""
        if self.answered:
            return
        self.answered = True
        lines = [f"HTTP/1.1 {status} {_WORDS.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/json", "", ""]
        self.connection.write("\r\n".join(lines).encode("utf-8") + body)

    def answer_json(
        self, status: int, fields: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        """Answer with a JSON object."""
        self.answer(status, json.dumps(fields).encode(), headers)

    def refuse(self, status: int, kind: str, message: str) -> None:
        """Answer with an error as the Runtime API words it."""
        self.answer_json(status, {"errorType": kind, "errorMessage": message})


class Routes(Protocol):
    """What a server does with requests."""

    def begun(self, call: Call) -> None:
        """The head is here; the body follows."""
        ...

    def complete(self, call: Call) -> None:
        """The whole request is here, trailers among its headers."""
        ...

    def gone(self, call: Call) -> None:
        """The caller has closed the connection before an answer."""
        ...


class Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, routes: Routes, body_bytes_max: int, on_closed: Callable[[], None]) -> None:
        self._routes = routes
        self._body_bytes_max = body_bytes_max
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._call = Call(self)
        self._waiting: Call | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever it refuses closes the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the routes when an answer was owed."""
        self._transport = None
        for call in (self._waiting, self._call):
            if call is not None and call.path and not call.answered:
                self._routes.gone(call)
        self._on_closed()

    def on_url(self, url: bytes) -> None:
        """Part of the head."""
        self._head_bytes = len(url)
        self._call.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Part of the head, or of the trailers."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.close()
            return
        self._call.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._call.method = self._parser.get_method().decode("latin-1")
        if self._call.headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._routes.begun(self._call)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        call = self._call
        if call.take is not None:
            call.take(body)
        elif len(call.body) + len(body) > self._body_bytes_max:
            call.too_large = True
        else:
            call.body += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        call, self._call = self._call, Call(self)
        self._head_bytes = 0
        self._waiting = call
        self._routes.complete(call)

    def write(self, data: bytes) -> None:
        """Write at once."""
        if self._transport is not None:
            self._transport.write(data)

    def pause(self) -> None:
        """Read no more for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close without an answer."""
        if self._transport is not None:
            self._transport.abort()


class Server:
    """Accepts connections of one environment's own processes on its listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        routes: Routes,
        body_bytes_max: int,
        is_own: Callable[[socket.socket], bool],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._routes = routes
        self._body_bytes_max = body_bytes_max
        self._is_own = is_own
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        self._loop.add_reader(listener, self._on_acceptable)

    def _on_acceptable(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= CONNECTIONS_MAX or not self._is_own(accepted):
            accepted.close()
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(
            self._routes, self._body_bytes_max, lambda: self._connections.discard(connection)
        )
        self._connections.add(connection)
        task = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: connection, accepted)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Close everything."""
        self._loop.remove_reader(self._listener)
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.close()
