"""Bodies that are framed in `aws-chunked`: the framing is stripped and verified as bytes stream.

The bytes of a chunk are handed on before its signature can be known to be true, so that memory
stays bounded: what was read is good only once the iteration has ended without an error.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from hashlib import sha256

from cumulet.core.errors import AwsError, RequestTooLarge, SignatureMismatch
from cumulet.core.http import Body
from cumulet.wire.sigv4 import refusals

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNKED_HASHES = frozenset({SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER})

CHUNK_LINE_BYTES_MAX = 256
"""A chunk's size line: a size, and a signature of 64 digits with its name."""

CHUNK_BYTES_MIN = 8_192
"""Every signed chunk but the last has at least so many bytes, says the page above."""

TRAILER_BYTES_MAX = 8_192

_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?[ \t]*\Z")
_TRAILER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\Z")
_EMPTY_SHA256 = sha256(b"").hexdigest()


class ChunkSigner:
    """The chain of signatures: each chunk's covers the one before it, the first the request's."""

    __slots__ = ("_key", "_previous", "_prologue")

    def __init__(self, key: bytes, timestamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._prologue = f"{timestamp}\n{scope}\n"
        self._previous = seed

    def chunk(self, digest: str) -> str:
        """The signature of the next chunk, whose bytes have this SHA-256."""
        return self._next(
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self._prologue}{self._previous}\n{_EMPTY_SHA256}\n{digest}"
        )

    def trailer(self, digest: str) -> str:
        """The signature of the trailer, whose canonical lines have this SHA-256."""
        return self._next(f"AWS4-HMAC-SHA256-TRAILER\n{self._prologue}{self._previous}\n{digest}")

    def _next(self, text: str) -> str:
        self._previous = hmac.digest(self._key, text.encode("latin-1"), "sha256").hex()
        return self._previous


