"""Taking in a body: its digests checked, its bytes inline or in a blob. And giving it out again."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.blobs.contract import Blobs, TooLarge
from cumulet.blobs.digests import DIGESTS
from cumulet.blobs.segments import Segment, open_segments
from cumulet.core.context import Context
from cumulet.core.errors import AwsError, RequestTooLarge
from cumulet.core.http import Body
from cumulet.services.s3.content.keys import ObjectKey
from cumulet.services.s3.content.readers import Readers, Reading
from cumulet.services.s3.content.sealed import SALT_BYTES, Cipher, Sealing, unsealed
from cumulet.services.s3.errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
    no_length,
)
from cumulet.services.s3.limits import INLINE_BYTES_MAX, OBJECT_PUT_BYTES_MAX
from cumulet.services.s3.model import Stored

ALGORITHMS: Mapping[str, str] = {
    "ChecksumCRC32": "crc32",
    "ChecksumCRC32C": "crc32c",
    "ChecksumCRC64NVME": "crc64nvme",
    "ChecksumSHA1": "sha1",
    "ChecksumSHA256": "sha256",
}
"""The member that carries a checksum → the digest's name in `blobs`."""

_DIGEST_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
_BY_NAME = {name.removeprefix("Checksum"): name for name in ALGORITHMS}

