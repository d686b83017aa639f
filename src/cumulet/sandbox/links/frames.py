"""Frames over a socket pair to our own runtime clients, for Python and for Node.js."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from cumulet.sandbox import messages
from cumulet.sandbox.contract import AsyncSink, Invocation
from cumulet.sandbox.environment import Answer, Result, broken
from cumulet.sandbox.links.streams import Stream

READ_BYTES = 65_536
READ_ON_BYTES = 262_144
"""Once an answer shows itself to be long; a buffer of this size costs more than most answers."""
_DRAIN_READS_MAX = 64
_SINGLE = frozenset(
    {
        messages.READY,
        messages.INIT_FAILED,
        messages.RESPONSE,
        messages.ERROR,
        messages.TOO_LARGE,
        messages.FATAL,
    }
)
_STREAMED = frozenset({messages.STREAM_BEGIN, messages.STREAM_CHUNK, messages.STREAM_END})


class FrameLink:
    """One environment's data socket, from the cloud's side."""

    def __init__(self, data: socket.socket, on_closed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = data
        self._on_closed = on_closed
        self._deliver: Callable[[Result], None]
        self._buffer = b""
        self._unsent = b""
        self._open = True
        self._sink: AsyncSink | None = None
        self._stream: Stream | None = None
        self._gathered: list[bytes] | None = None
        self._content_type = ""
        self._stream_error = b""

    async def attach(self, deliver: Callable[[Result], None]) -> None:
        """Start reading."""
        self._deliver = deliver
        self._loop.add_reader(self._data, self._on_readable)

    def send(self, invocation: Invocation, deadline_ms: int, sink: AsyncSink | None) -> None:
        """Hand over one event."""
        self._sink = sink
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

    def drain(self) -> None:
        """Take what the runtime has still written, now that it has ended."""
        for _ in range(_DRAIN_READS_MAX):
            if not self._open or not self._on_readable():
                return

    def pending(self) -> Answer | None:
        """None: an answer is delivered as soon as it is whole."""
        return None

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

    def _on_readable(self) -> bool:
        """Read once; True when there was something."""
        try:
            data = self._data.recv(READ_ON_BYTES if self._buffer else READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_closed()
            return False
        self._buffer = self._buffer + data if self._buffer else data
        while self._open and self._take():
            pass
        return True

    def _take(self) -> bool:
        """Take one frame from the buffer, if it is whole; True when there may be another."""
        head = messages.FRAME.size
        buffer = self._buffer
        if len(buffer) < head:
            return False
        size, kind = messages.FRAME.unpack_from(buffer)
        if size > messages.FRAME_BYTES_MAX or not (kind in _SINGLE or kind in _STREAMED):
            self._break()
            return False
        if len(buffer) < head + size:
            return False
        body, self._buffer = buffer[head : head + size], buffer[head + size :]
        if kind in _STREAMED:
            self._take_piece(kind, body)
        elif self._buffer or self._stream is not None:
            self._break()  # One event has one answer.
        elif kind == messages.FATAL:
            self._deliver(Answer(messages.ERROR, body, final=True))
        else:
            self._deliver(Answer(kind, body))
        return bool(self._buffer)

    def _take_piece(self, kind: int, body: bytes) -> None:
        if kind == messages.STREAM_BEGIN:
            self._content_type = body.decode("latin-1")
            if self._sink is None:
                self._gathered = []
            else:
                self._stream = Stream(
                    self._sink, self._content_type, self._pause, self._resume, self._streamed
                )
        elif self._stream is not None:
            if kind == messages.STREAM_CHUNK:
                self._stream.feed(body)
            else:
                self._stream_error = body
                self._stream.end()
        elif self._gathered is None:
            self._break()
        elif kind == messages.STREAM_CHUNK:
            self._gather(body)
        else:
            self._deliver_gathered(body)

    def _gather(self, body: bytes) -> None:
        assert self._gathered is not None
        self._gathered.append(body)
        if sum(map(len, self._gathered)) > messages.STREAM_BYTES_MAX:
            self._break()

    def _deliver_gathered(self, error: bytes) -> None:
        """Nobody takes a stream: the answer is given whole, under the limit of whole answers."""
        answer = b"".join(self._gathered or ())
        self._gathered = None
        if error:
            self._deliver(Answer(messages.ERROR, error))
        elif len(answer) > messages.RESPONSE_BYTES_MAX:
            self._deliver(Answer(messages.TOO_LARGE, b""))
        else:
            self._deliver(Answer(messages.RESPONSE, answer, content_type=self._content_type))

    def _streamed(self, trouble: str | None) -> None:
        self._stream = None
        error, self._stream_error = self._stream_error, b""
        if trouble:
            self._deliver(broken(trouble))
        elif error:
            self._deliver(Answer(messages.ERROR, error, streamed=True))
        else:
            self._deliver(
                Answer(messages.RESPONSE, b"", streamed=True, content_type=self._content_type)
            )

    def _pause(self) -> None:
        if self._open:
            self._loop.remove_reader(self._data)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._data, self._on_readable)

    def _break(self) -> None:
        self.close()
        self._deliver(broken("Runtime broke the protocol of its environment"))
        self._on_closed()

    def close(self) -> None:
        """Stop reading and writing."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if self._open:
            self._open = False
            self._loop.remove_reader(self._data)
            with contextlib.suppress(OSError, ValueError):
                self._loop.remove_writer(self._data)
