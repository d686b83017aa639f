"""The chunked transfer coding, incoming: bytes of the wire → pieces of the body.

Not S3's signed chunks, which travel inside a body: they are in `wire/sigv4/chunked.py`.
"""

from __future__ import annotations

import re

from cumulet.edge.http1.head import BadRequest
from cumulet.edge.limits import CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX

_SIZE = re.compile(
    rb"([0-9A-Fa-f]{1,15})"
    rb"(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb"(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|\"[\t\x20\x21\x23-\x5b\x5d-\x7e]*\"))?)*\Z"
)
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\Z")


class Dechunker:
    """Takes bytes as they arrive. `done` is true after the last trailer; what follows is `rest`."""

    __slots__ = ("_after_data", "_buffer", "_left", "_size_max", "_total", "_trailers", "done")

    def __init__(self, size_max: int) -> None:
        self._buffer = b""
        self._left = 0
        self._after_data = False
        self._trailers = -1
        self._total = 0
        self._size_max = size_max
        self.done = False

    @property
    def rest(self) -> bytes:
        """Bytes after the end of the body."""
        return self._buffer if self.done else b""

    def feed(self, data: bytes) -> list[bytes]:
        """The body's bytes in `data`. Raises BadRequest."""
        pieces: list[bytes] = []
        data = self._buffer + data if self._buffer else data
        at = 0
        while not self.done:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                at += len(piece)
                self._left -= len(piece)
                self._after_data = self._left == 0
                pieces.append(piece)
                continue
            end = data.find(b"\n", at, at + CHUNK_LINE_BYTES_MAX)
            if end < 0:
                if len(data) - at >= CHUNK_LINE_BYTES_MAX:
                    raise BadRequest(400, "Chunk line too long")
                break
            if end == at or data[end - 1] != 13:
                raise BadRequest(400, "Bad line end in a chunk")
            self._line(data[at : end - 1])
            at = end + 1
        self._buffer = data[at:]
        return pieces

    def _line(self, line: bytes) -> None:
        if self._after_data:
            if line:
                raise BadRequest(400, "Chunk longer than its size")
            self._after_data = False
        elif self._trailers >= 0:
            self._trailer(line)
        else:
            self._size(line)

    def _size(self, line: bytes) -> None:
        match = _SIZE.match(line)
        if match is None:
            raise BadRequest(400, "Bad chunk size")
        self._left = int(match[1], 16)
        self._total += self._left
        if self._total > self._size_max:
            raise BadRequest(413, "Content Too Large")
        if not self._left:
            self._trailers = 0

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailers += len(line) + 2
        if self._trailers > TRAILER_BYTES_MAX or _FIELD.match(line) is None:
            raise BadRequest(400, "Bad trailer")
