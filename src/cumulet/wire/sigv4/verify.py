"""Deciding whether a signature is true: the claims first, then the HMAC, in constant time.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest

from cumulet.core.errors import IncompleteSignature, SignatureMismatch
from cumulet.core.http import Request
from cumulet.wire.sigv4 import refusals
from cumulet.wire.sigv4.canonical import canonical_headers, canonical_path, canonical_query
from cumulet.wire.sigv4.signature import (
    ALGORITHM,
    TERMINATOR,
    ParsedSignature,
    epoch_of,
)

EMPTY_SHA256 = sha256(b"").hexdigest()
SKEW_SECONDS = 300
"""Five minutes, as the sentences of most services say."""

S3_SKEW_SECONDS = 900
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RequestTimeTooSkewed"""

KEYS_MAX = 4_096
"""Signing keys remembered: one per secret, day, region and service in use."""


def check_service(parsed: ParsedSignature, service: str, *, s3: bool) -> None:
    """The scope must name the service that is asked. Raises AwsError."""
    if not parsed.region:
        if s3:
            raise refusals.s3_header_malformed("the region '' is wrong; expecting 'us-east-1'")
        raise SignatureMismatch("Credential should be scoped to a valid region. ")
    if parsed.service == service:
        return
    if s3:
        raise refusals.s3_header_malformed(
            f'incorrect service "{parsed.service}". This endpoint belongs to "{service}".'
        )
    raise SignatureMismatch(f"Credential should be scoped to correct service: '{service}'. ")


def check_region(parsed: ParsedSignature, region: str, *, s3: bool) -> None:
    """The scope must name the region of the endpoint that was addressed. Raises AwsError."""
    if parsed.region == region:
        return
    if s3:
        raise refusals.s3_header_malformed(
            f"the region '{parsed.region}' is wrong; expecting '{region}'", Region=region
        )
    raise SignatureMismatch("Credential should be scoped to a valid region. ")


def check_time(parsed: ParsedSignature, now: float, *, s3: bool) -> None:
    """The signature must be of now, within the allowed skew or the URL's life. Raises AwsError.

    A flaw of its scope is refused next.
    """
    try:
        signed_at = epoch_of(parsed.timestamp)
    except ValueError:
        raise IncompleteSignature(
            f"Date must be in ISO-8601 'basic format'. Got '{parsed.timestamp}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None
    skew = S3_SKEW_SECONDS if s3 else SKEW_SECONDS
    life = parsed.expires_seconds
    late = now > signed_at + (skew if life is None else life)
    if not late and signed_at <= now + skew:
        if parsed.flaw is not None:
            raise parsed.flaw
        return
    if not s3:
        if not late:
            raise refusals.not_yet_current(parsed.timestamp, now, skew // 60)
        raise refusals.expired(parsed.timestamp, now, (skew if life is None else life) // 60)
    if life is None:
        raise refusals.s3_skewed(parsed.timestamp, now, skew)
    if late:
        raise refusals.s3_url_expired(life, signed_at + life, now)
    raise refusals.s3_denied("Request is not yet valid")


class _SigningKey:
    """A signing key and its HMAC, begun once and copied for every signature."""

    __slots__ = ("_inner", "_outer", "key")

    def __init__(self, key: bytes) -> None:
        self.key = key
        # RFC 2104: H(key ^ opad, H(key ^ ipad, text)), the key filled up to the block's 64 bytes.
        block = key.ljust(64, b"\0")
        self._inner = sha256(block.translate(_IPAD))
        self._outer = sha256(block.translate(_OPAD))

    def sign(self, text: bytes) -> str:
        """The HMAC of `text` in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))


class Verifier:
    """Verifies signatures; keeps the signing keys it has derived. One per application."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys: OrderedDict[tuple[str, str, str, str], _SigningKey] = OrderedDict()
        self._keys_max = keys_max

    def verify(
        self, request: Request, parsed: ParsedSignature, secret: str, payload_hash: str, *, s3: bool
    ) -> None:
        """Whether `secret` signed this request, as it came over the wire.

        `payload_hash` is the last line of the canonical request: the SHA-256 of the body in hex,
        or what stands for it, such as `UNSIGNED-PAYLOAD`. Raises SignatureMismatch.
        """
        query, path, names = request.query, request.path, parsed.signed_headers
        if query:
            query = canonical_query(query, without="X-Amz-Signature" if parsed.presigned else "")
        if path != "/":
            path = canonical_path(path, s3=s3)
        canonical = (
            f"{request.method}\n{path}\n{query}\n"
            f"{canonical_headers(request.headers, names)}\n{payload_hash}"
        )
        date, region, service = parsed.date, parsed.region, parsed.service
        digest = sha256(canonical.encode("latin-1")).hexdigest()
        string_to_sign = (
            f"{ALGORITHM}\n{parsed.timestamp}\n{date}/{region}/{service}/{TERMINATOR}\n{digest}"
        )
        expected = self._key(secret, date, region, service).sign(string_to_sign.encode("latin-1"))
        if compare_digest(expected.encode(), parsed.signature.encode("latin-1")):
            return
        if s3:
            raise refusals.s3_mismatch(
                parsed.access_key_id, parsed.signature, string_to_sign, canonical
            )
        raise refusals.mismatch()

    def signing_key(self, parsed: ParsedSignature, secret: str) -> bytes:
        """The key of this secret for the signature's day, region and service."""
        return self._key(secret, parsed.date, parsed.region, parsed.service).key

    def _key(self, secret: str, date: str, region: str, service: str) -> _SigningKey:
        name = (secret, date, region, service)
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = _SigningKey(derive_key(*name))
            if len(self._keys) > self._keys_max:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(name)
        return key


def derive_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The chain of HMACs that leads from the secret to the signing key."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return key


def check_headers_signed(request: Request, parsed: ParsedSignature, *, s3: bool) -> None:
    """Headers that change what is asked must be under the signature. Raises AwsError.

    S3 wants every `x-amz-` header signed; of the others only `x-amz-target` names the operation.
    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    names = parsed.signed_headers
    if not s3:
        if "x-amz-target" in request.headers and "x-amz-target" not in names:
            raise SignatureMismatch(
                "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."
            )
        return
    unsigned = [
        name
        for name, _ in request.headers.pairs
        if name.startswith("x-amz-") and name not in names and name != "x-amz-content-sha256"
    ]
    if unsigned:
        raise refusals.s3_denied(
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(unsigned),
        )
