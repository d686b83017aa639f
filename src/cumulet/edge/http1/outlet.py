"""What goes to one client: answers that join the turn's, and pieces that wait when it is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from cumulet.core.trace import log_cause
from cumulet.edge.http1.answer import BadResponse, Framed
from cumulet.edge.http1.outbox import Outbox
from cumulet.edge.limits import ANSWER_HELD_BYTES_MAX


class Outlet:
    """Writes to one client, in order, and waits for it when it reads slowly."""

    __slots__ = (
        *("_held", "_left_behind", "_outbox", "_quiet_seconds", "_transport", "_waiter"),
        *("closed", "paused"),
    )

    def __init__(self, transport: asyncio.Transport, outbox: Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        self._held = b""
        self._waiter: asyncio.Future[None] | None = None
        self._left_behind = 0
        self._quiet_seconds = 0.0
        self.paused = False
        self.closed = False

    def pause(self) -> None:
        """The client reads slowly."""
        self.paused = True

    def resume(self) -> None:
        """The client has caught up."""
        self.paused = False
        self._wake()

    def close(self) -> None:
        """The client is gone: nobody waits for it any longer."""
        self.closed = True
        self._held = b""
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def drained(self) -> None:
        """Wait until the client has caught up, or is gone."""
        while self.paused and not self.closed:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def answer(self, data: bytes) -> None:
        """Send a whole answer, together with those that others get in this turn."""
        slow = self._transport.get_write_buffer_size() > 0
        if slow or self._held or len(data) > ANSWER_HELD_BYTES_MAX:
            # What a slow client leaves is the transport's to count.
            self.write(data)
        else:
            self._held = data
            self._outbox.add(self)

    def send_held(self) -> None:
        """Send now what waits for the end of the turn."""
        if not self._held:
            return
        data, self._held = self._held, b""
        try:
            self._transport.write(data)
        except Exception as cause:
            # The others of this turn get their answers all the same.
            log_cause("", "answer could not be sent", cause)
            self._transport.abort()

    def write(self, data: bytes) -> None:
        """Send at once, after what waits."""
        if self._held:
            self.send_held()
        self._transport.write(data)

    def end(self) -> None:
        """Close once everything is sent."""
        self.send_held()
        self._transport.close()

    def end_writing(self) -> None:
        """Tell the client that nothing more comes, once everything is sent."""
        self.send_held()
        self._transport.write_eof()

    async def stream(self, framed: Framed, pieces: AsyncIterator[bytes]) -> None:
        """Send a body in pieces as they come. Raises BadResponse when it breaks its framing."""
        write = self.write
        write(framed.head)
        if framed.bodiless:
            return
        sent, size = 0, framed.size_bytes
        async for piece in pieces:
            if self.closed:
                return
            if not piece:
                continue
            sent += len(piece)
            if size is not None and sent > size:
                raise BadResponse("the body is longer than its content-length")
            write(b"%x\r\n%b\r\n" % (len(piece), piece) if framed.chunked else piece)
            if self.paused:
                await self.drained()
        if size is not None and sent != size:
            raise BadResponse("the body is shorter than its content-length")
        if framed.chunked and not self.closed:
            write(b"0\r\n\r\n")

    def is_stuck(self, seconds: float, limit_seconds: float) -> bool:
        """Whether, after `seconds` more, the client has taken no byte for too long."""
        waiting = self._transport.get_write_buffer_size()
        moved = waiting < self._left_behind or not waiting
        self._left_behind = waiting
        self._quiet_seconds = 0.0 if moved else self._quiet_seconds + seconds
        return self._quiet_seconds > limit_seconds