_CHECKSUM_HEADER = "x-amz-checksum-"
_BY_HEADER = {f"{_CHECKSUM_HEADER}{name.lower()}": member for name, member in _BY_NAME.items()}
_UNSUPPORTED_ALGORITHM = (
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
    "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A body that is on disk or in hand: encrypted bytes to be written inline, or a blob.

    `etag` is the entity tag of a single upload: its MD5, which one under a caller's key does not
    tell.
    """

    size: int
    digests: Mapping[str, bytes]
    etag: str
    checksums: dict[str, str]
    inline: bytes | None
    segment: Segment | None
    salt: bytes


async def take_body(
    ctx: Context, request: Mapping[str, Any], key: ObjectKey, *, inline: bool = True
) -> Taken:
    """Read the body of a put, checking every digest that came with it or after it.

    It is encrypted before it comes to the disk.
    """
    body: Body = request["Body"]
    size = body.size_bytes
    # The file of a form ends at a boundary; nothing else may come without its length.
    if size is None and not getattr(body, "ends_itself", False):
        raise no_length()
    wanted_md5 = _md5_of(request.get("ContentMD5"))
    given = {name: request[name] for name in ALGORITHMS if request.get(name)}
    if len(given) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    members = (set(given) | {algorithm_of(request)} | _promised(body)) - {""}
    if size is not None and size > OBJECT_PUT_BYTES_MAX:
        raise _too_large(size)
    if inline and size is not None and size <= INLINE_BYTES_MAX:
        taken = take_bytes(ctx, await body.read(INLINE_BYTES_MAX), members, key)
    else:
        taken = await take_pieces(ctx, body, members, key)
    try:
        _check_taken(taken, body, wanted_md5, given | _trailing(body))
    except AwsError:
        await let_go(ctx, taken.segment)
        raise
    return taken


def take_bytes(ctx: Context, data: bytes, members: Collection[str], key: ObjectKey) -> Taken:
    """Digest and encrypt bytes that are few enough for the store."""
    digests = digest_all(data, _digests_of(members))
    if not key.key:
        return _taken(len(data), digests, members, data, None, b"", key)
    salt = ctx.clock.random_bytes(SALT_BYTES)
    inline = Cipher(key.key, salt).seal(0, data)
    return _taken(len(data), digests, members, inline, None, salt, key)


async def take_pieces(
    ctx: Context, pieces: AsyncIterable[bytes], members: Collection[str], key: ObjectKey
) -> Taken:
    """Digest and encrypt bytes while they arrive, into a blob. Raises EntityTooLarge."""
    salt = ctx.clock.random_bytes(SALT_BYTES) if key.key else b""
    try:
        blob = await ctx.need(Blobs).put(
            pieces,
            digests=_digests_of(members),
            size_bytes_max=OBJECT_PUT_BYTES_MAX,
            coding=Sealing(Cipher(key.key, salt), key.chunk_bytes) if key.key else None,
        )
    except (TooLarge, RequestTooLarge) as cause:
        raise _too_large(OBJECT_PUT_BYTES_MAX + 1) from cause
    segment = Segment(blob.id, blob.size_bytes)
    return _taken(blob.size_bytes, blob.digests, members, None, segment, salt, key)


def _digests_of(members: Collection[str]) -> tuple[str, ...]:
    return ("md5", *(ALGORITHMS[name] for name in members))


def _taken(
    size: int,
    digests: Mapping[str, bytes],
    members: Collection[str],
    inline: bytes | None,
    segment: Segment | None,
    salt: bytes,
    key: ObjectKey,
) -> Taken:
    md5 = digests["md5"]
    if key.tag_salt:
        md5 = hashlib.md5(key.tag_salt + md5, usedforsecurity=False).digest()
    checksums = {name: base64.b64encode(digests[ALGORITHMS[name]]).decode() for name in members}
    return Taken(size, digests, md5.hex(), checksums, inline, segment, salt)


def _check_taken(
    taken: Taken, body: Body, wanted_md5: bytes | None, given: Mapping[str, str]
) -> None:
    if body.size_bytes is not None and taken.size != body.size_bytes:
        raise IncompleteBody(
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        )
    md5 = taken.digests["md5"]
    if wanted_md5 is not None and wanted_md5 != md5:
        raise BadDigest(
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=wanted_md5.hex(),
            CalculatedDigest=base64.b64encode(md5).decode(),
        )
    for name, value in given.items():
        _check_checksum(name, value)
        if taken.checksums.get(name) != value:
            kind = name.removeprefix("Checksum")
            raise BadDigest(f"The {kind} you specified did not match the calculated checksum.")


def _check_checksum(name: str, value: str) -> None:
    """Whether the value can be one of that kind at all. Raises InvalidRequest."""
    try:
        digest = base64.b64decode(value, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != _DIGEST_BYTES[ALGORITHMS[name]]:
        header = f"x-amz-checksum-{name.removeprefix('Checksum').lower()}"
        raise InvalidRequest(f"Value for {header} header is invalid.")


async def let_go(ctx: Context, segment: Segment | None) -> None:
    """Remove a blob that no record will ever refer to; after a crash the sweep does it."""
    if segment is not None:
        await ctx.need(Blobs).drop(segment.id)


def digest_all(data: bytes, digests: tuple[str, ...]) -> dict[str, bytes]:
    """Digests of bytes in hand, by name."""
    found = {}
    for name in digests:
        digest = DIGESTS[name]()
        digest.update(data)
        found[name] = digest.digest()
    return found


def _too_large(size: int) -> EntityTooLarge:
    return EntityTooLarge(
        "Your proposed upload exceeds the maximum allowed size",
        ProposedSize=size,
        MaxSizeAllowed=OBJECT_PUT_BYTES_MAX,
    )


def _md5_of(header: str | None) -> bytes | None:
    if header is None:
        return None
    try:
        value = base64.b64decode(header, validate=True)
    except binascii.Error:
        value = b""
    if len(value) != hashlib.md5(usedforsecurity=False).digest_size:
        raise InvalidDigest("The Content-MD5 you specified is not valid.")
    return value


def algorithm_of(request: Mapping[str, Any]) -> str:
    """The member of the checksum that is asked to be made, or "". Raises InvalidRequest."""
    algorithm = request.get("ChecksumAlgorithm")
    if not algorithm:
        return ""
    if algorithm not in _BY_NAME:
        raise InvalidRequest(_UNSUPPORTED_ALGORITHM)
    return _BY_NAME[algorithm]


def _promised(body: Body) -> set[str]:
    """The checksums that `x-amz-trailer` says will come behind the body."""
    found = set()
    for header in getattr(body, "declared", ()):
        if not header.startswith(_CHECKSUM_HEADER):
            continue
        if header not in _BY_HEADER:
            raise InvalidRequest(_UNSUPPORTED_ALGORITHM)
        found.add(_BY_HEADER[header])
    return found


def _trailing(body: Body) -> dict[str, str]:
    """Checksums that came behind the body, as `aws-chunked` bodies have them."""
    trailers: Mapping[str, str] = getattr(body, "trailers", {})
    return {_BY_HEADER[name]: value for name, value in trailers.items() if name in _BY_HEADER}


def give_out(
    ctx: Context, stored: Stored, content: bytes | None, start: int, end: int, key: ObjectKey
) -> bytes | AsyncIterator[bytes]:
    """The bytes with start <= offset < end; `content` is what lay of them in the store.

    Raises Damaged, at once or while they are read.
    """
    if start >= end:
        return b""
    if content is not None:
        if key.key:
            content = Cipher(key.key, stored.salts[0]).unseal(0, content)
        return content if end - start == len(content) else content[start:end]
    blobs = ctx.need(Blobs)
    if key.key:
        segments, span = stored.segments, range(start, end)
        source = unsealed(blobs, key.key, key.chunk_bytes, segments, stored.salts, span)
    else:
        source = open_segments(blobs, stored.segments, start, end)
    return ctx.need(Readers).add(Reading(source, [segment.id for segment in stored.segments]))