class ChunkedBody:
    """The bytes inside an aws-chunked body; a `core.http.Body` that can be consumed once.

    `size_bytes` is `x-amz-decoded-content-length`. `trailers` holds the trailing headers, such as
    `x-amz-checksum-crc32`, by lower-case name once the iteration has ended. `signer` is None when
    the chunks are unsigned. `declared` are the names that `x-amz-trailer` announced, in lower case.
    """

    def __init__(
        self,
        body: Body,
        size_bytes: int | None,
        *,
        signer: ChunkSigner | None,
        has_trailer: bool,
        declared: tuple[str, ...] = (),
    ) -> None:
        self.size_bytes = size_bytes
        self.trailers: dict[str, str] = {}
        self._body = body
        self._signer = signer
        self._has_trailer = has_trailer
        self.declared = declared
        self._buffer = b""
        self._left = 0
        self._total = 0
        self._chunk_signature = ""
        self._chunk_hash = sha256()
        self._short_chunk_seen = False
        self._phase = _SIZE

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises RequestTooLarge beyond `limit_bytes`, and as iterating does."""
        if self.size_bytes is not None and self.size_bytes > limit_bytes:
            raise RequestTooLarge("Request size exceeded the limit.")
        pieces: list[bytes] = []
        total = 0
        async for piece in self:
            total += len(piece)
            if total > limit_bytes:
                raise RequestTooLarge("Request size exceeded the limit.")
            pieces.append(piece)
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces. Raises AwsError: IncompleteBody, SignatureDoesNotMatch, InvalidRequest…"""
        async for data in self._body:
            for piece in self._feed(data):
                yield piece
        if self._phase != _DONE:
            raise incomplete()
        if self.size_bytes is not None and self._total != self.size_bytes:
            raise incomplete()
        missing = [name for name in self.declared if name not in self.trailers]
        if missing:
            raise malformed_trailer()

    def _feed(self, data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        if self._buffer:
            data = self._buffer + data
        at = 0
        while at < len(data):
            if self._phase == _DATA:
                piece = data[at : at + self._left]
                at += len(piece)
                self._take(piece)
                pieces.append(piece)
                continue
            if self._phase == _DONE:
                raise malformed_chunk()
            end = data.find(b"\n", at, at + _LINE_MAX[self._phase])
            if end < 0:
                if len(data) - at >= _LINE_MAX[self._phase]:
                    raise malformed_chunk()
                break
            self._line(data[at:end].removesuffix(b"\r"))
            at = end + 1
        self._buffer = data[at:]
        return pieces

    def _take(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._signer is not None:
            self._chunk_hash.update(piece)
        if not self._left:
            self._phase = _AFTER_DATA
            self._check_chunk()

    def _line(self, line: bytes) -> None:
        if self._phase == _SIZE:
            self._size(line)
        elif self._phase == _AFTER_DATA:
            if line:
                raise malformed_chunk()
            self._phase = _SIZE
        elif self._phase == _LAST:
            if line:
                raise malformed_chunk()
            self._phase = _DONE
        else:
            self._trailer(line)

    def _size(self, line: bytes) -> None:
        match = _LINE.match(line)
        if match is None or (self._signer is not None) != (match[2] is not None):
            raise malformed_chunk()
        self._left = int(match[1], 16)
        self._total += self._left
        if self.size_bytes is not None and self._total > self.size_bytes:
            raise incomplete()
        if self._signer is not None:
            self._chunk_signature = match[2].decode()
            self._chunk_hash = sha256()
            if self._left and self._short_chunk_seen:
                raise small_chunk()
            self._short_chunk_seen = self._left < CHUNK_BYTES_MIN
        if self._left:
            self._phase = _DATA
            return
        self._check_chunk()
        self._phase = _TRAILERS if self._has_trailer else _LAST

    def _check_chunk(self) -> None:
        if self._signer is not None:
            expected = self._signer.chunk(self._chunk_hash.hexdigest())
            if not hmac.compare_digest(expected, self._chunk_signature):
                raise SignatureMismatch(refusals.S3_MISMATCH)

    def _trailer(self, line: bytes) -> None:
        if line:
            match = _TRAILER.match(line)
            if match is None:
                raise malformed_trailer()
            name = match[1].decode("latin-1").lower()
            if name in self.trailers or len(self.trailers) > len(self.declared):
                raise malformed_trailer()
            self.trailers[name] = match[2].decode("latin-1").strip()
            return
        # Some clients send an empty line before the signature, as AWS's own example shows.
        if self._signer is not None and "x-amz-trailer-signature" not in self.trailers:
            if self._phase == _TRAILERS_END:
                raise malformed_trailer()
            self._phase = _TRAILERS_END
            return
        self._check_trailer()
        self._phase = _DONE

    def _check_trailer(self) -> None:
        given = self.trailers.pop("x-amz-trailer-signature", "")
        undeclared = [name for name in self.trailers if name not in self.declared]
        if undeclared:
            raise malformed_trailer()
        if self._signer is None:
            return
        lines = "".join(f"{name}:{self.trailers[name]}\n" for name in sorted(self.trailers))
        expected = self._signer.trailer(sha256(lines.encode("latin-1")).hexdigest())
        if not hmac.compare_digest(expected.encode(), given.encode("latin-1")):
            raise SignatureMismatch(refusals.S3_MISMATCH)


_SIZE, _DATA, _AFTER_DATA, _LAST, _TRAILERS, _TRAILERS_END, _DONE = range(7)
_LINE_MAX = {
    _SIZE: CHUNK_LINE_BYTES_MAX,
    _AFTER_DATA: 2,
    _LAST: 2,
    _TRAILERS: TRAILER_BYTES_MAX,
    _TRAILERS_END: TRAILER_BYTES_MAX,
}


class HashedBody:
    """A body whose SHA-256 was signed before it was sent; compared when it has all been read."""

    def __init__(self, body: Body, sha256_hex: str) -> None:
        self.size_bytes = body.size_bytes
        self._body = body
        self._claimed = sha256_hex

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises RequestTooLarge, or AwsError when it is not what was signed."""
        content = await self._body.read(limit_bytes)
        self._compare(sha256(content).hexdigest())
        return content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces; good once the iteration has ended without an error."""
        digest = sha256()
        async for piece in self._body:
            digest.update(piece)
            yield piece
        self._compare(digest.hexdigest())

    def _compare(self, computed: str) -> None:
        if computed != self._claimed:
            raise refusals.s3_content_differs(self._claimed, computed)


def incomplete() -> AwsError:
    """The body ended early, or is not as long as was said."""
    return AwsError(
        "The request body terminated unexpectedly", code="IncompleteBody", http_status=400
    )


def malformed_chunk() -> AwsError:
    """A chunk's line cannot be read, or its data is not as long as it says."""
    return AwsError(
        "The chunk is malformed: its size or signature cannot be read.",
        code="InvalidRequest",
        http_status=400,
    )


def small_chunk() -> AwsError:
    """Only the last chunk may be small."""
    return AwsError(
        "Only the last chunk is allowed to have a size less than 8192 bytes",
        code="InvalidChunkSizeError",
        http_status=403,
    )


def malformed_trailer() -> AwsError:
    """The trailer is not what `x-amz-trailer` announced, or cannot be read."""
    return AwsError(
        "The request contained trailing data that was not well-formed or did not conform to our "
        "published schema.",
        code="MalformedTrailerError",
        http_status=400,
    )
