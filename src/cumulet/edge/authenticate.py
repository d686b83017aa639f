"""Who sent a request: its signature read, its key found, its claims checked, its HMAC verified."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256

import msgspec

from cumulet.core.errors import ExpiredToken, InvalidToken, MissingAuthentication, UnknownKey
from cumulet.core.http import Body, Request
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.edge.route import path_style
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Credential, Credentials
from cumulet.wire import sigv2
from cumulet.wire.sigv4 import (
    EMPTY_SHA256,
    ParsedSignature,
    Verifier,
    check_headers_signed,
    check_service,
    check_time,
    parse,
)
from cumulet.wire.sigv4.payload import s3_body, s3_payload_hash

S3 = "s3"


class Claim(msgspec.Struct, frozen=True):
    """What a request says of its sender, with the secret to prove it; not verified yet.

    An unsigned request has no signature and the anonymous principal; one that a front makes has
    none either, but a principal and a region. `region` is else that of the credential scope, or ""
    when unsigned or signed by version 2.
    """

    signature: ParsedSignature | sigv2.ParsedSignature | None
    principal: Principal
    secret: str
    s3: bool
    region: str = ""

    @property
    def is_presigned(self) -> bool:
        """Whether the signature is in the query, which is then under it."""
        match self.signature:
            case ParsedSignature(presigned=presigned):
                return presigned
            case sigv2.ParsedSignature(expires_at=expires_at):
                return expires_at is not None
        return False


class Authenticator:
    """Verifies signatures against the keys of the credentials port."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._now = dispatcher.clock.now
        self._verifier = Verifier()

    async def claim(self, request: Request, service: str, *, unsigned: bool) -> Claim:
        """Read the signature, check its scope and time, and find its key. Raises AwsError.

        `service` is the name that the scope must have. `unsigned` says whether a request without
        a signature is let through as anonymous. This reads nothing of the body.
        """
        s3 = service == S3
        now = self._now()
        if s3 and (older := sigv2.parse(request)) is not None:
            sigv2.check_time(request, older, now)
            found = await self._credentials.find(older.access_key_id, older.session_token)
            found = _current(found, older.session_token, now)
            return Claim(older, found.principal, found.secret, s3)
        signature = parse(request, s3=s3)
        if signature is None:
            if unsigned:
                return Claim(None, ANONYMOUS, "", s3)
            raise MissingAuthentication("Request is missing Authentication Token")
        check_time(signature, now, s3=s3)
        if signature.service != service or not signature.region:
            check_service(signature, service, s3=s3)
        if s3 or "x-amz-target" in request.headers.first:
            check_headers_signed(request, signature, s3=s3)
        token = signature.session_token
        found = await self._credentials.find(signature.access_key_id, token)
        found = _current(found, token, now)
        return Claim(signature, found.principal, found.secret, s3, signature.region)

    @cached_property
    def _credentials(self) -> Credentials:
        """Provided when the platform is whole, which is after this was made."""
        return self._dispatcher.need(Credentials)

    def verify_bytes(self, request: Request, claim: Claim, body: bytes) -> None:
        """Verify the signature of a request whose body is here. Raises SignatureMismatch."""
        signature = claim.signature
        if signature is None:
            return
        if isinstance(signature, sigv2.ParsedSignature):
            sigv2.verify(request, signature, claim.secret, path_style(request).path)
            return
        digest = sha256(body).hexdigest() if body else EMPTY_SHA256
        self._verifier.verify(request, signature, claim.secret, digest, s3=False)

    def verify_s3(self, request: Request, claim: Claim) -> Body:
        """Verify S3's signature, and give the body without its framing. Raises AwsError.

        The body is checked against what was signed while it is read.
        """
        signature = claim.signature
        if isinstance(signature, sigv2.ParsedSignature):
            sigv2.verify(request, signature, claim.secret, path_style(request).path)
            return s3_body(request, None, b"")
        if signature is None:
            return s3_body(request, None, b"")
        expected = s3_payload_hash(signature)
        self._verifier.verify(request, signature, claim.secret, expected, s3=True)
        key = self._verifier.signing_key(signature, claim.secret)
        return s3_body(request, signature, key)

    async def authenticate(self, request: Request, service: str, body: bytes) -> Principal:
        """The `Authenticator` of `kit/ports.py`, for fronts whose callers sign as for AWS."""
        claim = await self.claim(request, service, unsigned=True)
        self.verify_bytes(request, claim, body)
        return claim.principal


def _current(found: Credential | None, session_token: str, now: float) -> Credential:
    """The credential, if it is one and its time is not over. Raises AwsError."""
    if found is None:
        kind = InvalidToken if session_token else UnknownKey
        raise kind("The security token included in the request is invalid.")
    if found.expires_at is not None and found.expires_at <= now:
        raise ExpiredToken("The security token included in the request is expired")
    return found
