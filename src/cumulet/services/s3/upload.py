"""Taking in a body: its digests checked, its bytes inline or in a blob. And giving it out again."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.blobs.contract import Blobs, TooLarge
from cumulet.blobs.digests import DIGESTS
from cumulet.blobs.segments import Segment, open_segments
from cumulet.core.context import Context
from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import Body
from cumulet.kv.contract import Store
from cumulet.services.s3 import store
from cumulet.services.s3.errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
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

_BY_NAME = {name.removeprefix("Checksum"): name for name in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class Taken:
    """A body that is on disk or in hand: bytes to be written inline, or a blob."""

    size: int
    md5: bytes
    checksums: dict[str, str]
    inline: bytes | None
    segment: Segment | None

    @property
    def etag(self) -> str:
        """The entity tag of a single upload: its MD5."""
        return self.md5.hex()


async def take_body(ctx: Context, request: Mapping[str, Any], *, inline: bool = True) -> Taken:
    """Read the body of a put, checking every digest that came with it or after it."""
    body: Body = request["Body"]
    wanted_md5 = _md5_of(request.get("ContentMD5"))
    given = {name: request[name] for name in ALGORITHMS if request.get(name)}
    if len(given) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    members = set(given) | _announced(request)
    digests = ("md5", *(ALGORITHMS[name] for name in members))
    declared = body.size_bytes
    if declared is not None and declared > OBJECT_PUT_BYTES_MAX:
        raise _too_large(declared)
    if inline and declared is not None and declared <= INLINE_BYTES_MAX:
        taken = await _take_inline(body, digests)
    else:
        taken = await _take_blob(ctx, body, digests)
    if declared is not None and taken.size != declared:
        raise IncompleteBody("The request body terminated unexpectedly")
    checksums = {
        name: base64.b64encode(taken.digests[ALGORITHMS[name]]).decode() for name in members
    }
    given |= _trailing(body)
    if wanted_md5 is not None and wanted_md5 != taken.digests["md5"]:
        raise BadDigest("The Content-MD5 you specified did not match what we received.")
    for name, value in given.items():
        if checksums.get(name) != value:
            kind = name.removeprefix("Checksum")
            raise BadDigest(f"The {kind} you specified did not match the calculated checksum.")
    return Taken(taken.size, taken.digests["md5"], checksums, taken.inline, taken.segment)


@dataclass(frozen=True, slots=True)
class _Read:
    size: int
    digests: Mapping[str, bytes]
    inline: bytes | None
    segment: Segment | None


async def _take_inline(body: Body, digests: tuple[str, ...]) -> _Read:
    data = await body.read(INLINE_BYTES_MAX)
    return _Read(len(data), digest_all(data, digests), data, None)


async def _take_blob(ctx: Context, body: Body, digests: tuple[str, ...]) -> _Read:
    blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
    try:
        blob = await blobs.put(body, digests=digests, size_bytes_max=OBJECT_PUT_BYTES_MAX)
    except (TooLarge, RequestTooLarge) as cause:
        raise _too_large(OBJECT_PUT_BYTES_MAX + 1) from cause
    return _Read(blob.size_bytes, blob.digests, None, Segment(blob.id, blob.size_bytes))


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


def _announced(request: Mapping[str, Any]) -> set[str]:
    """The checksum that will come as a trailer, or that is to be made."""
    found = set()
    if algorithm := request.get("ChecksumAlgorithm"):
        if algorithm not in _BY_NAME:
            raise InvalidRequest(
                "Checksum algorithm provided is unsupported. Please try again with any of the "
                "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
            )
        found.add(_BY_NAME[algorithm])
    return found


def _trailing(body: Body) -> dict[str, str]:
    """Checksums that came behind the body, as `aws-chunked` bodies have them."""
    trailers: Mapping[str, str] = getattr(body, "trailers", {})
    members = {f"x-amz-checksum-{name.lower()}": member for name, member in _BY_NAME.items()}
    return {members[name]: value for name, value in trailers.items() if name in members}


async def give_out(
    ctx: Context, stored: Stored, start: int, end: int
) -> bytes | AsyncIterator[bytes]:
    """The bytes with start <= offset < end."""
    if start >= end:
        return b""
    if stored.content:
        kv = ctx.need(Store)  # type: ignore[type-abstract]
        data = await kv.transact(lambda tx: store.load_content(tx, ctx.scope, stored.content))
        return (data or b"")[start:end]
    blobs = ctx.need(Blobs)  # type: ignore[type-abstract]
    return open_segments(blobs, stored.segments, start, end)
