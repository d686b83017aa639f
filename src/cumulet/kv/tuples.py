"""Tuples as bytes that sort as the tuples do: the one encoding of keys.

Elements of different types sort by type: None, bytes, str, tuple, int, float, False, True. A tuple
sorts before every longer one that begins with it. Text sorts by code point.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, TypeAlias

Element: TypeAlias = "bytes | str | int | float | tuple[Any, ...] | None"
"""What a tuple may hold; a nested tuple holds the same."""

AFTER = b"\xff"
"""Sorts after everything that may follow a packed tuple inside a longer one."""

INT_BYTES_MAX = 4_095
NESTING_MAX = 16

_END = 0x00
_NONE = 0x02
_BYTES = 0x03
_TEXT = 0x04
_TUPLE = 0x05
_INT_LEAST = 0x0F
_INT_ZERO = 0x18
_INT_MOST = 0x21
_FLOAT = 0x28
_FALSE = 0x2A
_TRUE = 0x2B

_ESCAPED_ZERO = b"\x00\xff"
_SIGN = 1 << 63
_ALL = (1 << 64) - 1
_POSITIVE = tuple(bytes((_INT_ZERO + size,)) for size in range(9))


def pack(values: Iterable[Element]) -> bytes:
    """The bytes of a tuple. Raises TypeError for a type that has no order here."""
    parts: list[bytes] = []
    for value in values:
        if type(value) is str:
            try:
                raw = f"\x04{value}\0".encode()
            except UnicodeEncodeError:
                raw = f"\x04{value}\0".encode("utf-8", "surrogatepass")
            if "\0" in value:
                raw = b"\x04" + raw[1:-1].replace(b"\0", _ESCAPED_ZERO) + b"\0"
            parts.append(raw)
        elif type(value) is int:
            if 0 < value <= _ALL:
                size = (value.bit_length() + 7) >> 3
                parts.append(_POSITIVE[size] + value.to_bytes(size, "big"))
            else:
                parts.append(_pack_int(value))
        else:
            parts.append(_pack_other(value, 0))
    return b"".join(parts)


def pack_text_start(text: str) -> bytes:
    """The bytes with which every text that begins with `text` begins, and no other element."""
    return b"\x04" + text.encode("utf-8", "surrogatepass").replace(b"\0", _ESCAPED_ZERO)


def _pack_other(value: Any, depth: int) -> bytes:
    if isinstance(value, int):
        if value is True or value is False:
            return b"\x2b" if value else b"\x2a"
        return _pack_int(value)
    if isinstance(value, str):
        return pack((str(value),))
    if value is None:
        return b"\x02"
    if isinstance(value, bytes):
        return b"\x03" + value.replace(b"\0", _ESCAPED_ZERO) + b"\0"
    if isinstance(value, float):
        return _pack_float(value)
    if isinstance(value, tuple):
        if depth >= NESTING_MAX:
            raise ValueError("a key's tuples are nested too deeply")
        inner = b"".join(_pack_other(element, depth + 1) for element in value)
        return b"\x05" + inner + b"\0"
    raise TypeError(f"a key cannot hold a {type(value).__name__}")


def _pack_int(value: int) -> bytes:
    if value == 0:
        return b"\x18"
    size = (abs(value).bit_length() + 7) >> 3
    if value > 0:
        if size <= 8:
            return _POSITIVE[size] + value.to_bytes(size, "big")
        _check_size(size)
        return b"\x21" + size.to_bytes(2, "big") + value.to_bytes(size, "big")
    complement = value + (1 << (8 * size)) - 1
    if size <= 8:
        return bytes((_INT_ZERO - size,)) + complement.to_bytes(size, "big")
    _check_size(size)
    return b"\x0f" + (0xFFFF - size).to_bytes(2, "big") + complement.to_bytes(size, "big")


def _check_size(size: int) -> None:
    if size > INT_BYTES_MAX:
        raise ValueError("a key's integer is too large")


def _pack_float(value: float) -> bytes:
    bits: int = struct.unpack(">Q", struct.pack(">d", value))[0]
    bits = bits ^ _ALL if bits & _SIGN else bits | _SIGN
    return b"\x28" + bits.to_bytes(8, "big")


def unpack(data: bytes, start: int = 0, count: int | None = None) -> tuple[Any, ...]:
    """The tuple of `data[start:]`, or its first `count` elements.

    Raises ValueError when these are not the bytes of a tuple.
    """
    values: list[Any] = []
    at, size = start, len(data)
    try:
        while at < size and (count is None or len(values) < count):
            if data[at] == _TEXT:
                raw, at = _read_escaped(data, at + 1)
                try:
                    values.append(raw.decode())
                except UnicodeDecodeError:
                    values.append(raw.decode("utf-8", "surrogatepass"))
            else:
                value, at = _unpack_other(data, at, 0)
                values.append(value)
    except (IndexError, UnicodeDecodeError, struct.error) as error:
        raise ValueError("not a packed tuple") from error
    return tuple(values)


def _read_escaped(data: bytes, start: int) -> tuple[bytes, int]:
    """The bytes up to the terminator, unescaped, and where the next element begins."""
    end = data.find(b"\0", start)
    if end < 0:
        raise ValueError("not a packed tuple")
    if data[end + 1 : end + 2] != AFTER:
        return data[start:end], end + 1
    while data[end + 1 : end + 2] == AFTER:
        end = data.find(b"\0", end + 2)
        if end < 0:
            raise ValueError("not a packed tuple")
    return data[start:end].replace(_ESCAPED_ZERO, b"\0"), end + 1


def _unpack_other(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    code = data[at]
    if _INT_LEAST <= code <= _INT_MOST:
        return _unpack_int(data, at)
    if code == _TEXT:
        raw, at = _read_escaped(data, at + 1)
        return raw.decode("utf-8", "surrogatepass"), at
    if code == _BYTES:
        return _read_escaped(data, at + 1)
    if code == _NONE:
        return None, at + 1
    if code == _TUPLE and depth < NESTING_MAX:
        values = []
        at += 1
        while data[at] != _END:
            value, at = _unpack_other(data, at, depth + 1)
            values.append(value)
        return tuple(values), at + 1
    if code == _FLOAT:
        bits = int.from_bytes(_take(data, at + 1, 8), "big")
        bits = bits ^ _SIGN if bits & _SIGN else bits ^ _ALL
        return struct.unpack(">d", bits.to_bytes(8, "big"))[0], at + 9
    if code in (_FALSE, _TRUE):
        return code == _TRUE, at + 1
    raise ValueError("not a packed tuple")


def _unpack_int(data: bytes, at: int) -> tuple[int, int]:
    code = data[at]
    at += 1
    if code in (_INT_LEAST, _INT_MOST):
        size = int.from_bytes(_take(data, at, 2), "big")
        size = 0xFFFF - size if code == _INT_LEAST else size
        at += 2
    else:
        size = abs(code - _INT_ZERO)
    number = int.from_bytes(_take(data, at, size), "big")
    if code < _INT_ZERO:
        number -= (1 << (8 * size)) - 1
    return number, at + size


def _take(data: bytes, start: int, size: int) -> bytes:
    raw = data[start : start + size]
    if len(raw) != size:
        raise ValueError("not a packed tuple")
    return raw
