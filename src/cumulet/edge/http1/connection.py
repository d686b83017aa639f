"""One HTTP/1.1 connection: requests in, in order; answers out, in order; everything bounded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import cast

from cumulet.core.errors import AwsError
from cumulet.core.http import Body, BytesBody, Client, Request, Response
from cumulet.core.trace import log_cause
from cumulet.edge.http1.answer import CONTINUE, BadResponse, Framed, close, plain
from cumulet.edge.http1.body import Incoming, incomplete_body, too_slow
from cumulet.edge.http1.hall import Converse, Hall
from cumulet.edge.http1.head import BadRequest, Head
from cumulet.edge.http1.outlet import Outlet
from cumulet.edge.websocket import WebSocket, hold, refusal, welcome


class Connection(asyncio.Protocol):
    """One client. At most one request is being answered; later ones wait in the buffer."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._limits = hall.limits
        self._transport: asyncio.Transport
        self._outlet: Outlet
        self._buffer = b""
        self._searched = 0
        self._incoming: Incoming | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: WebSocket | None = None
        self._advancing = False
        self._streaming = self._reading_paused = False
        self._lingering = self._ended = self._closed = False
        self._quiet_seconds = 0.0
        self._scheme = "http"
        self._peer = self._tls_domain = ""
        self._certificate: bytes | None = None
        self._client = Client()

    # What the socket says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept, or refuse when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        self._outlet = Outlet(self._transport, self._hall.outbox)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if secure is not None:
            self._scheme = "https"
            self._certificate = secure.getpeercert(binary_form=True)
            self._tls_domain = getattr(secure.context, "tls_domain", "")
        self._transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes)
        self._hall.connections.add(self)
        if len(self._hall.connections) > self._limits.connections_max:
            self._refuse(BadRequest(503, "Too many connections"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: wake whoever reads from it or writes to it."""
        self._closed = True
        self._hall.left(self)
        self._outlet.close()
        if self._incoming is not None:
            self._incoming.fail(ConnectionResetError("the client went away"))
        if self._socket is not None:
            self._socket.lost()
        self._client.depart()
        if self._streaming and self._task is not None:
            self._task.cancel()

    def eof_received(self) -> bool:
        """The client sends no more, but may still read: what is in hand is answered."""
        self._ended = True
        # While somebody works for this client alone, an end is taken for one that left.
        is_awaited = self._streaming or self._client.is_watched
        if self._socket is not None or self._lingering or is_awaited:
            return False
        if self._incoming is not None:
            self._incoming.fail(incomplete_body())
        return self._task is not None

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._socket is not None:
            self._socket.feed(data)
            return
        if self._lingering:
            return
        if self._incoming is not None:
            data = self._take_body(self._incoming, data)
            if not data:
                return
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
            self._quiet_seconds = 0.0
        if self._task is None:
            self._advance()
        if self._task is not None and len(self._buffer) > self._limits.pipeline_bytes_max:
            self.pause_reading()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._outlet.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._outlet.resume()
        if self._task is None and self._buffer:
            self._advance()

    def body_wanted(self) -> None:
        """A handler waits for body bytes."""
        incoming = self._incoming
        if incoming is not None and incoming.awaits_continue:
            incoming.awaits_continue = False
            if not self._closed:
                self._outlet.write(CONTINUE)
        self.resume_reading()

    def pause_reading(self) -> None:
        """Leave what the client sends in its own buffers."""
        if not self._reading_paused and not self._closed:
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take what the client sends."""
        if self._reading_paused and not self._closed:
            self._reading_paused = False
            self._transport.resume_reading()

    # Requests

    def _advance(self) -> None:
        """Begin the next request if it is whole and nothing is in the way."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._buffer and self._is_free() and self._take_head():
                pass
        except BadRequest as refused:
            self._refuse(refused)
        finally:
            self._advancing = False

    def _is_free(self) -> bool:
        return (
            self._task is None
            and self._incoming is None
            and self._socket is None
            and not (self._lingering or self._closed or self._outlet.paused)
        )

    def _take_head(self) -> bool:
        data = self._buffer
        # An empty line before a request is tolerated, as RFC 9112 §2.2 asks.
        if data.startswith(b"\r\n"):
            self._buffer = data[2:]
            return True
        end = data.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(data) - 3)
            if len(data) > self._limits.head_bytes_max:
                raise BadRequest(431, "Request Header Fields Too Large")
            return False
        self._searched = 0
        if end > self._limits.head_bytes_max:
            raise BadRequest(431, "Request Header Fields Too Large")
        head = self._hall.reader.read(data[:end])
        self._buffer = data[end + 4 :]
        self._begin(head)
        return True

    def _begin(self, head: Head) -> None:
        self._quiet_seconds = 0.0
        size = head.size_bytes
        body: Body
        if size is not None and size <= len(self._buffer):
            body = BytesBody(self._buffer[:size])
            self._buffer = self._buffer[size:]
        else:
            body = self._expect_body(head)
        request = Request(
            *(head.method, head.path, head.query, head.headers, body),
            scheme=self._scheme,
            peer=self._peer,
            client_certificate=self._certificate,
            tls_domain=self._tls_domain,
            client=self._client,
        )
        if head.upgrade == "websocket":
            work = self._upgrade(request, head)
        else:
            self._hall.outbox.in_hand += 1
            work = self._answer(request, head)
        self._task = self._hall.loop.create_task(work)

    def _expect_body(self, head: Head) -> Body:
        early, self._buffer = self._buffer, b""
        awaits = head.expects_continue and not early
        incoming = Incoming(self, head.size_bytes, self._limits, awaits_continue=awaits)
        self._incoming = incoming
        if early:
            self._buffer = self._take_body(incoming, early)
        return incoming.body

    def _take_body(self, incoming: Incoming, data: bytes) -> bytes:
        """Give body bytes to the body; what follows it comes back."""
        try:
            rest = incoming.feed(data)
        except BadRequest as refused:
            self._break_off(incoming, refused)
            return b""
        if incoming.ended:
            self._incoming = None
        elif incoming.is_full:
            self.pause_reading()
        elif incoming.is_tiresome:
            self.linger()
        return rest

    def _break_off(self, incoming: Incoming, refused: BadRequest) -> None:
        """The body cannot be read to its end: who reads it learns why; the connection ends."""
        if incoming.abandoned:
            self.linger()
            return
        incoming.fail(AwsError(refused.reason, code="BadRequest", http_status=refused.status))
        self.pause_reading()

    # Answers

    async def _answer(self, request: Request, head: Head) -> None:
        try:
            response = await self._hall.application.answer(request)
        except asyncio.CancelledError:
            self._transport.abort()
        except Exception as cause:
            if not (self._closed and isinstance(cause, ConnectionError)):
                log_cause("", "request failed", cause, method=head.method, path=head.path)
            await self._send(plain(500), head)
        else:
            await self._send(response, head)
        finally:
            self._hall.outbox.in_hand -= 1

    async def _send(self, response: Response, head: Head) -> None:
        try:
            framed = self._frame(response, head)
        except BadResponse as cause:
            log_cause("", "response refused", cause, method=head.method, path=head.path)
            await close(response.body)
            response = plain(500)
            framed = self._frame(response, head)
        body = response.body
        if isinstance(body, bytes):
            if not self._closed:
                self._outlet.answer(framed.head if framed.bodiless else framed.head + body)
            self._finish(framed.keep_alive)
        elif await self._stream(framed, body):
            self._finish(framed.keep_alive)

    def _frame(self, response: Response, head: Head) -> Framed:
        keep_alive = (
            head.keep_alive
            and not self._hall.draining
            and (self._incoming is None or self._incoming.can_be_skipped)
        )
        return self._hall.writer.write(response, head.method, head.newest, keep_alive)

    async def _stream(self, framed: Framed, body: AsyncIterator[bytes]) -> bool:
        """Send the pieces; whatever ends it early closes the iterator. False when it was cut."""
        self._streaming = True
        try:
            if not self._closed:
                await self._outlet.stream(framed, body)
            return True
        except (asyncio.CancelledError, Exception) as cause:
            # The head has gone out: a cut is the only way left to say that the rest failed.
            if not self._closed and not isinstance(cause, asyncio.CancelledError):
                log_cause("", "streamed answer failed", cause)
            self._transport.abort()
            return False
        finally:
            self._streaming = False
            await close(body)

    def _finish(self, keep_alive: bool) -> None:
        """The answer is written: go on to the next request, or end."""
        self._task = None
        self._quiet_seconds = 0.0
        if self._closed:
            return
        if not keep_alive or self._hall.draining:
            if self._incoming is not None or self._buffer:
                self.linger()
            else:
                self._outlet.end()
            return
        if self._incoming is not None:
            self._incoming.abandon()
        if self._buffer:
            self._advance()
        if self._ended and self._task is None:
            self._outlet.end()
        elif len(self._buffer) <= self._limits.pipeline_bytes_max:
            self.resume_reading()

    def _refuse(self, refused: BadRequest) -> None:
        """Answer what could not be read as a request, and end the connection."""
        response = plain(refused.status, refused.reason)
        framed = self._hall.writer.write(response, "GET", True, False)
        self._outlet.write(framed.head + refused.reason.encode())
        self.linger()

    def linger(self) -> None:
        """Close for writing, but read on for a moment: a client still sending would otherwise
        get a reset in place of the answer (RFC 9112 §9.6)."""
        self._lingering = True
        self._buffer = b""
        self._quiet_seconds = 0.0
        self.resume_reading()
        if self._transport.can_write_eof() and not self._ended:
            self._outlet.end_writing()
        else:
            self._outlet.end()

    async def _upgrade(self, request: Request, head: Head) -> None:
        outcome: Response | tuple[Response, Converse]
        try:
            outcome = refusal(request) or await self._hall.application.upgrade(request)
        except Exception as cause:
            log_cause("", "upgrade failed", cause, path=head.path)
            outcome = plain(500)
        if isinstance(outcome, Response):
            return await self._send(outcome, head)
        # Whoever accepted hears of the end in any case, also of one that came before the beginning.
        socket = WebSocket(self, self._transport, self._outlet, self._limits)
        greeting = welcome(request, outcome[0])
        if self._closed or self._ended or greeting is None:
            socket.lost()
        else:
            self.resume_reading()
            self._socket = socket
            socket.begin(greeting, self._buffer)
            self._buffer = b""
        await hold(socket, outcome[1])
        if self._socket is None:
            await self._send(plain(500), head)
        self._task = None

    def tick(self, seconds: float) -> None:
        """`seconds` have passed: end the connection if its client takes too long."""
        if self._closed:
            return
        if self._outlet.is_stuck(seconds, self._limits.write_gap_seconds):
            self._transport.abort()
        elif self._socket is not None:
            self._socket.tick(seconds)
        elif self._lingering:
            self._quiet_seconds += seconds
            if self._quiet_seconds > self._limits.linger_seconds:
                self._transport.abort()
        elif self._incoming is not None:
            self._tick_body(self._incoming, seconds)
        elif self._task is None:
            self._tick_idle(seconds)

    def _tick_body(self, incoming: Incoming, seconds: float) -> None:
        waits = not (self._reading_paused or incoming.awaits_continue)
        if waits and incoming.is_too_slow(seconds):
            if incoming.abandoned:
                self._transport.abort()
            else:
                incoming.fail(too_slow())

    def _tick_idle(self, seconds: float) -> None:
        self._quiet_seconds += seconds
        if self._buffer and self._quiet_seconds > self._limits.head_seconds:
            self._refuse(BadRequest(408, "Request Timeout"))
        elif self._quiet_seconds > self._limits.idle_seconds:
            self._outlet.end()

    def drain(self) -> None:
        """The server stops: end now if nothing is in hand, else after the answer."""
        if self._socket is not None:
            self._socket.going_away()
        elif self._task is None and not self._lingering:
            self._outlet.end()

    def abort(self) -> None:
        """End at once, whatever is in hand."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()
