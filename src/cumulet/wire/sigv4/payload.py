"""What the body of a signed request must be: hashed before, unsigned, or signed chunk by chunk."""

from __future__ import annotations

import re

from cumulet.core.errors import AwsError
from cumulet.core.http import Body, Request
from cumulet.wire.sigv4 import refusals
from cumulet.wire.sigv4.chunked import (
    CHUNKED_HASHES,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    ChunkedBody,
    ChunkSigner,
    HashedBody,
)
from cumulet.wire.sigv4.signature import UNSIGNED_PAYLOAD, ParsedSignature

_HASH = re.compile(r"[0-9a-fA-F]{64}\Z")
_DIGITS_MAX = 15


def s3_payload_hash(parsed: ParsedSignature) -> str:
    """The last line of S3's canonical request. Raises AwsError.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    claimed = parsed.payload_hash
    if not claimed:
        if parsed.presigned:
            return UNSIGNED_PAYLOAD
        raise AwsError(
            "Missing required header for this request: x-amz-content-sha256",
            code="InvalidRequest",
            http_status=400,
        )
    if claimed == UNSIGNED_PAYLOAD or claimed in CHUNKED_HASHES or _HASH.match(claimed):
        return claimed
    raise refusals.s3_argument(
        f"x-amz-content-sha256 must be {UNSIGNED_PAYLOAD}, {', '.join(sorted(CHUNKED_HASHES))}, "
        "or a valid sha256 value.",
        "x-amz-content-sha256",
        claimed,
    )


def s3_body(request: Request, parsed: ParsedSignature | None, key: bytes) -> Body:
    """The request's body as S3 reads it: unframed, and checked against the signature.

    `key` is the signing key of a verified signature. Of an unsigned request (`parsed` None) only
    the framing is taken off. Raises AwsError.
    """
    claimed = (
        parsed.payload_hash if parsed else request.headers.get("x-amz-content-sha256")
    ) or UNSIGNED_PAYLOAD
    if claimed == UNSIGNED_PAYLOAD:
        return request.body
    if claimed not in CHUNKED_HASHES:
        return HashedBody(request.body, claimed.lower()) if parsed else request.body
    trailers = _declared_trailers(request)
    signer = None
    if claimed != UNSIGNED_TRAILER:
        if parsed is None:
            raise refusals.s3_denied("Access Denied")
        signer = ChunkSigner(key, parsed.timestamp, parsed.scope, parsed.signature)
    return ChunkedBody(
        request.body,
        _decoded_length(request),
        signer=signer,
        has_trailer=claimed in (UNSIGNED_TRAILER, SIGNED_TRAILER),
        declared=trailers,
    )


def _decoded_length(request: Request) -> int:
    text = request.headers.get("x-amz-decoded-content-length")
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        return int(text)
    raise AwsError(
        "You must provide the Content-Length HTTP header.",
        code="MissingContentLength",
        http_status=411,
    )


def _declared_trailers(request: Request) -> tuple[str, ...]:
    names = ",".join(request.headers.all("x-amz-trailer")).split(",")
    return tuple(name.strip().lower() for name in names if name.strip())
