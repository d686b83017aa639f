"""Server-sent events, as OpenAI-compatible servers stream them.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from cumulet.services.bedrock.limits import LINE_BYTES_MAX


class TooLong(Exception):
    """An event is longer than any that makes sense."""


class EventLines:
    """Finds the data of events in pieces that end anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that are whole now. Raises TooLong."""
        found: list[bytes] = []
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")
            if not line:
                if self._data:
                    found.append(b"\n".join(self._data))
                self._data, self._size = [], 0
            elif line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
                self._size += len(line)
        if len(self._rest) + self._size > LINE_BYTES_MAX:
            raise TooLong
        return found

    def end(self) -> list[bytes]:
        """What is left when the stream ends: some servers leave the last empty line out."""
        return self.feed(b"\n\n") if self._rest or self._data else []
