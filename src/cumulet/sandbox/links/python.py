"""Frames over a socket pair to the Python side (`child/python_loop.py`)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from cumulet.sandbox import messages
from cumulet.sandbox.contract import AsyncSink, Invocation
from cumulet.sandbox.environment import Answer, Broken, Result

READ_BYTES = 262_144
_KINDS = frozenset(
    {
        messages.READY,
        messages.INIT_FAILED,
        messages.RESPONSE,
        messages.ERROR,
        messages.TOO_LARGE,
    }
)


class PythonLink:
    """One environment's data socket, from the cloud's side."""

    def __init__(self, data: socket.socket, on_closed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = data
        self._on_closed = on_closed
        self._deliver: Callable[[Result], None] | None = None
        self._buffer = b""
        self._unsent = b""
        self._open = True

    def attach(self, deliver: Callable[[Result], None]) -> None:
        """Start reading."""
        self._deliver = deliver
        self._loop.add_reader(self._data, self._on_readable)

    def send(self, invocation: Invocation, deadline_ms: int, sink: AsyncSink | None) -> None:
        """Hand over one event; a Python runtime answers whole, never to the sink."""
        frame = messages.pack_invoke(
            invocation.request_id,
            deadline_ms,
            invocation.trace_id,
            invocation.function_arn,
            invocation.client_context,
            invocation.cognito_identity,
            invocation.payload,
        )
        try:
            sent = self._data.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # Its end is being reported by the status socket.
        if sent < len(frame):
            self._unsent = frame[sent:]
            self._loop.add_writer(self._data, self._on_writable)

    def _on_writable(self) -> None:
        try:
            sent = self._data.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._data)

    def _on_readable(self) -> None:
        try:
            data = self._data.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_closed()
            return
        self._buffer = self._buffer + data if self._buffer else data
        self._take()

    def _take(self) -> None:
        """Deliver a whole frame. One event has one answer: anything more breaks the protocol."""
        head = messages.FRAME.size
        buffer = self._buffer
        if len(buffer) < head:
            return
        size, kind = messages.FRAME.unpack_from(buffer)
        if size > messages.FRAME_BYTES_MAX or kind not in _KINDS or len(buffer) > head + size:
            self._break()
            return
        if len(buffer) < head + size:
            return
        self._buffer = b""
        assert self._deliver is not None
        self._deliver(Answer(kind, buffer[head:]))

    def _break(self) -> None:
        self.close()
        assert self._deliver is not None
        self._deliver(Broken("Runtime broke the protocol of its environment"))
        self._on_closed()

    def shutdown(self) -> bool:
        """Nobody on the other side waits for this."""
        return False

    def close(self) -> None:
        """Stop reading and writing."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._data)
            with contextlib.suppress(OSError, ValueError):
                self._loop.remove_writer(self._data)
