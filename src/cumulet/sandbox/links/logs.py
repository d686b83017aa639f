"""A function's output as bounded lines: what is too long is cut, what is too much is counted."""

from __future__ import annotations

import fcntl
import os
import termios
from collections.abc import Callable

from cumulet.sandbox.contract import LogLine, OnLog
from cumulet.sandbox.messages import RECORD_HEADER_BYTES_MAX, RECORD_MARK

READ_BYTES = 65_536
DRAIN_READS_MAX = 64
"""Reads at the end of an invocation: a pipe holds one, the rest is for a writer still at it."""


def _nowhere(line: LogLine) -> None:
    """Where lines go that no invocation wants."""


class LogPump:
    """Reads the log pipe of one environment and hands out whole lines."""

    def __init__(
        self, fd: int, now: Callable[[], float], line_bytes_max: int, bytes_max: int
    ) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.ended = False
        self._now = now
        self._line_bytes_max = line_bytes_max
        self._bytes_max = bytes_max
        self._waiting = bytearray(4)
        self._buffer = b""
        self._skip = 0
        self._taken = 0
        self._left_out = 0
        self._request_id = ""
        self._on_log: OnLog = _nowhere

    def begin(self, request_id: str, on_log: OnLog) -> None:
        """From now on lines belong to this request."""
        self._request_id, self._on_log = request_id, on_log
        self._taken = self._left_out = 0

    def say(self, text: str) -> None:
        """Add a line of the platform's own."""
        self._on_log(LogLine(self._request_id, int(self._now() * 1000), text))

    def read(self) -> bool:
        """Read once; False when there is nothing now, or never again."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return False
        if not data:
            self.ended = True
            return False
        if self._taken >= self._bytes_max:
            self._left_out += len(data)
            return True
        self._buffer = self._take(self._buffer + data if self._buffer else data)
        return True

    def _has_more(self) -> bool:
        """Whether something is in the pipe: to ask costs less than to read in vain."""
        if self.fd < 0:
            return False
        try:
            fcntl.ioctl(self.fd, termios.FIONREAD, self._waiting)
        except OSError:
            return True
        return any(self._waiting)

    def finish(self) -> None:
        """Read what is there, end an unfinished line, and say how much was left out.

        What comes later, from extensions at their end, still goes to the last invocation's sink.
        """
        for _ in range(DRAIN_READS_MAX):
            if not (self._has_more() and self.read()):
                break
        if self._buffer:
            self._emit(self._buffer)
            self._buffer = b""
        self._skip = 0
        if self._left_out:
            self.say(
                f"[cumulet] {self._left_out} bytes of output were left out: "
                f"an invocation may write {self._bytes_max} bytes"
            )
        self._request_id = ""
        self._taken = self._left_out = 0

    def close(self) -> None:
        """Give the pipe back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _take(self, data: bytes) -> bytes:
        """Emit every whole line or record in `data`; returns the unfinished rest."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            end = self._end_of(data, at)
            if end < 0:
                break
            at = end
        rest = data[at:]
        if len(rest) > self._line_bytes_max + RECORD_HEADER_BYTES_MAX:
            self._emit(rest[: self._line_bytes_max])
            return rest[self._line_bytes_max :]
        return rest

    def _end_of(self, data: bytes, at: int) -> int:
        """Emit the line or record that starts here; returns where it ends, -1 if not yet."""
        newline = data.find(b"\n", at)
        if newline < 0:
            return -1
        head = data[at + 1 : newline]
        if data[at : at + 1] != RECORD_MARK or not head.isdigit() or len(head) > 9:
            self._emit(data[at:newline])
            return newline + 1
        size = int(head)
        start, end = newline + 1, newline + 1 + size
        if end <= len(data):
            self._emit(data[start:end])
            return end
        if size > self._line_bytes_max and len(data) - start >= self._line_bytes_max:
            self._emit(data[start : start + self._line_bytes_max])
            self._skip = end - len(data)
            return len(data)
        return -1

    def _emit(self, line: bytes) -> None:
        """Hand out one line or record; a longer one than allowed becomes several."""
        size = self._line_bytes_max
        for at in range(0, len(line) or 1, size):
            self._emit_piece(line[at : at + size])

    def _emit_piece(self, line: bytes) -> None:
        if self._taken + len(line) > self._bytes_max:
            self._left_out += len(line) + 1
            self._taken = self._bytes_max
            return
        self._taken += len(line) + 1
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._on_log(LogLine(self._request_id, int(self._now() * 1000), text))
