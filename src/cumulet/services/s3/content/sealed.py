"""Bytes encrypted in chunks, so that a range of them can be read: AES-256-GCM.

Each chunk is bound to its place, and the record of an object tells how many there are, so that none
can be changed, moved or left out unnoticed. The key of a run of chunks follows from the object's
key and a salt of its own, so that no nonce ever comes twice under one key. Keys are in `keys`.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cumulet.blobs.contract import PIECE_BYTES, Blobs
from cumulet.blobs.segments import Segment

CHUNK_BYTES = 16 * 1024
"""What must have come before it can be encrypted: each upload under way holds so much at most."""
TAG_BYTES = 16
SALT_BYTES = 16


class Damaged(Exception):
    """What lies on the disk is not what was written."""


class Cipher:
    """The cipher of one run of chunks."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, salt, "sha256"))

    def seal(self, number: int, data: bytes | memoryview) -> bytes:
        """One chunk, encrypted; `number` is its place, from 0."""
        return self._cipher.encrypt(number.to_bytes(12, "big"), data, None)

    def unseal(self, number: int, data: bytes | memoryview) -> bytes:
        """One chunk as it was. Raises Damaged when it is not that chunk."""
        try:
            return self._cipher.decrypt(number.to_bytes(12, "big"), data, None)
        except (InvalidTag, ValueError) as cause:
            raise Damaged("a stored chunk does not authenticate") from cause


class Sealing:
    """The coding by which a body is encrypted while it comes to the disk."""

    __slots__ = ("_chunk_bytes", "_cipher", "_number", "_waiting")

    def __init__(self, cipher: Cipher, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._cipher = cipher
        self._chunk_bytes = chunk_bytes
        self._number = 0
        self._waiting = b""

    def take(self, data: bytes) -> bytes:
        """The whole chunks of what came so far, encrypted."""
        if self._waiting:
            data = self._waiting + data
        size = self._chunk_bytes
        whole = len(data) // size * size
        view = memoryview(data)
        sealed = [
            self._cipher.seal(number, view[at : at + size])
            for number, at in enumerate(range(0, whole, size), self._number)
        ]
        self._number += len(sealed)
        self._waiting = data[whole:]
        return b"".join(sealed)

    def end(self) -> bytes:
        """The last chunk, encrypted, if one is begun."""
        return self._cipher.seal(self._number, self._waiting) if self._waiting else b""


class _Unsealing:
    """Takes rows of whole chunks, of which only the last may be shorter."""

    __slots__ = ("_cipher", "_number", "_step_bytes")

    def __init__(self, cipher: Cipher, number: int, step_bytes: int) -> None:
        self._cipher = cipher
        self._number = number
        self._step_bytes = step_bytes

    def take(self, data: bytes) -> bytes:
        step = self._step_bytes
        view = memoryview(data)
        plain = [
            self._cipher.unseal(number, view[at : at + step])
            for number, at in enumerate(range(0, len(data), step), self._number)
        ]
        self._number += len(plain)
        return plain[0] if len(plain) == 1 else b"".join(plain)


async def unsealed(
    blobs: Blobs,
    key: bytes,
    chunk_bytes: int,
    segments: Sequence[Segment],
    salts: Sequence[bytes],
    span: range,
) -> AsyncGenerator[bytes, None]:
    """The plain bytes at the offsets of `span`. Raises Damaged rather than give others."""
    first = 0
    for segment, salt in zip(segments, salts, strict=True):
        last = first + segment.size_bytes
        part = range(max(0, span.start - first), min(last, span.stop) - first)
        if part:
            async for piece in _unsealed(blobs, Cipher(key, salt), chunk_bytes, segment.id, part):
                yield piece
        first = last


async def _unsealed(
    blobs: Blobs, cipher: Cipher, chunk_bytes: int, blob: str, span: range
) -> AsyncGenerator[bytes, None]:
    step = chunk_bytes + TAG_BYTES
    number, skip = divmod(span.start, chunk_bytes)
    left = len(span)
    reading = blobs.open(
        blob,
        number * step,
        -(-span.stop // chunk_bytes) * step,
        piece_bytes=max(1, PIECE_BYTES // step) * step,
        through=_Unsealing(cipher, number, step).take,
    )
    try:
        async for piece in reading:
            if skip or left < len(piece):
                piece = piece[skip : skip + left]
                skip = 0
            left -= len(piece)
            yield piece
    finally:
        await reading.aclose()
    if left:
        raise Damaged("a stored object ends too early")
