"""Bytes encrypted in chunks, so that a range of them can be read: AES-256-GCM. And customer keys.

Each chunk is bound to its place. The key of a run of chunks follows from the given key and a salt
of its own, so that no nonce ever comes twice under one key.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cumulet.blobs.contract import Blobs
from cumulet.blobs.digests import Digest
from cumulet.blobs.segments import Segment
from cumulet.core.clock import Clock
from cumulet.core.errors import AccessDenied
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest
from cumulet.services.s3.model import Sealing, Stored

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SALT_BYTES = 16
_KEY_BYTES = 32
_BATCH_BYTES = 4 * CHUNK_BYTES


class Cipher:
    """The cipher of one run of chunks."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, salt, "sha256"))

    def seal(self, number: int, data: bytes) -> bytes:
        """One chunk, encrypted; `number` is its place, from 0."""
        return self._cipher.encrypt(number.to_bytes(12, "big"), data, None)

    def unseal(self, number: int, data: bytes) -> bytes:
        """One chunk as it was. Raises ValueError when it is not that chunk."""
        try:
            return self._cipher.decrypt(number.to_bytes(12, "big"), data, None)
        except InvalidTag as cause:
            raise ValueError("a stored chunk does not authenticate") from cause

    def seal_all(self, first: int, data: bytes) -> bytes:
        """A row of whole chunks, of which only the last may be shorter."""
        return b"".join(
            self.seal(first + at // CHUNK_BYTES, data[at : at + CHUNK_BYTES])
            for at in range(0, len(data), CHUNK_BYTES)
        )

    def unseal_all(self, first: int, data: bytes) -> bytes:
        """What `seal_all` was given."""
        step = CHUNK_BYTES + TAG_BYTES
        return b"".join(
            self.unseal(first + at // step, data[at : at + step])
            for at in range(0, len(data), step)
        )


class Measured:
    """The digests and the size of what passed through `sealing`."""

    def __init__(self, digests: Mapping[str, Digest]) -> None:
        self.digests = digests
        self.size = 0

    def pass_on(self, cipher: Cipher, first: int, data: bytes) -> bytes:
        """Digest and encrypt a row of chunks; for a thread."""
        for digest in self.digests.values():
            digest.update(data)
        return cipher.seal_all(first, data)


async def sealing(
    body: AsyncIterable[bytes], cipher: Cipher, measured: Measured
) -> AsyncIterator[bytes]:
    """The body encrypted, while it arrives."""
    loop = asyncio.get_running_loop()
    waiting = bytearray()
    first = 0
    async for piece in body:
        waiting += piece
        measured.size += len(piece)
        while len(waiting) >= _BATCH_BYTES:
            data = bytes(waiting[:_BATCH_BYTES])
            del waiting[:_BATCH_BYTES]
            yield await loop.run_in_executor(None, measured.pass_on, cipher, first, data)
            first += _BATCH_BYTES // CHUNK_BYTES
    if waiting:
        yield measured.pass_on(cipher, first, bytes(waiting))


async def unsealed(
    blobs: Blobs, key: bytes, stored: Stored, start: int, end: int
) -> AsyncGenerator[bytes, None]:
    """The plain bytes with start <= offset < end of an encrypted object."""
    first = 0
    for segment, salt in zip(stored.segments, stored.salts, strict=True):
        last = first + segment.size_bytes
        if max(first, start) < min(last, end):
            part = _unsealed(
                blobs, Cipher(key, salt), segment, max(0, start - first), min(last, end) - first
            )
            async for piece in part:
                yield piece
        first = last


async def _unsealed(
    blobs: Blobs, cipher: Cipher, segment: Segment, start: int, end: int
) -> AsyncGenerator[bytes, None]:
    step = CHUNK_BYTES + TAG_BYTES
    number = start // CHUNK_BYTES
    skip = start - number * CHUNK_BYTES
    left = end - start
    reading = blobs.open(segment.id, number * step, -(-end // CHUNK_BYTES) * step)
    waiting = bytearray()
    loop = asyncio.get_running_loop()
    try:
        async for piece in reading:
            waiting += piece
            whole = len(waiting) // step * step
            if whole:
                data = bytes(waiting[:whole])
                del waiting[:whole]
                plain = await loop.run_in_executor(None, cipher.unseal_all, number, data)
                number += whole // step
                plain = plain[skip : skip + left]
                skip = 0
                left -= len(plain)
                yield plain
        if left and waiting:
            yield cipher.unseal(number, bytes(waiting))[skip : skip + left]
    finally:
        await reading.aclose()


class CustomerKey(NamedTuple):
    """A key that the caller keeps, and the MD5 that came with it."""

    key: bytes
    md5: str


def customer_key(request: Mapping[str, Any], prefix: str = "") -> CustomerKey | None:
    """The key of the request's headers, or None. Raises InvalidArgument.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
    """
    algorithm, key, digest = (
        request.get(f"{prefix}SSECustomer{part}") or "" for part in ("Algorithm", "Key", "KeyMD5")
    )
    if not (algorithm or key or digest):
        return None
    must = "Requests specifying Server Side Encryption with Customer provided keys must provide "
    header = "x-amz-server-side-encryption-customer-"
    if not algorithm:
        raise _invalid(f"{must}a valid encryption algorithm.", f"{header}algorithm")
    if algorithm != "AES256":
        raise InvalidArgument(
            "The Encryption request you specified is not valid. Supported value: AES256.",
            code="InvalidEncryptionAlgorithmError",
            ArgumentName=f"{header}algorithm",
            ArgumentValue=algorithm,
        )
    if not key:
        raise _invalid(f"{must}an appropriate secret key.", f"{header}key")
    if not digest:
        raise _invalid(f"{must}the client calculated MD5 of the secret key.", f"{header}key-MD5")
    try:
        raw = base64.b64decode(key, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise _invalid("The secret key was invalid for the specified algorithm.", f"{header}key")
    found = base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()
    if not hmac.compare_digest(found, digest):
        raise _invalid(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            f"{header}key-MD5",
        )
    return CustomerKey(raw, digest)


def _invalid(message: str, argument: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=argument, ArgumentValue="null")


def seal_with(clock: Clock, key: CustomerKey) -> Sealing:
    """What is remembered of a key: not the key, but what tells whether another is the same."""
    salt = clock.random_bytes(SALT_BYTES)
    return Sealing(salt, hmac.digest(key.key, b"check" + salt, "sha256"), key.md5)


def check_key(key: CustomerKey | None, sealing: Sealing | None) -> bytes:
    """The key that opens an object, b"" when it has none. Raises InvalidRequest, AccessDenied."""
    if sealing is None:
        if key is not None:
            raise InvalidRequest("The encryption parameters are not applicable to this object.")
        return b""
    if key is None:
        raise InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters "
            "must be provided to retrieve the object."
        )
    said = hmac.digest(key.key, b"check" + sealing.salt, "sha256")
    if not hmac.compare_digest(said, sealing.check):
        raise AccessDenied(
            "Requests specifying Server Side Encryption with Customer provided keys must provide "
            "the correct secret key."
        )
    return key.key


def told(sealing: Sealing | None, encryption: str) -> dict[str, str]:
    """The members by which an answer tells how an object is encrypted."""
    if sealing is None:
        return {"ServerSideEncryption": encryption}
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": sealing.key_md5}
