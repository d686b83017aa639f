"""Event streams: frames with typed headers and two checksums, encoded and decoded.

The frame: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, NamedTuple

from cumulet.core.errors import MalformedRequest

FRAME_BYTES_MAX = 24 * 1024 * 1024
HEADERS_BYTES_MAX = 128 * 1024
CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_OVERHEAD = 16
"""Twelve bytes before the headers and four after the payload."""

HeaderValue = str | bytes | bool | int | float


class Event(NamedTuple):
    """One decoded frame. A timestamp header is in seconds since the epoch."""

    headers: dict[str, HeaderValue]
    payload: bytes

    @property
    def name(self) -> str:
        """The `:event-type`, or ""."""
        return str(self.headers.get(":event-type", ""))


def encode_frame(headers: Iterable[tuple[str, HeaderValue]], payload: bytes) -> bytes:
    """One frame with its lengths and checksums."""
    told = b"".join(_encode_header(name, value) for name, value in headers)
    total = _OVERHEAD + len(told) + len(payload)
    lengths = struct.pack(">II", total, len(told))
    start = lengths + struct.pack(">I", crc32(lengths)) + told + payload
    return start + struct.pack(">I", crc32(start))


def _encode_header(name: str, value: HeaderValue) -> bytes:
    label = name.encode()
    start = bytes((len(label),)) + label
    if isinstance(value, bool):
        return start + (b"\x00" if value else b"\x01")
    if isinstance(value, int):
        if -(2**31) <= value < 2**31:
            return start + struct.pack(">Bi", 4, value)
        return start + struct.pack(">Bq", 5, value)
    if isinstance(value, float):
        return start + struct.pack(">Bq", 8, round(value * 1000))
    if isinstance(value, bytes):
        return start + struct.pack(">BH", 6, len(value)) + value
    text = value.encode()
    return start + struct.pack(">BH", 7, len(text)) + text


class FrameDecoder:
    """Cuts a stream of bytes into events, checking lengths and checksums.

    Raises MalformedRequest for a frame that is wrong in any of them.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that are whole with this piece."""
        self._buffer += piece
        while len(self._buffer) >= _PRELUDE.size:
            total, headers_length, checksum = _PRELUDE.unpack_from(self._buffer)
            _check_prelude(self._buffer, total, headers_length, checksum)
            if len(self._buffer) < total:
                return
            frame = bytes(self._buffer[:total])
            del self._buffer[:total]
            yield _decode_frame(frame, headers_length)

    def finish(self) -> None:
        """Raises MalformedRequest when the stream ended inside a frame."""
        if self._buffer:
            raise MalformedRequest("The event stream ended inside a message")


def _check_prelude(buffer: bytearray, total: int, headers_length: int, checksum: int) -> None:
    if crc32(buffer[:8]) != checksum:
        raise MalformedRequest("The prelude checksum of an event stream message does not match")
    if total > FRAME_BYTES_MAX or headers_length > HEADERS_BYTES_MAX:
        raise MalformedRequest("An event stream message is too long")
    if total < _OVERHEAD + headers_length:
        raise MalformedRequest("The lengths of an event stream message do not fit")


def _decode_frame(frame: bytes, headers_length: int) -> Event:
    if crc32(frame[:-4]) != struct.unpack(">I", frame[-4:])[0]:
        raise MalformedRequest("The checksum of an event stream message does not match")
    end = _PRELUDE.size + headers_length
    try:
        return Event(dict(_decode_headers(frame[_PRELUDE.size : end])), frame[end:-4])
    except (struct.error, IndexError, UnicodeDecodeError) as cause:
        raise MalformedRequest("The headers of an event stream message are malformed") from cause


_FIXED: dict[int, tuple[struct.Struct, Callable[[Any], HeaderValue]]] = {
    2: (struct.Struct(">b"), int),
    3: (struct.Struct(">h"), int),
    4: (struct.Struct(">i"), int),
    5: (struct.Struct(">q"), int),
    8: (struct.Struct(">q"), lambda millis: millis / 1000),
    9: (struct.Struct(">16s"), bytes),
}


def _decode_headers(data: bytes) -> Iterator[tuple[str, HeaderValue]]:
    place = 0
    while place < len(data):
        length = data[place]
        name = data[place + 1 : place + 1 + length].decode()
        kind = data[place + 1 + length]
        place += length + 2
        if kind in (0, 1):
            yield name, kind == 0
        elif kind in (6, 7):
            (size,) = struct.unpack_from(">H", data, place)
            value = data[place + 2 : place + 2 + size]
            if len(value) != size:
                raise IndexError
            yield name, value if kind == 6 else value.decode()
            place += 2 + size
        elif kind in _FIXED:
            form, convert = _FIXED[kind]
            yield name, convert(form.unpack_from(data, place)[0])
            place += form.size
        else:
            raise IndexError


async def decode_events(pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """The events of a body that is still arriving. Raises MalformedRequest."""
    decoder = FrameDecoder()
    async for piece in pieces:
        for event in decoder.feed(piece):
            yield event
    decoder.finish()
