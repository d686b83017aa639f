"""WebSockets on the HTTP port: the handshake, whole messages both ways, pings, and the end.

Frames are read and made by the `websockets` package without I/O; compression is not offered.
Follows https://www.rfc-editor.org/rfc/rfc6455
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from cumulet.core.http import Request, Response
from cumulet.core.trace import log_cause
from cumulet.edge.http1.answer import BadResponse
from cumulet.edge.http1.outlet import Outlet
from cumulet.edge.limits import Limits

if TYPE_CHECKING:
    from websockets.frames import Close
    from websockets.protocol import Protocol as Frames

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NORMAL, _GOING_AWAY, _ABNORMAL, _INVALID_DATA, _INTERNAL_ERROR = 1000, 1001, 1006, 1007, 1011
_TEXT, _BINARY, _CONTINUATION, _LAST = 0x01, 0x02, 0x00, 0x80
_PING = 9


def refusal(request: Request) -> Response | None:
    """The answer to a handshake that cannot be accepted, or None when it can."""
    headers = request.headers
    try:
        key = base64.b64decode(headers.get("sec-websocket-key"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if request.method != "GET" or len(key) != 16:
        return Response(400, [("content-type", "text/plain")], b"Bad WebSocket handshake")
    if headers.get("sec-websocket-version") != "13":
        return Response(426, [("sec-websocket-version", "13")])
    return None


def accept_key(key: str) -> str:
    """The proof that the handshake was understood (RFC 6455 §4.2.2)."""
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def welcome(request: Request, response: Response) -> bytes | None:
    """The bytes that accept the handshake, with further headers from `response`.

    None, and a line in the log, when a header cannot be written.
    """
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-accept: {accept_key(request.headers.get('sec-websocket-key'))}",
    ]
    lines += [f"{name}: {value}" for name, value in response.headers]
    try:
        if any(character in line for line in lines for character in "\r\n\0"):
            raise BadResponse("a line end in a header")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")
    except ValueError as cause:
        log_cause("", "upgrade refused", cause, path=request.path)
        return None


class Line(Protocol):
    """The connection under a WebSocket."""

    def pause_reading(self) -> None:
        """Leave what the client sends in its own buffers."""
        ...

    def resume_reading(self) -> None:
        """Take what the client sends."""
        ...

    def linger(self) -> None:
        """Close for writing, and read on for a moment."""
        ...


class WebSocket:
    """One accepted WebSocket; the `Socket` of `kit/surface.py`.

    `close_code` and `close_reason` say how it ended, once `receive` has answered None.
    """

    def __init__(
        self, line: Line, transport: asyncio.Transport, outlet: Outlet, limits: Limits
    ) -> None:
        self._line = line
        self._transport = transport
        self._outlet = outlet
        self._limits = limits
        self._protocol: Frames = _frames(limits)
        self._messages: deque[str | bytes] = deque()
        self._queued_bytes = 0
        self._parts = bytearray()
        self._is_text = False
        self._waiter: asyncio.Future[None] | None = None
        self._reading_paused = False
        self._ended = False
        self._quiet_seconds = 0.0
        self._idle_seconds = 0.0
        self._life_seconds = 0.0
        self._pinged = False

    @property
    def close_code(self) -> int:
        """The code of whoever closed first; 1006 when the peer went without one."""
        told = self._told()
        return _ABNORMAL if told is None else int(told.code)

    @property
    def close_reason(self) -> str:
        """The reason that came with the code."""
        told = self._told()
        return "" if told is None else told.reason

    def _told(self) -> Close | None:
        protocol = self._protocol
        if protocol.close_sent is None or protocol.close_rcvd_then_sent:
            return protocol.close_rcvd
        return protocol.close_sent

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can be sent: either side has closed, or the client is gone."""
        return self._ended or self._outlet.closed

    async def receive(self) -> str | bytes | None:
        """The next message, or None when the peer has closed or gone."""
        while not self._messages:
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._messages.popleft()
        self._queued_bytes -= len(message)
        if self._reading_paused and not self._has_enough(2):
            self._reading_paused = False
            self._line.resume_reading()
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a message; waits while the client reads slowly. Raises ConnectionError when closed.

        A client that takes nothing for `write_gap_seconds` is let go.
        """
        await self._outlet.drained()
        self._write(message)

    def offer(self, message: str | bytes) -> bool:
        """Send a message at once, unless too much waits for the client already; tells whether.

        Raises ConnectionError when closed.
        """
        waiting = self._transport.get_write_buffer_size()
        if waiting and waiting + len(message) > self._limits.socket_send_bytes_max:
            return False
        self._write(message)
        return True

    def _write(self, message: str | bytes) -> None:
        """Write a message in frames of our own: nothing of the protocol's state depends on them."""
        if self.has_ended:
            raise ConnectionResetError("the WebSocket is closed")
        self._idle_seconds = 0.0
        opcode, data = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
        most = self._limits.frame_bytes_max
        if len(data) <= most:
            self._transport.write(_frame_head(opcode | _LAST, len(data)) + data)
            return
        for begin in range(0, len(data), most):
            piece = data[begin : begin + most]
            last = _LAST if begin + most >= len(data) else 0
            self._transport.write(_frame_head(opcode | last, len(piece)) + piece)
            opcode = _CONTINUATION

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        """Close with a WebSocket status code."""
        self._end(code, reason)

    # For the connection

    def begin(self, greeting: bytes, early: bytes) -> None:
        """Accept the handshake; `early` is what came right behind it."""
        self._outlet.write(greeting)
        if early:
            self.feed(early)

    def _has_enough(self, times: int = 1) -> bool:
        """Whether what waits, taken so many times, fills the queue."""
        limits = self._limits
        return (
            len(self._messages) * times >= limits.socket_queue_messages_max
            or self._queued_bytes * times >= limits.socket_queue_bytes_max
        )

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._ended:
            return
        self._quiet_seconds = 0.0
        self._pinged = False
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            self._take(frame)
        self._flush()
        if not self._ended and self._has_enough():
            self._reading_paused = True
            self._line.pause_reading()

    def lost(self) -> None:
        """The client is gone."""
        self._ended = True
        self._wake()

    def going_away(self) -> None:
        """The server stops."""
        self._end(_GOING_AWAY, "")

    def tick(self, seconds: float) -> None:
        """Time has passed: close what is idle or too old, ping a quiet client, and let go one
        that did not answer the ping."""
        if self._ended:
            return
        self._idle_seconds += seconds
        self._life_seconds += seconds
        limits = self._limits
        if (
            self._idle_seconds > limits.socket_idle_seconds
            or self._life_seconds > limits.socket_life_seconds
        ):
            self._end(_GOING_AWAY, "Going away")
            return
        if self._reading_paused:
            return
        self._quiet_seconds += seconds
        if self._quiet_seconds <= self._limits.ping_seconds:
            return
        if self._pinged:
            self._transport.abort()
            return
        self._pinged = True
        self._quiet_seconds = 0.0
        self._protocol.send_ping(b"")
        self._flush()

    def _take(self, frame: Any) -> None:
        opcode = int(frame.opcode)
        if opcode <= _PING:
            # The answers to our own pings do not count, or nobody would ever be idle.
            self._idle_seconds = 0.0
        if opcode > 2:
            return
        if opcode:
            self._is_text = opcode == 1
        if self._parts or not frame.fin:
            self._parts += frame.data
            if not frame.fin:
                return
        whole = bytes(self._parts or frame.data)
        self._parts.clear()
        try:
            message = whole.decode() if self._is_text else whole
        except UnicodeDecodeError:
            self._end(_INVALID_DATA, "")
            return
        self._messages.append(message)
        self._queued_bytes += len(message)
        self._wake()

    def _end(self, code: int, reason: str) -> None:
        if not self._ended:
            if not self._protocol.close_expected():
                self._protocol.fail(code, reason)
            self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data and not self._outlet.closed:
                self._transport.write(data)
        if self._protocol.close_expected() and not self._ended:
            self._ended = True
            self._wake()
            if not self._outlet.closed:
                self._line.linger()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def hold(socket: WebSocket, converse: Callable[[WebSocket], Awaitable[None]]) -> None:
    """Let `converse` have the socket, and close it behind it, whatever happens."""
    try:
        await converse(socket)
        await socket.close()
    except Exception as cause:
        if not (socket.has_ended and isinstance(cause, ConnectionError)):
            log_cause("", "web socket failed", cause)
        await socket.close(_INTERNAL_ERROR)


def _frame_head(first: int, size_bytes: int) -> bytes:
    """The head of a frame of a server, which is not masked (RFC 6455 §5.2)."""
    if size_bytes < 126:
        return bytes((first, size_bytes))
    if size_bytes < 1 << 16:
        return bytes((first, 126)) + size_bytes.to_bytes(2, "big")
    return bytes((first, 127)) + size_bytes.to_bytes(8, "big")


def _frames(limits: Limits) -> Frames:
    # Imported here so that a cloud without WebSockets does not pay for it at start.
    from websockets.protocol import OPEN, SERVER, Protocol

    sizes = (limits.message_bytes_max, limits.frame_bytes_max)
    return Protocol(SERVER, state=OPEN, max_size=sizes)
