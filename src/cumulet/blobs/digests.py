"""Digests of streams, by the names S3 gives them."""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

_CRC32C_POLYNOMIAL = 0x82F63B78
_CRC64NVME_POLYNOMIAL = 0x9A6C9329AC4BC9B5


class Digest(Protocol):
    """Takes bytes, gives their digest."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...

    def digest(self) -> bytes:
        """The digest of all bytes so far; big-endian for checksums."""
        ...


class Checksum:
    """A checksum as a digest: a function that goes on from the value so far."""

    __slots__ = ("_go_on", "_size_bytes", "_value")

    def __init__(self, go_on: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._go_on = go_on
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        self._value = self._go_on(data, self._value)

    def digest(self) -> bytes:
        """The checksum so far, big-endian as in S3's headers."""
        return self._value.to_bytes(self._size_bytes, "big")


def table_checksum(polynomial: int, bits: int) -> Callable[[bytes, int], int]:
    """A reflected CRC computed byte by byte; slow, and right everywhere."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
        table.append(value)
    flip = (1 << bits) - 1

    def go_on(data: bytes, value: int) -> int:
        value ^= flip
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ value >> 8
        return value ^ flip

    return go_on


@functools.cache
def _fast_or_own(name: str, polynomial: int, bits: int) -> Callable[[bytes, int], int]:
    """The function of AWS's common runtime where that is installed, else our own."""
    try:
        from awscrt import checksums
    except ImportError:
        return table_checksum(polynomial, bits)
    found: Callable[[bytes, int], int] = getattr(checksums, name)
    return found


def _crc32c() -> Digest:
    return Checksum(_fast_or_own("crc32c", _CRC32C_POLYNOMIAL, 32), 4)


def _crc64nvme() -> Digest:
    return Checksum(_fast_or_own("crc64nvme", _CRC64NVME_POLYNOMIAL, 64), 8)


DIGESTS: Mapping[str, Callable[[], Digest]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "crc32": lambda: Checksum(zlib.crc32, 4),
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
}
"""What makes each digest, by its name."""
